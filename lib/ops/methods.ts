// The rows that are methods of Tensor and no function of `torch`.
export {
  bfloat16,
  bool,
  byte,
  cdouble,
  cfloat,
  char,
  contiguous,
  copy_,
  cpu,
  double,
  float,
  half,
  int,
  long,
  short,
  to,
  typeAs,
} from './convert.js';
export { newEmpty, newFull, newOnes, newTensor, newZeros } from './creation.js';
export { polygamma_ } from './gamma.js';
export { scatterAdd_, scatterReduce_, scatter_ } from './gather.js';
export { addbmm_, addmm_, addr_, baddbmm_, cumprod_, cumsum_ } from './in_place.js';
export { indexAdd_, indexCopy_, indexFill_, indexReduce_, put_ } from './index_along.js';
export { maskedFill_, maskedScatter_ } from './index_mask.js';
export { fillDiagonal_, tril_, triu_ } from './index_triangle.js';
export { index } from './indexing.js';
export { repeat } from './join.js';
export { cuda, numpy, toDense } from './queries.js';
export { isShared, shareMemory_ } from './shared.js';
export { bernoulli_, cauchy_, exponential_, geometric_, logNormal_, normal_, random_, uniform_ } from './random.js';
export { sumToSize } from './reduce.js';
export { newEmptyStrided, resize, resizeAs, resize_, set_, storage } from './resize.js';
export {
  expand,
  expandAs,
  reshapeAs,
  squeeze_,
  swapaxes_,
  swapdims_,
  t_,
  transpose_,
  unfold,
  unsqueeze_,
  view,
  viewAs,
} from './view.js';
