// Running sums, products and extremes along a dimension.
import { needsGrad, record } from '../autograd/graph.js';
import { gradMode, noGrad } from '../autograd/mode.js';
import type { DType } from '../core/dtype.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeMany } from '../tensor/invoke.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { div, mul, sub } from './arithmetic.js';
import { eq, logicalAnd } from './comparison.js';
import { op } from './define.js';
import { cat, stack } from './join.js';
import { amax, sum } from './reduce.js';
import { type ValuesIndices, valuesIndices } from './results.js';
import { abs, conj, exp, log, log1p } from './unary.js';
import { cast } from './internal/cast.js';
import { sumType } from './internal/reduction.js';
import { select3 as where } from './internal/select.js';
import { anyTrue } from './internal/truth.js';

const CUMSUM = nativeOp('cumsum');
const CUMPROD = nativeOp('cumprod');
const LOGCUMSUMEXP = nativeOp('logcumsumexp');
const CUMMAX = nativeOp('cummax');
const CUMMIN = nativeOp('cummin');

/** Sums from the end, along a dimension. */
function reversed(g: Tensor, dim: number): Tensor {
  return g.ndim === 0 ? g : cumsum(g.flip([dim]), dim).flip([dim]);
}
/**
 * Running sums along a dimension: out[i] = x[0] + ... + x[i]; integers and bool are summed as int64.
 * @param input any shape
 * @param dim the dimension
 * @param dtype the type to sum in and return (default: input's, int64 for integers and bool)
 * @returns input's shape
 * @throws RangeError if the dimension is out of range
 */
export const cumsum = op(
  'cumsum(Tensor input, int dim, ScalarType? dtype=None)',
  (input: Tensor, dim: number, dtype: DType | null): Tensor => {
    const x = cast(input, sumType(input, dtype));
    const y = invoke(CUMSUM, x, dim);
    if (needsGrad(x)) record('CumsumBackward0', y, [x], [], (g) => [reversed(g, dim)]);
    return y;
  },
);
/**
 * Running products along a dimension: out[i] = x[0] ... x[i]; integers and bool are multiplied as int64.
 * @param input any shape
 * @param dim the dimension
 * @param dtype the type to multiply in and return (default: input's, int64 for integers and bool)
 * @returns input's shape
 * @throws RangeError if the dimension is out of range
 */
export const cumprod = op(
  'cumprod(Tensor input, int dim, ScalarType? dtype=None)',
  (input: Tensor, dim: number, dtype: DType | null): Tensor => {
    const x = cast(input, sumType(input, dtype));
    const y = invoke(CUMPROD, x, dim);
    if (needsGrad(x)) record('CumprodBackward0', y, [x], [x, y], (g, [at, p]) => [cumprodGradient(g, at, p, dim)]);
    return y;
  },
);
/** sum over j >= i of g_j y_j / x_i; where x has zeros, by the products that leave x_i out. */
function cumprodGradient(g: Tensor, x: Tensor, y: Tensor, dim: number): Tensor {
  if (x.ndim === 0) return g;
  if (!anyTrue(eq(x, 0))) return div(reversed(mul(g, conj(y)), dim), conj(x));
  const d = wrapDim(dim, x.ndim);
  const n = x.shape[d]!;
  const parts: Tensor[] = [];
  for (let i = 0; i < n; i++) {
    // d y_j / d x_i for j >= i: the running product with x_i replaced by one.
    const before = i === 0 ? null : x.narrow(d, 0, i).prod(d, true);
    const one = x.narrow(d, i, 1).mul(0).add(1);
    const run = cumprod(cat([one, x.narrow(d, i + 1, n - i - 1)], d), d);
    const slope = before === null ? run : mul(run, before);
    parts.push(sum(mul(g.narrow(d, i, n - i), conj(slope)), [d], true));
  }
  return cat(parts, d);
}
/** log(exp(a) + exp(b)), on the branch of the logarithm that the larger one is on. */
function complexLogaddexp(a: Tensor, b: Tensor): Tensor {
  const first = a.real.ge(b.real);
  const [high, low] = [where(first, a, b), where(first, b, a)];
  const endless = logicalAnd(eq(high.real, low.real), high.real.abs().eq(Infinity));
  // Of two zeros none is the larger; two infinities have a sum.
  const alike = where(high.real.gt(0), log(exp(a).add(exp(b))), low);
  return where(endless, alike, log1p(exp(sub(low, high))).add(high));
}
/** Step by step: no element is scaled by one that comes after it. */
function complexLogcumsumexp(x: Tensor, dim: number): Tensor {
  if (x.numel() === 0 || x.ndim === 0) return x.clone();
  const y = noGrad(() => {
    const steps: Tensor[] = [];
    for (const step of x.unbind(dim)) {
      const before = steps.at(-1);
      steps.push(before === undefined ? step : complexLogaddexp(before, step));
    }
    return stack(steps, dim);
  });
  if (needsGrad(x)) {
    record('LogcumsumexpBackward0', y, [x], [x, y], (g, [at, l]) => {
      // sum_j g_j conj(exp(m - l_j)) times conj(exp(x_i - m)), with m the largest real part.
      const m = amax(at.detach().real, [dim], true);
      const shift = where(abs(m).eq(Infinity), 0, m);
      return [mul(reversed(mul(g, conj(exp(sub(shift, l)))), dim), conj(exp(sub(at, shift))))];
    });
  }
  return y;
}
/**
 * The logarithms of running sums of exponentials along a dimension, without overflow.
 * @param input floating point or complex
 * @param dim the dimension
 * @returns input's shape and type
 * @throws RangeError if the dimension is out of range; RuntimeError for integers
 */
