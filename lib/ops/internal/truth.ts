// Questions about elements, for checks of arguments. A tensor of the meta device has none to look at: it passes.
import type { Tensor } from '../../tensor/tensor.js';

/** Whether any element is true (or not zero); no for a tensor of the meta device. */
export const anyTrue = (t: Tensor): boolean => !t.isMeta && t.any().item() === true;
/** Whether all elements are true (or not zero); yes for a tensor of the meta device. */
export const allTrue = (t: Tensor): boolean => t.isMeta || t.all().item() === true;
