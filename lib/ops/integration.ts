// Differences, numerical derivatives and integrals along a dimension.
import { bool, uint8 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { Tensor, wrapDim } from '../tensor/tensor.js';
import { add, div, mul, sub } from './arithmetic.js';
import { logicalXor } from './comparison.js';
import { fnOp, op } from './define.js';
import { cat } from './join.js';
import { sum } from './reduce.js';
import { cumsum } from './scan.js';
import type { TensorOrScalar } from './signature.js';
import { narrow } from './view.js';
import { reshaped } from './internal/view.js';

/** `input` joined with `prepend` and `append`, whose other sizes must be its own. */
function padded(input: Tensor, prepend: Tensor | null, append: Tensor | null, dim: number): Tensor {
  for (const t of [prepend, append]) {
    if (t === null) continue;
    if (t.ndim !== input.ndim)
      throw new RuntimeError('diff expects prepend or append to be the same dimension as input');
    t.shape.forEach((n, d) => {
      if (d !== dim && n !== input.shape[d]) {
        throw new RuntimeError(
          `diff expects the shape of tensor to prepend or append to match that of input except along the differencing dimension; input.size(${d}) = ${input.shape[d]}, but got tensor.size(${d}) = ${n}`,
        );
      }
    });
  }
  if (prepend === null && append === null) return input;
  return cat.impl(
    [prepend, input, append].filter((t) => t !== null),
    dim,
  );
}

/**
 * The n-th differences along a dimension: out[i] = input[i + 1] - input[i], n times; for bools whether they differ.
 * @param input at least one dimension
 * @param n how often, at least 0 (default 1)
 * @param dim the dimension (default -1)
 * @param prepend values to join before along `dim` first (default null)
 * @param append values to join behind along `dim` first (default null)
 * @returns input's shape with n places fewer in `dim`, at least none
 * @throws RuntimeError if n is negative, input has no dimensions, or what is joined has other sizes
 * @throws RangeError if `dim` is out of range
 */
export const diff = op(
  'diff(Tensor input, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None)',
  (input: Tensor, n: number, dim: number, prepend: Tensor | null, append: Tensor | null): Tensor => {
    if (input.ndim === 0) throw new RuntimeError('diff expects input to be at least one-dimensional');
    if (n < 0) throw new RuntimeError(`order must be non-negative but got ${n}`);
    const d = wrapDim(dim, input.ndim);
    let y = padded(input, prepend, append, d);
    if (n === 0) return input.clone();
    for (let k = Math.min(n, y.shape[d]!); k > 0; k--) {
      const count = y.shape[d]! - 1;
      const [later, earlier] = [narrow.impl(y, d, 1, count), narrow.impl(y, d, 0, count)];
      y = y.dtype === bool ? logicalXor.impl(later, earlier) : sub.impl(later, earlier, 1);
    }
    return y;
  },
);

function gradientDims(input: Tensor, dim: readonly number[] | null): number[] {
  if (dim === null) return input.shape.map((_, d) => d);
  const dims = dim.map((d) => wrapDim(d, input.ndim));
  dims.forEach((d, i) => {
    if (dims.indexOf(d) !== i) throw new RuntimeError(`dim ${d} appears multiple times in the list of dims`);
  });
  return dims;
}

/** One distance, or the tensor of coordinates, for every dimension. */
function spacings(input: Tensor, spacing: unknown, dims: readonly number[], dimGiven: boolean): (number | Tensor)[] {
  const toSpacing = (v: unknown): number | Tensor => {
    if (v instanceof Tensor) return v.ndim === 0 ? Number(v.item()) : v;
    if (typeof v !== 'number')
      throw new TypeError("gradient(): argument 'spacing' must be a number, or a list of numbers or tensors");
    return v;
  };
  if (spacing === null) return dims.map(() => 1);
  if (!Array.isArray(spacing)) {
    const one = toSpacing(spacing);
    if (one instanceof Tensor && dims.length !== 1) {
      throw new RuntimeError(
        `torch.gradient expected spacing to be unspecified, a scalar or a list of length ${dims.length}, but got a tensor`,
      );
    }
    return dims.map(() => one);
  }
  if (spacing.length !== dims.length) {
    throw new RuntimeError(
      dimGiven
        ? `torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the same length, but got a spacing argument of length ${spacing.length} and a dim argument of length ${dims.length}.`
        : `torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = ${input.ndim}', since dim argument was not given, but got a list of length ${spacing.length}`,
    );
  }
  return spacing.map((v) => {
    if (v instanceof Tensor && v.ndim > 1) {
      throw new RuntimeError(
        `torch.gradient expected each element of spacing to have one dimension, but got an element with ${v.ndim} dimensions!`,
      );
    }
    return toSpacing(v);
  });
}

/** The weighted sum of neighbours: terms are [first place, weight], `count` places each. */
function stencil(f: Tensor, d: number, count: number, terms: readonly [number, TensorOrScalar][]): Tensor {
  return terms
    .map(([start, weight]) => mul.impl(narrow.impl(f, d, start, count), weight))
    .reduce((a, b) => add.impl(a, b, 1));
}

/** Central differences inside; at both ends one-sided ones of order `edgeOrder`, for points at distance h. */
function evenGradient(f: Tensor, d: number, h: number, edgeOrder: number): Tensor {
  const n = f.shape[d]!;
  const inside = stencil(f, d, n - 2, [
    [2, 0.5 / h],
    [0, -0.5 / h],
  ]);
  const edges =
    edgeOrder === 1
      ? [
          stencil(f, d, 1, [
            [1, 1 / h],
            [0, -1 / h],
          ]),
          stencil(f, d, 1, [
            [n - 1, 1 / h],
            [n - 2, -1 / h],
          ]),
        ]
      : [
          stencil(f, d, 1, [
            [0, -1.5 / h],
            [1, 2 / h],
            [2, -0.5 / h],
          ]),
          stencil(f, d, 1, [
            [n - 1, 1.5 / h],
            [n - 2, -2 / h],
            [n - 3, 0.5 / h],
          ]),
        ];
  return cat.impl([edges[0]!, inside, edges[1]!], d);
}

/** The same for points at the given coordinates: derivatives of the parabola through three neighbours. */
function unevenGradient(f: Tensor, d: number, coordinates: Tensor, edgeOrder: number): Tensor {
  const n = f.shape[d]!;
  const shape = f.shape.map((_, k) => (k === d ? -1 : 1));
  const steps = reshaped(diff.impl(coordinates, 1, -1, null, null), shape);
  const at = (start: number, count: number): Tensor => narrow.impl(steps, d, start, count);
  const [a, b] = [at(0, n - 2), at(1, n - 2)];
  const inside = stencil(f, d, n - 2, [
    [0, div.impl(b.neg(), mul.impl(a, a.add(b)), null)],
    [1, div.impl(b.sub(a), mul.impl(a, b), null)],
    [2, div.impl(a, mul.impl(b, a.add(b)), null)],
  ]);
  if (edgeOrder === 1) {
    const slope = (i: number): Tensor =>
      div.impl(sub.impl(narrow.impl(f, d, i + 1, 1), narrow.impl(f, d, i, 1), 1), at(i, 1), null);
    return cat.impl([slope(0), inside, slope(n - 2)], d);
  }
  const edge = (start: number, near: Tensor, far: Tensor, sign: 1 | -1): Tensor => {
    const both = near.add(far);
    const weights = [
      div.impl(near.mul(2).add(far).mul(-sign), mul.impl(near, both), null),
      div.impl(both.mul(sign), mul.impl(near, far), null),
      div.impl(near.mul(-sign), mul.impl(far, both), null),
    ];
    return stencil(
      f,
      d,
      1,
      weights.map((w, k) => [start + sign * k, w]),
    );
  };
  return cat.impl([edge(0, at(0, 1), at(1, 1), 1), inside, edge(n - 1, at(n - 2, 1), at(n - 3, 1), -1)], d);
}

/**
 * The numerical derivatives of a function given at the points of a grid: central differences inside, one-sided at the ends.
 * @param input the values, at least edgeOrder + 1 in each dimension
 * @param spacing the distance of the points for all dimensions, or a list with a distance or a vector of coordinates for each
 *   (default null: 1)
 * @param dim which dimensions (default null: all)
 * @param edgeOrder the order of the differences at the ends, 1 or 2 (default 1)
 * @returns an array with a tensor of input's shape for each dimension; integers give the default float type
 * @throws RuntimeError for another order, too few points, uint8, or spacings that do not fit the dimensions
 * @throws RangeError if a dimension is out of range; TypeError for a spacing that is neither number nor tensor
 */
export const gradient = fnOp(
  'gradient(Tensor input, any spacing=None, int[]? dim=None, int edgeOrder=1)',
  (input: Tensor, spacing: unknown, dim: readonly number[] | null, edgeOrder: number): Tensor[] => {
    if (edgeOrder !== 1 && edgeOrder !== 2)
      throw new RuntimeError('torch.gradient only supports edge_order=1 and edge_order=2.');
    if (input.dtype === uint8) throw new RuntimeError('torch.gradient does not support uint8 input.');
    const dims = gradientDims(input, dim);
    const given = spacings(input, spacing, dims, dim !== null);
    for (const d of dims) {
      if (input.shape[d]! <= edgeOrder)
        throw new RuntimeError('torch.gradient expected each dimension size to be at least edge_order+1');
    }
    return dims.map((d, i) => {
      const h = given[i]!;
      return h instanceof Tensor ? unevenGradient(input, d, h, edgeOrder) : evenGradient(input, d, h, edgeOrder);
    });
  },
);

/** The areas of the trapezoids between neighbouring points. */
function trapezoids(name: string, y: Tensor, x: Tensor | null, dx: number, dim: number): Tensor | null {
  if (y.ndim === 0) throw new RangeError(`Dimension specified as ${dim} but tensor has no dimensions`);
  if (y.dtype === bool || x?.dtype === bool) {
    const which = y.dtype === bool ? 'y' : 'x';
    throw new RuntimeError(`${name}: received a bool input for \`${which}\`, but bool is not supported`);
  }
  const d = wrapDim(dim, y.ndim);
  const n = y.shape[d]!;
  if (x !== null && x.ndim === 1 && x.shape[0] !== n) {
    throw new RuntimeError(`${name}: There must be one \`x\` value for each sample point`);
  }
  if (n < 2) return null;
  const sums = add.impl(narrow.impl(y, d, 1, n - 1), narrow.impl(y, d, 0, n - 1), 1);
  if (x === null) return mul.impl(sums, dx / 2);
  const shape =
    x.ndim === 1
      ? y.shape.map((_, k) => (k === d ? n : 1))
      : [...new Array<number>(Math.max(0, y.ndim - x.ndim)).fill(1), ...x.shape];
  return div.impl(mul.impl(sums, diff.impl(reshaped(x, shape), 1, d - y.ndim, null, null)), 2, null);
}
/** The sizes without, or with an empty, dimension `dim`. */
function integralOfNothing(y: Tensor, dim: number, keep: boolean): Tensor {
  const d = wrapDim(dim, y.ndim);
  const shape = keep ? y.shape.map((n, k) => (k === d ? 0 : n)) : y.shape.filter((_, k) => k !== d);
  return div.impl(y.newZeros(shape), 1, null);
}

/**
 * The integral of y along a dimension by the trapezoidal rule: the sum of (x[i + 1] - x[i]) (y[i] + y[i + 1]) / 2.
 * @param y at least one dimension
 * @param x the points, [n] or sizes that broadcast with y's (default null: `dx` apart)
 * @param dx the distance of the points where `x` is not given (default 1)
 * @param dim the dimension (default -1)
 * @returns y's shape without `dim`; integers give the default float type
 * @throws RuntimeError for bools or another number of points; RangeError if `dim` is out of range
 */
export const trapezoid = fnOp(
  'trapezoid(Tensor y, Tensor? x=None, float dx=1, int dim=-1)',
  (y: Tensor, x: Tensor | null, dx: number, dim: number): Tensor => {
    const areas = trapezoids('trapezoid', y, x, dx, dim);
    return areas === null
      ? integralOfNothing(y, dim, false)
      : sum.impl(areas, [wrapDim(dim, y.ndim) - y.ndim], false, null);
  },
);
export { trapezoid as trapz };
/**
 * The running integral of y along a dimension by the trapezoidal rule, from the first point to each of the others.
 * @param y at least one dimension
 * @param x the points, [n] or sizes that broadcast with y's (default null: `dx` apart)
 * @param dx the distance of the points where `x` is not given (default 1)
 * @param dim the dimension (default -1)
 * @returns y's shape with one place fewer in `dim`; integers give the default float type
 * @throws RuntimeError for bools or another number of points; RangeError if `dim` is out of range
 */
export const cumulativeTrapezoid = fnOp(
  'cumulativeTrapezoid(Tensor y, Tensor? x=None, float dx=1, int dim=-1)',
  (y: Tensor, x: Tensor | null, dx: number, dim: number): Tensor => {
    const areas = trapezoids('cumulative_trapezoid', y, x, dx, dim);
    return areas === null ? integralOfNothing(y, dim, true) : cumsum.impl(areas, wrapDim(dim, y.ndim) - y.ndim, null);
  },
);
