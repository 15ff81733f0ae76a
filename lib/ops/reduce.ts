// Reductions over dimensions. `dim` is null (all), a number or a list; `keepdim` keeps reduced dimensions at size one.
import { needsGrad, record } from '../autograd/graph.js';
import * as D from '../core/dtype.js';
import { inWords, RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeMany, invokeVoid } from '../tensor/invoke.js';
import { Tensor, wrapDim } from '../tensor/tensor.js';
import { div, maximum, minimum, mul, sub } from './arithmetic.js';
import { eq } from './comparison.js';
import { methodOp, op } from './define.js';
import { cat } from './join.js';
import { cumprod } from './scan.js';
import { namedTuple, type ValuesIndices, valuesIndices } from './results.js';
import { abs, conj, exp, log, sqrt } from './unary.js';
import { cast } from './internal/cast.js';
import { select3 as where } from './internal/select.js';
import { reshaped } from './internal/view.js';
import { type Dims, putBack, spreadOver, sumTo, sumType } from './internal/reduction.js';
import { nuclearNorm, vectorNormOf } from './internal/vector_norm.js';
import { anyTrue } from './internal/truth.js';

const SUM = nativeOp('sum');
const PROD = nativeOp('prod');
const NANSUM = nativeOp('nansum');
const AMAX = nativeOp('amax');
const AMIN = nativeOp('amin');
const ANY = nativeOp('any');
const ALL = nativeOp('all');
const COUNT = nativeOp('count_nonzero');
const MAX_DIM = nativeOp('max_dim');
const MIN_DIM = nativeOp('min_dim');
const VAR_MEAN = nativeOp('var_mean');
const TO_DTYPE = nativeOp('to_dtype');
const DIV_ = nativeOp('div_');

const NO_DIMS: readonly number[] = [];

/** How many elements one result is made of. */
function countOf(shape: readonly number[], dim: Dims): number {
  if (dim === null || dim.length === 0) return shape.reduce((a, b) => a * b, 1);
  return dim.reduce((a, d) => a * (shape[wrapDim(d, shape.length)] ?? 1), 1);
}
/**
 * The sum over `dim`; integers and bool are summed as int64.
 * @param input any shape
 * @param dim the dimensions to sum over (default null: all, as an empty list)
 * @param keepdim whether to keep the summed dimensions at size one (default false)
 * @param dtype the type to sum in and return (default: input's, int64 for integers and bool)
 * @returns input's shape without `dim`
 * @throws RangeError if a dimension is out of range; RuntimeError if one occurs twice
 */
export const sum = op(
  'sum(Tensor input, int[]? dim=None, bool keepdim=False, ScalarType? dtype=None)',
  (input: Tensor, dim: Dims, keepdim: boolean, dtype: D.DType | null): Tensor => {
    const y = invoke(SUM, input, dim ?? NO_DIMS, keepdim, sumType(input, dtype));
    if (needsGrad(input)) {
      const shape = input.shape;
      record(dim === null ? 'SumBackward0' : 'SumBackward1', y, [input], [], (g) => [spreadOver(g, shape, dim)]);
    }
    return y;
  },
);
/**
 * The sum over `dim` that takes NaN as 0; integers and bool are summed as int64.
 * @param input any shape
 * @param dim the dimensions to sum over (default null: all, as an empty list)
 * @param keepdim whether to keep the summed dimensions at size one (default false)
 * @param dtype the type to sum in and return (default: input's, int64 for integers and bool)
 * @returns input's shape without `dim`
 * @throws RangeError if a dimension is out of range; RuntimeError if one occurs twice, and for a complex input
 */
