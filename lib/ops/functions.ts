// The functions of `torch`. What a file has beside them belongs to a namespace (`torch.special`, `nn.functional`) or is a
// method only (methods.ts).
export { celu, hardshrink, prelu, relu, selu, sigmoid, tanh, threshold } from './activation.js';
export * from './arithmetic.js';
export * from './ternary.js';
export * from './comparison.js';
export * from './complex.js';
export * from './conv.js';
export { canCast, clone, fill_, promoteTypes, resultType, setDefaultDtype, zero_ } from './convert.js';
export * from './copies.js';
export {
  arange,
  asTensor,
  asarray,
  empty,
  emptyLike,
  emptyStrided,
  eye,
  frombuffer,
  full,
  fullLike,
  linspace,
  logspace,
  ones,
  onesLike,
  range,
  scalarTensor,
  tensor,
  zeros,
  zerosLike,
} from './creation.js';
export * from './distance.js';
export * from './einsum.js';
export { frexp, igamma, igammac, mvlgamma, polygamma } from './gamma.js';
export { type ScatterOptions, gather, scatter, scatterAdd, scatterReduce } from './gather.js';
export { addmv_, clampMax_, clampMin_, conjPhysical_, deg2rad_, rad2deg_ } from './in_place.js';
export * from './in_place_functions.js';
export {
  embedding,
  indexAdd,
  indexCopy,
  indexFill,
  indexReduce,
  indexSelect,
  put,
  take,
  takeAlongDim,
} from './index_along.js';
export { argwhere, maskedFill, maskedScatter, maskedSelect, nonzero, nonzeroStatic } from './index_mask.js';
export * from './index_search.js';
export * from './index_segment.js';
export {
  diag,
  diagEmbed,
  diagflat,
  diagonalScatter,
  selectScatter,
  sliceScatter,
  trace,
  tril,
  trilIndices,
  triu,
  triuIndices,
} from './index_triangle.js';
export { type IndexItem, type IndexList, Slice, indexPut, indexPut_, slice } from './indexing.js';
export * from './integration.js';
export {
  blockDiag,
  cat,
  columnStack,
  concat,
  concatenate,
  dstack,
  flip,
  fliplr,
  flipud,
  hstack,
  repeatInterleave,
  roll,
  rot90,
  rowStack,
  stack,
  tile,
  vstack,
} from './join.js';
export * from './join_grid.js';
export * from './join_split.js';
export {
  addbmm,
  addmm,
  addmv,
  addr,
  baddbmm,
  bmm,
  chainMatmul,
  dot,
  ger,
  inner,
  matmul,
  mm,
  mv,
  outer,
  vdot,
} from './matmul.js';
export * from './norm.js';
export * from './norm_native.js';
export {
  adaptiveAvgPool1d,
  adaptiveMaxPool1d,
  avgPool1d,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool3d,
} from './pool.js';
export * from './products.js';
export { detach, detach_, fill, frobeniusNorm, isNonzero, isSigned } from './queries.js';
export {
  bernoulli,
  rand,
  randLike,
  randint,
  randintLike,
  randn,
  randnLike,
  randperm,
} from './random.js';
export * from './random_draw.js';
export {
  all,
  amax,
  amin,
  aminmax,
  any,
  argmax,
  argmin,
  countNonzero,
  logsumexp,
  max,
  mean,
  min,
  nanmean,
  nansum,
  norm,
  prod,
  std,
  stdMean,
  sum,
  var,
  varMean,
} from './reduce.js';
export { Storage, resizeAs_ } from './resize.js';
export * from './scan.js';
export * from './softmax.js';
export * from './sort.js';
export * from './sort_quantile.js';
export * from './sort_unique.js';
export { logit, nanToNum } from './special.js';
export * from './statistics.js';
export * from './unary.js';
export {
  adjoint,
  asStrided,
  asStrided_,
  broadcastTo,
  diagonal,
  flatten,
  moveaxis,
  movedim,
  narrow,
  narrowCopy,
  permute,
  ravel,
  reshape,
  select,
  squeeze,
  swapaxes,
  swapdims,
  t,
  transpose,
  unflatten,
  unsqueeze,
} from './view.js';
export {
  defaultGenerator,
  Generator,
  getRngState,
  initialSeed,
  manualSeed,
  seed,
  setRngState,
} from './random_generator.js';
// Two modules have a `where`: the public one also takes a condition alone.
export { where } from './index_mask.js';