export const logcumsumexp = op('logcumsumexp(Tensor input, int dim)', (input: Tensor, dim: number): Tensor => {
  if (input.dtype.isComplex) return complexLogcumsumexp(input, dim);
  const y = invoke(LOGCUMSUMEXP, input, dim);
  if (needsGrad(input)) {
    record('LogcumsumexpBackward0', y, [input], [input, y], (g, [x, l]) => {
      if (gradMode) {
        // To be differentiated again: sum_j g_j exp(m - l_j) times exp(x_i - m), with m the largest element.
        const m = x.ndim === 0 ? x.detach() : amax(x.detach(), [dim], true);
        return [mul(reversed(mul(g, exp(sub(m, l))), dim), exp(sub(x, m)))];
      }
      // Positive and negative gradients apart, in the log domain: sum_j g_j exp(x_i - l_j).
      const part = (sign: 1 | -1): Tensor => {
        const gs = mul(g, sign);
        const logs = where(gs.gt(0), log(where(gs.gt(0), gs, 1)), -Infinity);
        return exp(
          logcumsumexp(sub(logs, l).flip([dim]), dim)
            .flip([dim])
            .add(x),
        );
      };
      return [x.ndim === 0 ? g : sub(part(1), part(-1))];
    });
  }
  return y;
});
const runningExtreme = (name: string, id: number, node: string) =>
  op(`${name}(Tensor input, int dim)` as 'x(Tensor input, int dim)', (input: Tensor, dim: number): ValuesIndices => {
    const [values, indices] = invokeMany(id, input, dim);
    if (needsGrad(input)) {
      const shape = input.shape;
      record(node, values!, [input], [indices!], (g, [at]) => [
        shape.length === 0 ? g : g.newZeros(shape).scatterAdd_(dim, at, g),
      ]);
    }
    return valuesIndices(values!, indices!);
  });
/**
 * Running maxima along a dimension, and where they were last met; NaN wins.
 * @param input a real tensor
 * @param dim the dimension
 * @returns { values, indices } of input's shape: input's type and int64
 * @throws RangeError if the dimension is out of range; RuntimeError for complex tensors
 */
export const cummax = runningExtreme('cummax', CUMMAX, 'CummaxBackward0');
/**
 * Running minima along a dimension, and where they were last met; NaN wins.
 * @param input a real tensor
 * @param dim the dimension
 * @returns { values, indices } of input's shape: input's type and int64
 * @throws RangeError if the dimension is out of range; RuntimeError for complex tensors
 */
export const cummin = runningExtreme('cummin', CUMMIN, 'CumminBackward0');