export const nansum = op(
  'nansum(Tensor input, int[]? dim=None, bool keepdim=False, ScalarType? dtype=None)',
  (input: Tensor, dim: Dims, keepdim: boolean, dtype: D.DType | null): Tensor => {
    if (input.dtype.isComplex) throw new RuntimeError('nansum on CPU does not support complex inputs');
    const y = invoke(NANSUM, input, dim ?? NO_DIMS, keepdim, sumType(input, dtype));
    if (needsGrad(input)) {
      record('NansumBackward0', y, [input], [input], (g, [x]) => [where(x.isnan(), 0, spreadOver(g, x.shape, dim))]);
    }
    return y;
  },
);
function checkMean(input: Tensor, dtype: D.DType | null): void {
  const type = dtype ?? input.dtype;
  if (type.isFloatingPoint || type.isComplex) return;
  const got =
    dtype === null
      ? 'Input dtype must be either a floating point or complex dtype. Got'
      : 'Optional dtype must be either a floating point or complex dtype. Got';
  throw new RuntimeError(`mean(): could not infer output dtype. ${got}: ${type.scalarName}`);
}
/**
 * The mean over `dim`; NaN of no elements.
 * @param input floating point or complex, or of any type if `dtype` is given
 * @param dim the dimensions (default null: all, as an empty list)
 * @param keepdim whether to keep them at size one (default false)
 * @param dtype a floating-point or complex type to compute in and return (default: input's)
 * @returns input's shape without `dim`
 * @throws RuntimeError for integers and bool, or if a dimension occurs twice; RangeError if one is out of range
 */
export const mean = op(
  'mean(Tensor input, int[]? dim=None, bool keepdim=False, ScalarType? dtype=None)',
  (input: Tensor, dim: Dims, keepdim: boolean, dtype: D.DType | null): Tensor => {
    checkMean(input, dtype);
    const n = countOf(input.shape, dim);
    const x = dtype === null ? input : cast(input, dtype);
    const total = wideSum(x, dim ?? NO_DIMS, keepdim);
    const y = divideBy(total, n);
    const out = y.dtype === x.dtype ? y : invoke(TO_DTYPE, y, x.dtype);
    if (needsGrad(x)) {
      const shape = x.shape;
      record(dim === null ? 'MeanBackward0' : 'MeanBackward1', out, [x], [], (g) => [
        div(spreadOver(g, shape, dim), n),
      ]);
    }
    return out;
  },
);
/** Half types are summed in float32, so that the quotient is rounded once. */
function wideSum(x: Tensor, dims: readonly number[], keepdim: boolean): Tensor {
  const wide = x.dtype.itemsize === 2 ? D.float32 : x.dtype;
  return invoke(SUM, x.dtype === wide ? x : invoke(TO_DTYPE, x, wide), dims, keepdim, wide);
}
function divideBy(total: Tensor, n: number): Tensor {
  invokeVoid(DIV_, total, n);
  return total;
}
/**
 * The mean over `dim` of the elements that are not NaN; NaN where there are none.
 * @param input floating point
 * @param dim the dimensions (default null: all, as an empty list)
 * @param keepdim whether to keep them at size one (default false)
 * @param dtype the type to sum in (default: input's)
 * @returns input's shape without `dim`
 * @throws RuntimeError for other types, or if a dimension occurs twice; RangeError if one is out of range
 */
export const nanmean = op(
  'nanmean(Tensor input, int[]? dim=None, bool keepdim=False, ScalarType? dtype=None)',
  (input: Tensor, dim: Dims, keepdim: boolean, dtype: D.DType | null): Tensor => {
    if (!input.dtype.isFloatingPoint && !input.dtype.isComplex) {
      throw new RuntimeError(
        `nanmean(): expected input to have floating point or complex dtype but got ${input.dtype.name}`,
      );
    }
    return div(nansum(input, dim, keepdim, dtype), sum(input.isnan().logicalNot(), dim, keepdim));
  },
);

/**
 * The product over `dim`; integers and bool are multiplied as int64. Its gradient is exact where elements are zero.
 * @param input any shape
 * @param dim one dimension (default null: all)
 * @param keepdim whether to keep it at size one (default false)
 * @param dtype the type to multiply in and return (default: input's, int64 for integers and bool)
 * @returns input's shape without `dim`
 * @throws RangeError if the dimension is out of range
 */
