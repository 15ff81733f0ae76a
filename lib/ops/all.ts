// Every file of rows. What is exported from them is a function of `torch`, a method of Tensor, or both.
export * from './activation.js';
export * from './arithmetic.js';
export * from './comparison.js';
export * from './complex.js';
export * from './conv.js';
export * from './convert.js';
export * from './copies.js';
export * from './creation.js';
export * from './distance.js';
export * from './einsum.js';
export * from './gamma.js';
export * from './gather.js';
export * from './in_place.js';
export * from './in_place_functions.js';
export * from './index_along.js';
export * from './index_mask.js';
export * from './index_search.js';
export * from './index_segment.js';
export * from './index_triangle.js';
export * from './indexing.js';
export * from './integration.js';
export * from './join.js';
export * from './join_grid.js';
export * from './join_split.js';
export * from './matmul.js';
export * from './norm.js';
export * from './norm_native.js';
export * from './pool.js';
export * from './products.js';
export * from './queries.js';
export * from './random.js';
export {
  defaultGenerator,
  Generator,
  getRngState,
  initialSeed,
  manualSeed,
  seed,
  setRngState,
} from './random_generator.js';
export * from './reduce.js';
export * from './scan.js';
export * from './resize.js';
export * from './softmax.js';
export * from './sort.js';
export * from './sort_quantile.js';
export * from './sort_unique.js';
export * from './special.js';
export * from './statistics.js';
export * from './unary.js';
export * from './view.js';
// Two modules have a `where`: the public one also takes a condition alone.
export { where } from './index_mask.js';
