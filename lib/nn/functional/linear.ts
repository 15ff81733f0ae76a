// Linear and bilinear maps.
import { RuntimeError } from '../../core/errors.js';
import { add } from '../../ops/arithmetic.js';
import { conv1d } from '../../ops/conv.js';
import { fnOp } from '../../ops/define.js';
import { bmm, linear } from '../../ops/matmul.js';
import { permute } from '../../ops/view.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reshaped } from '../../ops/internal/view.js';

export { linear } from '../../ops/matmul.js';

/**
 * A bilinear map of vectors: y_k = x1^T W_k x2 + b_k over the last dimensions.
 * @param input1 [.., in1]
 * @param input2 [.., in2], the leading sizes equal to input1's
 * @param weight [out, in1, in2]
 * @param bias [out] (default null: none)
 * @returns [.., out]
 * @throws RuntimeError for sizes that do not fit
 */
export const bilinear = fnOp(
  'bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None)',
  (input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | null): Tensor => {
    if (input1.ndim !== input2.ndim) {
      throw new RuntimeError(`bilinear(): input dimensions do not match: got ${input1.ndim} and ${input2.ndim}`);
    }
    if (weight.ndim !== 3) throw new RuntimeError(`bilinear(): weight must have 3 dimensions, got ${weight.ndim}`);
    const lead = input1.shape.slice(0, -1);
    input2.shape.slice(0, -1).forEach((n, d) => {
      if (n !== lead[d])
        throw new RuntimeError(`bilinear(): input batch dimensions do not match at dim ${d}: got ${lead[d]} and ${n}`);
    });
    const [out, in1, in2] = weight.shape as [number, number, number];
    if (input1.size(-1) !== in1) {
      throw new RuntimeError(
        `bilinear(): input1 size does not match weight size: got ${input1.size(-1)} but expected ${in1}`,
      );
    }
    if (input2.size(-1) !== in2) {
      throw new RuntimeError(
        `bilinear(): input2 size does not match weight size: got ${input2.size(-1)} but expected ${in2}`,
      );
    }
    if (bias !== null && bias.numel() !== out) {
      throw new RuntimeError(
        `bilinear(): bias size does not match weight size: got ${bias.numel()} but expected ${out}`,
      );
    }
    const n = lead.reduce((a, b) => a * b, 1);
    // x1 times all weights at once, [N, out, in2], then each row's matrix times its x2.
    const rows = linear.impl(reshaped(input1, [n, in1]), reshaped(permute(weight, 0, 2, 1), [out * in2, in1]), null);
    const y = bmm.impl(reshaped(rows, [n, out, in2]), reshaped(input2, [n, in2, 1]));
    const shaped = reshaped(y, [...lead, out]);
    return bias === null ? shaped : add.impl(shaped, bias, 1);
  },
);

/**
 * Convolution with the time first: `conv1d` with other orders of dimensions.
 * @param input [T, N, in]
 * @param weight [kernel, in, out]
 * @param bias [out]
 * @param pad zeros at both ends (default 0)
 * @returns [T + 2 pad - kernel + 1, N, out]
 * @throws RuntimeError for other numbers of dimensions and sizes that do not fit
 */
export const convTbc = fnOp(
  'convTbc(Tensor input, Tensor weight, Tensor bias, int pad=0)',
  (input: Tensor, weight: Tensor, bias: Tensor, pad: number): Tensor => {
    if (input.ndim !== 3) throw new RuntimeError('Input must have 3 dims: time, batch, in_channel');
    if (weight.ndim !== 3)
      throw new RuntimeError('Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.');
    if (bias.ndim !== 1) throw new RuntimeError('Bias must be 1-D');
    return permute(conv1d.impl(permute(input, 1, 2, 0), permute(weight, 2, 1, 0), bias, [1], [pad], [1], 1), 2, 0, 1);
  },
);