export const prod = op(
  'prod(Tensor input, int? dim=None, bool keepdim=False, ScalarType? dtype=None)',
  (input: Tensor, dim: number | null, keepdim: boolean, dtype: D.DType | null): Tensor => {
    const type = sumType(input, dtype);
    const y = invoke(
      PROD,
      type === input.dtype ? input : invoke(TO_DTYPE, input, type),
      dim === null ? NO_DIMS : [dim],
      keepdim,
      type,
    );
    if (needsGrad(input)) {
      record('ProdBackward0', y, [input], [input, y], (g, [x, p]) => [prodGradient(g, x, p, dim)]);
    }
    return y;
  },
);
function prodGradient(g: Tensor, x: Tensor, y: Tensor, dim: number | null): Tensor {
  const dims = dim === null ? null : [dim];
  const zeros = eq(x, 0);
  if (!anyTrue(zeros)) {
    return mul(spreadOver(g, x.shape, dims), conj(div(spreadOver(y, x.shape, dims), x)));
  }
  // Each element's gradient is the product of the others: products from the left times products from the right.
  const flat = dim === null ? x.reshape(-1) : x;
  const d = dim ?? 0;
  const n = flat.shape[d] ?? 1;
  if (flat.ndim === 0) return g;
  const one = flat.narrow(d, 0, 1).mul(0).add(1);
  const left = cumprod(cat([one, flat.narrow(d, 0, n - 1)], d), d);
  const right = cumprod(cat([one, flat.narrow(d, 1, n - 1).flip([d])], d), d).flip([d]);
  return mul(spreadOver(g, x.shape, dims), conj(reshaped(mul(left, right), x.shape)));
}

const truth = (name: string, id: number) =>
  op(
    `${name}(Tensor input, int[]? dim=None, bool keepdim=False)` as 'x(Tensor input, int[]? dim=None, bool keepdim=False)',
    (input: Tensor, dim: Dims, keepdim: boolean): Tensor => {
      const y = invoke(id, input, dim ?? NO_DIMS, keepdim, null);
      return input.dtype === D.uint8 ? invoke(TO_DTYPE, y, D.uint8) : y;
    },
  );
/**
 * Whether any element over `dim` is not zero; NaN counts as not zero.
 * @param input any shape
 * @param dim the dimensions (default null: all, as an empty list)
 * @param keepdim whether to keep them at size one (default false)
 * @returns input's shape without `dim`, of bool (of uint8 for uint8); false of no elements
 * @throws RangeError if a dimension is out of range
 */
export const any = truth('any', ANY);
/**
 * Whether all elements over `dim` are not zero.
 * @param input any shape
 * @param dim the dimensions (default null: all, as an empty list)
 * @param keepdim whether to keep them at size one (default false)
 * @returns input's shape without `dim`, of bool (of uint8 for uint8); true of no elements
 * @throws RangeError if a dimension is out of range
 */
export const all = truth('all', ALL);
/**
 * How many elements over `dim` are not zero.
 * @param input any shape
 * @param dim the dimensions (default null: all)
 * @returns input's shape without `dim`, of int64
 * @throws RangeError if a dimension is out of range
 */
export const countNonzero = op(
  'countNonzero(Tensor input, int[]? dim=None)',
  (input: Tensor, dim: Dims): Tensor => invoke(COUNT, input, dim ?? NO_DIMS, false),
);

/** The gradient of amax and amin: shared evenly among the extremes. */
function evenly(g: Tensor, x: Tensor, y: Tensor, dim: Dims): Tensor {
  const at = cast(eq(x, spreadOver(y, x.shape, dim)), x.dtype);
  const share = div(at, spreadOver(sum(at, dim, true), x.shape, dim));
  return mul(spreadOver(g, x.shape, dim), share);
}
function checkNonEmpty(name: string, input: Tensor, dim: Dims): void {
  if (input.numel() > 0) return;
  const dims = dim === null || dim.length === 0 ? input.shape.map((_, d) => d) : dim;
  for (const d of dims) {
    if (input.shape[wrapDim(d, input.ndim)] === 0) {
      throw dim === null || dim.length === 0
        ? new RuntimeError(
            `${name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`,
          )
        : new RangeError(`${name}(): Expected reduction dim ${d} to have non-zero size.`);
    }
  }
}
const extremes = (name: string, id: number) =>
  op(
    `${name}(Tensor input, int[] dim=[], bool keepdim=False)` as 'x(Tensor input, int[] dim=[], bool keepdim=False)',
    (input: Tensor, dim: readonly number[], keepdim: boolean): Tensor => {
      checkNonEmpty(name, input, dim);
      const y = invoke(id, input, dim, keepdim, input.dtype);
      if (needsGrad(input)) {
        record(name === 'amax' ? 'AmaxBackward0' : 'AminBackward0', y, [input], [input, y], (g, [x, best]) => [
          evenly(g, x, best, dim),
        ]);
      }
      return y;
    },
  );
