// Quantiles: sorted values, interpolated between ranks.
import { int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { Tensor, wrapDim } from '../tensor/tensor.js';
import { mul, sub } from './arithmetic.js';
import { lerp } from './ternary.js';
import { op } from './define.js';
import { gather } from './gather.js';
import { sort } from './sort.js';
import { ceil, floor, isnan, logicalNot, round } from './unary.js';
import { expand, flatten, select, transpose, unsqueeze } from './view.js';
import { cast } from './internal/cast.js';
import { select3 } from './internal/select.js';
import { reshaped, sliceDim } from './internal/view.js';
import { allTrue } from './internal/truth.js';

const MODES = ['linear', 'lower', 'higher', 'midpoint', 'nearest'];

function quantileOf(
  name: string,
  input: Tensor,
  q: Tensor | number,
  dim: number | null,
  keepdim: boolean,
  interpolation: string,
  skipNan: boolean,
): Tensor {
  if (input.numel() === 0) throw new RuntimeError(`${name}() input tensor must be non-empty`);
  const levels = q instanceof Tensor ? q : input.newTensor(q);
  if (levels.ndim > 1) throw new RuntimeError(`${name}() q must be a scalar or 1D tensor`);
  if (input.dtype.name !== 'float32' && input.dtype.name !== 'float64') {
    throw new RuntimeError(`${name}() input tensor must be either float or double dtype`);
  }
  if (levels.dtype !== input.dtype) throw new RuntimeError(`${name}() q tensor must be same dtype as the input tensor`);
  if (!MODES.includes(interpolation)) {
    throw new RuntimeError(
      `${name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got ${interpolation}`,
    );
  }
  const values = levels.detach();
  if (!allTrue(values.ge(0).logicalAnd(values.le(1)))) {
    throw new RuntimeError(
      q instanceof Tensor
        ? `${name}() q values must be in the range [0, 1]`
        : `${name}() q must be in the range [0, 1] but got ${q}`,
    );
  }
  const d = dim === null ? 0 : wrapDim(dim, input.ndim);
  // x: [.., n], sorted; NaN comes last.
  const x = sort(dim === null || input.ndim === 0 ? flatten(input) : transpose(input, d, -1), -1).values;
  const n = x.shape[x.ndim - 1]!;
  const level = levels.ndim === 0 ? reshaped(levels, [1]) : levels;
  const m = level.shape[0]!;
  const shape = [...x.shape.slice(0, -1), m];
  let ranks: Tensor;
  if (skipNan) {
    const counts = logicalNot(isnan(x)).sum(-1, true);
    ranks = mul(level, cast(sub(counts, 1), x.dtype));
    // A row of NaN alone: the rank is -1, and rank 0 is NaN.
    ranks = select3(ranks.lt(0), 0, ranks);
  } else {
    ranks = expand.impl(mul(level, n - 1), shape);
    ranks = select3(expand.impl(isnan(sliceDim(x, -1, n - 1, n, 1)), shape), n - 1, ranks);
  }
  if (interpolation === 'lower') ranks = floor(ranks);
  else if (interpolation === 'higher') ranks = ceil(ranks);
  else if (interpolation === 'nearest') ranks = round(ranks);
  const below = cast(ranks.detach(), int64);
  let y = gather.impl(x, -1, below, false);
  if (interpolation === 'linear' || interpolation === 'midpoint') {
    const weights = interpolation === 'midpoint' ? ranks.newFull([], 0.5) : sub(ranks, cast(below, ranks.dtype));
    const above = cast(ceil(ranks.detach()), int64);
    y = lerp(y, gather.impl(x, -1, above, false), weights);
  }
  // y: [.., m] to [m, ..], with the reduced dimension kept or not.
  if (dim === null || input.ndim === 0) {
    const whole = levels.ndim === 0 ? select(y, -1, 0) : y;
    if (!keepdim) return whole;
    const ones = new Array<number>(input.ndim).fill(1);
    return reshaped(whole, levels.ndim === 0 ? ones : [m, ...ones]);
  }
  let out = transpose(transpose(unsqueeze(y, 0), 0, -1), d + 1, -1);
  if (!keepdim) out = select(out, d + 1, 0);
  return levels.ndim === 0 ? select(out, 0, 0) : out;
}

const quantileOp = (name: string, skipNan: boolean) =>
  op(
    `${name}(Tensor input, Tensor|Scalar q, int? dim=None, bool keepdim=False, str interpolation='linear')` as "x(Tensor input, Tensor|Scalar q, int? dim=None, bool keepdim=False, str interpolation='linear')",
    (input: Tensor, q: Tensor | number, dim: number | null, keepdim: boolean, interpolation: string): Tensor =>
      quantileOf(name, input, q, dim, keepdim, interpolation, skipNan),
  );
/**
 * The values below which the fractions q of the elements lie: at rank q (n - 1) of the sorted elements.
 * @param input float32 or float64
 * @param q a number from 0 to 1, or a vector [m] of them of input's type
 * @param dim along which (default null: all elements)
 * @param keepdim whether to keep it at size one (default false)
 * @param interpolation between two ranks: 'linear' (default), 'lower', 'higher', 'midpoint' or 'nearest'
 * @returns input's shape without `dim`, with m in front for a vector; NaN where a NaN takes part
 * @throws RuntimeError if input is empty or of another type, q is out of its range, or for another interpolation
 * @throws RangeError if the dimension is out of range
 */
export const quantile = quantileOp('quantile', false);
/** As `quantile`, of the elements that are not NaN; NaN where there are none. */
export const nanquantile = quantileOp('nanquantile', true);