/**
 * The largest element over `dim`; NaN wins. Equal elements share the gradient evenly.
 * @param input a real tensor
 * @param dim the dimensions (default: none given, which means all)
 * @param keepdim whether to keep them at size one (default false)
 * @returns input's shape without `dim`, input's type
 * @throws RuntimeError for complex tensors, and of no elements without `dim`; RangeError for an empty or unknown dimension
 */
export const amax = extremes('amax', AMAX);
/**
 * The smallest element over `dim`; NaN wins. Equal elements share the gradient evenly.
 * @param input a real tensor
 * @param dim the dimensions (default: none given, which means all)
 * @param keepdim whether to keep them at size one (default false)
 * @returns input's shape without `dim`, input's type
 * @throws RuntimeError for complex tensors, and of no elements without `dim`; RangeError for an empty or unknown dimension
 */
export const amin = extremes('amin', AMIN);
/**
 * The smallest and the largest element over `dim`; NaN wins.
 * @param input a real tensor
 * @param dim one dimension (default null: all)
 * @param keepdim whether to keep it at size one (default false)
 * @returns { min, max }, each of input's shape without `dim` and of input's type
 * @throws RuntimeError for complex tensors, and of no elements without `dim`; RangeError for an empty or unknown dimension
 */
export const aminmax = op(
  'aminmax(Tensor input, int? dim=None, bool keepdim=False)',
  (input: Tensor, dim: number | null, keepdim: boolean): Tensor[] & { min: Tensor; max: Tensor } => {
    if (dim === null && input.numel() === 0) {
      throw new RuntimeError(
        'aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.',
      );
    }
    if (dim !== null && input.ndim > 0 && input.size(dim) === 0) {
      throw new RangeError(`aminmax: Expected reduction dim ${wrapDim(dim, input.ndim)} to have non-zero size.`);
    }
    const dims = dim === null ? NO_DIMS : [dim];
    return namedTuple(['min', 'max'], [amin(input, dims, keepdim), amax(input, dims, keepdim)]);
  },
);

function alongDim(name: string, id: number, node: string, input: Tensor, dim: number, keepdim: boolean): ValuesIndices {
  if (input.dtype.isComplex) throw new RuntimeError(`${name}(): does not support complex input`);
  const [values, indices] = invokeMany(id, input, dim, keepdim);
  if (needsGrad(input)) {
    const { shape } = input;
    record(node, values!, [input], [indices!], (g, [at]) => [putBack(g, at, shape, dim, keepdim)]);
  }
  return valuesIndices(values!, indices!);
}
type ExtremeArgs =
  | [input: Tensor]
  | [input: Tensor, dim: number, keepdim?: boolean]
  | [input: Tensor, options: { dim?: number; keepdim?: boolean; other?: Tensor }]
  | [input: Tensor, other: Tensor];

/** `max` and `min`: of all elements, along a dimension (values and indices), or of two tensors. */
function extreme(name: 'max' | 'min', id: number) {
  const along = op(
    `${name}(Tensor input, int dim, bool keepdim=False)` as 'x(Tensor input, int dim, bool keepdim=False)',
    (input: Tensor, dim: number, keepdim: boolean): ValuesIndices =>
      alongDim(name, id, name === 'max' ? 'MaxBackward0' : 'MinBackward0', input, dim, keepdim),
  );
  const whole = op(`${name}(Tensor input)` as 'x(Tensor input)', (input: Tensor): Tensor => {
    checkNonEmpty(name, input, null);
    const y = invoke(name === 'max' ? AMAX : AMIN, input, NO_DIMS, false, input.dtype);
    if (needsGrad(input))
      record(name === 'max' ? 'MaxBackward1' : 'MinBackward1', y, [input], [input, y], (g, [x, best]) => [
        evenly(g, x, best, null),
      ]);
    return y;
  });
  const pair = op(
    `${name}(Tensor input, Tensor other)` as 'x(Tensor input, Tensor other)',
    (input: Tensor, other: Tensor): Tensor => (name === 'max' ? maximum(input, other) : minimum(input, other)),
  );
  function call(input: Tensor): Tensor;
  function call(input: Tensor, other: Tensor): Tensor;
  function call(input: Tensor, dim: number, keepdim?: boolean): ValuesIndices;
  function call(input: Tensor, options: { dim: number; keepdim?: boolean }): ValuesIndices;
  function call(...args: ExtremeArgs): Tensor | ValuesIndices {
    const second = args[1];
    if (second === undefined) return whole(args[0]);
    if (second instanceof Tensor) return pair(args[0], second);
    if (typeof second === 'object' && second !== null && second.other instanceof Tensor)
      return pair(args[0], second.other);
    return along(...(args as [Tensor, number]));
  }
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return (call as (...args: unknown[]) => unknown)(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
  return Object.assign(call, { home: 'function' as const });
}
/**
 * The largest element; NaN wins. max(input) is that of all, whose equal elements share the gradient; max(input, dim,
 * keepdim = false) gives { values, indices } along one dimension; max(input, other) is `maximum`.
 * @returns a 0-d tensor; or input's shape without `dim`, with places of int64; or the broadcast shape
 * @throws RuntimeError for complex tensors, and of no elements without `dim`; RangeError for an empty or unknown dimension
 */
export const max = extreme('max', MAX_DIM);
/**
 * The smallest element; NaN wins. min(input) is that of all, whose equal elements share the gradient; min(input, dim,
 * keepdim = false) gives { values, indices } along one dimension; min(input, other) is `minimum`.
 * @returns a 0-d tensor; or input's shape without `dim`, with places of int64; or the broadcast shape
 * @throws RuntimeError for complex tensors, and of no elements without `dim`; RangeError for an empty or unknown dimension
 */
export const min = extreme('min', MIN_DIM);

const argument = (name: string, id: number) =>
  op(
    `${name}(Tensor input, int? dim=None, bool keepdim=False)` as 'x(Tensor input, int? dim=None, bool keepdim=False)',
    (input: Tensor, dim: number | null, keepdim: boolean): Tensor => {
      if (input.numel() === 0 && (dim === null || input.shape[wrapDim(dim, input.ndim)] === 0)) {
        throw dim === null
          ? new RangeError(`${name}(): Expected reduction dim to be specified for input.numel() == 0.`)
          : new RangeError(`${name}(): Expected reduction dim ${dim} to have non-zero size.`);
      }
      return invokeMany(id, input, dim, keepdim)[1]!;
    },
  );
/**
 * The place of the largest element; NaN counts as the largest.
 * @param input a real tensor
 * @param dim the dimension to search (default null: the flattened tensor)
 * @param keepdim whether to keep it at size one (default false)
 * @returns input's shape without `dim`, of int64
 * @throws RangeError of no elements, or if the dimension is out of range
 */
export const argmax = argument('argmax', MAX_DIM);
/**
 * The place of the smallest element; NaN counts as the smallest.
 * @param input a real tensor
 * @param dim the dimension to search (default null: the flattened tensor)
 * @param keepdim whether to keep it at size one (default false)
 * @returns input's shape without `dim`, of int64
 * @throws RangeError of no elements, or if the dimension is out of range
 */
export const argmin = argument('argmin', MIN_DIM);

/** `unbiased` is the older name of correction 1. */
function correctionOf(correction: number | null, unbiased: boolean | null): number {
  return correction ?? (unbiased === false ? 0 : 1);
}
/** var(dim, unbiased) and var(unbiased) of older code: a boolean in the place of `dim`. */
function olderForm(args: unknown[]): unknown[] {
  if (typeof args[1] === 'boolean') return [args[0], null, { unbiased: args[1], ...(args[2] as object | undefined) }];
  if (typeof args[2] === 'boolean') {
    const keepdim = typeof args[3] === 'boolean' ? { keepdim: args[3] } : {};
    const options = args.find((a, i) => i > 2 && typeof a === 'object') as object | undefined;
    return [args[0], args[1], { unbiased: args[2], ...keepdim, ...options }];
  }
  return args;
}
function varMeanOf(input: Tensor, dim: Dims, correction: number, keepdim: boolean): Tensor[] {
  return invokeMany(VAR_MEAN, input, dim ?? NO_DIMS, correction, keepdim);
}
function variance(input: Tensor, dim: Dims, correction: number, keepdim: boolean): Tensor {
  if (input.dtype.isComplex) {
    return variance(input.real, dim, correction, keepdim).add(variance(input.imag, dim, correction, keepdim));
  }
  const [v] = varMeanOf(input, dim, correction, keepdim);
  if (needsGrad(input)) {
    record('VarBackward0', v!, [input], [input], (g, [x]) => [varGradient(g, x, dim, correction)]);
  }
  return v!;
}
/** d var / dx = 2 (x - mean) / (n - correction). */
function varGradient(g: Tensor, x: Tensor, dim: Dims, correction: number): Tensor {
  const n = countOf(x.shape, dim);
  const centred = sub(x, mean(x, dim, true));
  return mul(mul(spreadOver(g, x.shape, dim), centred), 2 / Math.max(0, n - correction));
}
const VAR_ARGS = 'Tensor input, int[]? dim=None, float? correction=None, bool keepdim=False, bool? unbiased=None';
type VarOptions = {
  dim?: number | readonly number[] | null;
  correction?: number;
  keepdim?: boolean;
  unbiased?: boolean;
};
type VarArgs =
  | [input: Tensor, dim?: number | readonly number[] | null, options?: VarOptions]
  | [input: Tensor, options: VarOptions]
  | [input: Tensor, unbiased: boolean]
  | [input: Tensor, dim: number | readonly number[] | null, unbiased: boolean, keepdim?: boolean | VarOptions];
function varLike<R>(name: string, impl: (input: Tensor, dim: Dims, correction: number, keepdim: boolean) => R) {
  const declared = op(
    `${name}(${VAR_ARGS})`,
    (input: Tensor, dim: Dims, correction: number | null, keepdim: boolean, unbiased: boolean | null): R =>
      impl(input, dim, correctionOf(correction, unbiased), keepdim),
  );
  const call = declared as unknown as (...args: unknown[]) => R;
  return Object.assign((...args: VarArgs): R => call(...olderForm(args)), { home: 'both' as const });
}
const variance_ = varLike('var', variance);
/**
 * The variance over `dim`: the sum of |x - mean|^2 over max(0, n - correction). The older forms var(input, unbiased) and
 * var(input, dim, unbiased, keepdim) are taken too.
 * @param input floating point or complex, whose variance is real
 * @param dim the dimensions (default null: all)
 * @param correction what the count is lessened by (default 1; `unbiased: false` means 0)
 * @param keepdim whether to keep the dimensions at size one (default false)
 * @param unbiased the older name of correction 1 or 0 (default null: `correction` counts)
 * @returns input's shape without `dim`; NaN where there is nothing to divide by
 * @throws RuntimeError for integers and bool; RangeError if a dimension is out of range
 */
export { variance_ as var };
/**
 * The standard deviation over `dim`: the square root of `var`, with its arguments and errors.
 * @param input floating point or complex, whose deviation is real
 * @param dim the dimensions (default null: all)
 * @param correction what the count is lessened by (default 1; `unbiased: false` means 0)
 * @param keepdim whether to keep the dimensions at size one (default false)
 * @returns input's shape without `dim`
 */
export const std = varLike('std', (input, dim, correction, keepdim): Tensor => {
  const v = variance(input, dim, correction, keepdim);
  return stdOf(v);
});
/** The square root whose gradient is 0 where the deviation is 0, as PyTorch masks it. */
function stdOf(v: Tensor): Tensor {
  const s = sqrt.impl(v.detach());
  if (needsGrad(v)) record('StdBackward0', s, [v], [s], (g, [y]) => [where(eq(y, 0), 0, div(g, mul(y, 2)))]);
  return s;
}
/**
 * The variance and the mean over `dim`: [var, mean], with the arguments and errors of `var`.
 * @returns two tensors of input's shape without `dim`
 */
export const varMean = varLike('varMean', (input, dim, correction, keepdim): Tensor[] => [
  variance(input, dim, correction, keepdim),
  mean(input, dim, keepdim),
]);
/**
 * The standard deviation and the mean over `dim`: [std, mean], with the arguments and errors of `var`.
 * @returns two tensors of input's shape without `dim`
 */
export const stdMean = varLike('stdMean', (input, dim, correction, keepdim): Tensor[] => [
  stdOf(variance(input, dim, correction, keepdim)),
  mean(input, dim, keepdim),
]);

/**
 * log(sum(exp(x))) over `dim`, without overflow: the largest element is taken out.
 * @param input any type; integers become the default float type
 * @param dim the dimensions; an empty list means all
 * @param keepdim whether to keep them at size one (default false)
 * @returns input's shape without `dim`
 * @throws RangeError if a dimension is out of range; RuntimeError if one occurs twice
 */
export const logsumexp = op(
  'logsumexp(Tensor input, int[] dim, bool keepdim=False)',
  (input: Tensor, dim: readonly number[], keepdim: boolean): Tensor => {
    const x = input.dtype.isFloatingPoint || input.dtype.isComplex ? input : cast(input, D.getDefaultDtype());
    const y = logsumexpValue(x.detach(), dim, keepdim);
    if (needsGrad(x)) {
      record('LogsumexpBackward0', y, [x], [x, y], (g, [at, l]) => [
        mul(spreadOver(g, at.shape, dim), conj(exp(sub(at, spreadOver(l, at.shape, dim))))),
      ]);
    }
    return y;
  },
);
function logsumexpValue(x: Tensor, dim: readonly number[], keepdim: boolean): Tensor {
  if (x.numel() === 0) return log(sum(exp(x), dim, keepdim));
  const top = x.dtype.isComplex ? amax(x.real, dim, true) : amax(x, dim, true);
  // An infinite maximum would give inf - inf.
  const shift = where(abs(top).eq(Infinity), 0, top);
  const total = sum(exp(sub(x, shift)), dim, true);
  const y = log(total).add(shift);
  return keepdim ? y : reshaped(y, sum(x, dim, false).shape);
}

/**
 * The p-norm of the elements over `dim`: (sum of |x|^p)^(1 / p).
 * @param input floating point or complex
 * @param p a number (0 counts what is not zero, Infinity and -Infinity take the largest and smallest magnitude), 'fro' or null
 *   for 2, or 'nuc' for the sum of the singular values of matrices (default 2)
 * @param dim the dimensions (default null: all)
 * @param keepdim whether to keep them at size one (default false)
 * @param dtype the type to compute in (default: input's)
 * @returns input's shape without `dim`, real
 * @throws RuntimeError for integers or another p; RangeError if a dimension is out of range
 */
export const norm = op(
  'norm(Tensor input, any p=2, int[]? dim=None, bool keepdim=False, ScalarType? dtype=None)',
  (input: Tensor, p: unknown, dim: Dims, keepdim: boolean, dtype: D.DType | null): Tensor => {
    const nuclear = nuclearNorm();
    if (p === 'nuc' && nuclear !== null) return nuclear(dtype === null ? input : cast(input, dtype), dim, keepdim);
    if (p !== 'fro' && p !== null && typeof p !== 'number')
      throw new RuntimeError(`norm(): unsupported order ${inWords(p)}`);
    return vectorNormOf(input, typeof p === 'number' ? p : 2, dim, keepdim, dtype);
  },
);

/**
 * The sum over the dimensions that broadcasting from another shape would add: its opposite, as for gradients.
 * @param input any shape; integers and bool are summed as int64
 * @param size numbers or one array of them, a shape that broadcasts to input's
 * @returns a tensor of `size`; input itself if nothing is summed
 * @throws RuntimeError if the shapes do not fit
 */
export const sumToSize = methodOp(
  'sumToSize(Tensor input, int... size)',
  (input: Tensor, size: readonly number[]): Tensor => {
    const from = input.shape;
    const lead = from.length - size.length;
    if (lead < 0 || size.some((n, d) => n !== 1 && n !== from[lead + d])) {
      throw new RuntimeError(`size {[${size.join(', ')}]} is not expandable to size {[${from.join(', ')}]}.`);
    }
    // Without anything to sum integers keep their type, but a 0-d tensor is summed as a whole.
    const same = lead === 0 && size.length > 0 && size.every((n, d) => n === from[d]);
    return sumTo(same ? input : cast(input, sumType(input, null)), size);
  },
);

declare module '../tensor/tensor.js' {
  interface Tensor {
    /** The largest element: of all; along a dimension, as { values, indices }; or of two tensors elementwise. NaN wins. */
    max(): Tensor;
    max(other: Tensor): Tensor;
    max(dim: number, keepdim?: boolean): ValuesIndices;
    max(options: { dim: number; keepdim?: boolean }): ValuesIndices;
    /** The smallest element: of all; along a dimension, as { values, indices }; or of two tensors elementwise. NaN wins. */
    min(): Tensor;
    min(other: Tensor): Tensor;
    min(dim: number, keepdim?: boolean): ValuesIndices;
    min(options: { dim: number; keepdim?: boolean }): ValuesIndices;
  }
}
