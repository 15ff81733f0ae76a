// Matrix products.
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invoke2, type Scalar } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, mul } from './arithmetic.js';
import { resultType } from './convert.js';
import { zerosLike } from './creation.js';
import { fnOp, op } from './define.js';
import { sum } from './reduce.js';
import { conj } from './unary.js';
import { expand, transpose } from './view.js';
import { cast } from './internal/cast.js';
import { checkFactor, realFactor } from './internal/factors.js';
import { reshaped, t2 } from './internal/view.js';
import { bestChain } from './internal/chain.js';

const MATMUL = nativeOp('matmul');
const ADDMM = nativeOp('addmm');
const LINEAR = nativeOp('linear');

/** The conjugate transpose of the last two dimensions: no copy for real tensors. */
function turned(x: Tensor): Tensor {
  return conj(x.ndim === 2 ? t2(x) : transpose(x, -2, -1));
}

/** Product of two tensors of at least two dimensions, batches broadcast. */
function product(node: string, a: Tensor, b: Tensor): Tensor {
  const y = invoke2(MATMUL, a, b);
  if (needsGrad(a, b)) {
    record(node, y, [a, b], [needsGrad(b) ? a : null, needsGrad(a) ? b : null], (g, [x, z], needs) => [
      needs[0] ? product(node, g, turned(z!)) : null,
      needs[1] ? product(node, turned(x!), g) : null,
    ]);
  }
  return y;
}

/**
 * The matrix product over the last dimension of `input` and the last but one of `other`. A vector counts as a row on the
 * left and as a column on the right, and the result does not have that dimension; leading dimensions broadcast.
 * @param input [.., n, m] or [m]
 * @param other [.., m, p] or [m], of the same type
 * @returns [.., n, p], [.., n] or [.., p], or a 0-d tensor of two vectors
 * @throws RuntimeError if the sizes do not fit, the types differ or a tensor is 0-d
 */
export const matmul = op('matmul(Tensor input, Tensor other)', (input: Tensor, other: Tensor): Tensor => {
  const m = input.ndim;
  const n = other.ndim;
  if (m === 0 || n === 0) {
    throw new RuntimeError(`both arguments to matmul need to be at least 1D, but they are ${m}D and ${n}D`);
  }
  if (m === 2 && n === 2) return product('MmBackward0', input, other);
  if (m === 1 && n === 1) return dot(input, other);
  if (m === 1 && n === 2) return rowProduct(input, other);
  if (m === 2 && n === 1) return mv(input, other);
  if (m === 1) return product('SqueezeBackward4', input.unsqueeze(0), other).squeeze(-2);
  if (n === 1) return product('UnsafeViewBackward0', input, other.unsqueeze(-1)).squeeze(-1);
  return m > 2 && n === 2 ? foldedProduct(input, other) : product('BmmBackward0', input, other);
});
/** [.., m, k] @ [k, n] as one product of all rows. */
function foldedProduct(a: Tensor, b: Tensor): Tensor {
  const shape = a.shape;
  const rows = product(
    'MmBackward0',
    reshaped(
      a,
      [-1, shape[shape.length - 1]!].map((v, i) => (i === 0 && a.numel() === 0 ? countRows(shape) : v)),
    ),
    b,
  );
  return reshaped(rows, [...shape.slice(0, -1), b.shape[1]!]);
}
function countRows(shape: readonly number[]): number {
  return shape.slice(0, -1).reduce((p, q) => p * q, 1);
}

/** x: [k] @ w: [k, n]; gx = w g, gw = x g^T. */
function rowProduct(x: Tensor, w: Tensor): Tensor {
  const y = invoke2(MATMUL, x, w);
  if (needsGrad(x, w)) {
    record('SqueezeBackward4', y, [x, w], [needsGrad(w) ? x : null, needsGrad(x) ? w : null], (g, [x0, w0], needs) => [
      needs[0] ? columnProduct(conj(w0!), g) : null,
      needs[1] ? product('MmBackward0', conj(x0!).unsqueeze(1), g.unsqueeze(0)) : null,
    ]);
  }
  return y;
}
/** w: [m, k] @ x: [k]; gw = g x^T, gx = w^T g. */
function columnProduct(w: Tensor, x: Tensor): Tensor {
  const y = invoke2(MATMUL, w, x);
  if (needsGrad(w, x)) {
    record('MvBackward0', y, [w, x], [needsGrad(x) ? w : null, needsGrad(w) ? x : null], (g, [w0, x0], needs) => [
      needs[0] ? product('MmBackward0', g.unsqueeze(1), conj(x0!).unsqueeze(0)) : null,
      needs[1] ? rowProduct(g, conj(w0!)) : null,
    ]);
  }
  return y;
}

function needVector(name: string, what: string, x: Tensor): void {
  if (x.ndim !== 1) throw new RuntimeError(`${name}: Expected 1-D argument ${what}, but got ${x.ndim}-D`);
}
/**
 * The product of two matrices.
 * @param input [n, m]
 * @param mat2 [m, p], of the same type
 * @returns [n, p]
 * @throws RuntimeError if one is no matrix, the sizes do not fit or the types differ
 */
export const mm = op('mm(Tensor input, Tensor mat2)', (input: Tensor, mat2: Tensor): Tensor => {
  if (input.ndim !== 2) throw new RuntimeError('self must be a matrix');
  if (mat2.ndim !== 2) throw new RuntimeError('mat2 must be a matrix');
  return product('MmBackward0', input, mat2);
});
/**
 * The products of two batches of matrices: out[b] = input[b] @ mat2[b]; nothing broadcasts.
 * @param input [B, n, m]
 * @param mat2 [B, m, p], of the same type
 * @returns [B, n, p]
 * @throws RuntimeError if one has not three dimensions, the sizes do not fit or the types differ
 */
export const bmm = op('bmm(Tensor input, Tensor mat2)', (input: Tensor, mat2: Tensor): Tensor => {
  if (input.ndim !== 3) throw new RuntimeError('batch1 must be a 3D tensor');
  if (mat2.ndim !== 3) throw new RuntimeError('batch2 must be a 3D tensor');
  if (input.shape[0] !== mat2.shape[0] || input.shape[2] !== mat2.shape[1]) {
    throw new RuntimeError(
      `Expected size for first two dimensions of batch2 tensor to be: [${input.shape[0]}, ${input.shape[2]}] but got: [${mat2.shape[0]}, ${mat2.shape[1]}].`,
    );
  }
  return product('BmmBackward0', input, mat2);
});
/**
 * A matrix times a vector.
 * @param input [n, m]
 * @param vec [m], of the same type
 * @returns [n]
 * @throws RuntimeError for other numbers of dimensions, sizes that do not fit or types that differ
 */
export const mv = op('mv(Tensor input, Tensor vec)', (input: Tensor, vec: Tensor): Tensor => {
  if (input.ndim !== 2 || vec.ndim !== 1)
    throw new RuntimeError(`vector + matrix @ vector expected, got 1, ${input.ndim}, ${vec.ndim}`);
  if (input.shape[1] !== vec.shape[0]) {
    throw new RuntimeError(
      `size mismatch, got input (${input.shape[0]}), mat (${input.shape.join('x')}), vec (${vec.shape[0]})`,
    );
  }
  return columnProduct(input, vec);
});
/**
 * The sum of the products of two vectors; complex ones are not conjugated.
 * @param input [n]
 * @param tensor [n], of the same type
 * @returns a 0-d tensor
 * @throws RuntimeError if one is no vector, or lengths or types differ
 */
export const dot = op('dot(Tensor input, Tensor tensor)', (input: Tensor, other: Tensor): Tensor => {
  if (input.ndim !== 1 || other.ndim !== 1) {
    throw new RuntimeError(`1D tensors expected, but got ${input.ndim}D and ${other.ndim}D tensors`);
  }
  if (input.dtype !== other.dtype) {
    throw new RuntimeError(
      `dot : expected both vectors to have same dtype, but found ${input.dtype.scalarName} and ${other.dtype.scalarName}`,
    );
  }
  if (input.shape[0] !== other.shape[0]) {
    throw new RuntimeError(
      `inconsistent tensor size, expected tensor [${input.shape[0]}] and src [${other.shape[0]}] to have the same number of elements, but got ${input.shape[0]} and ${other.shape[0]} elements respectively`,
    );
  }
  const y = invoke2(MATMUL, input, other);
  if (needsGrad(input, other)) {
    record('DotBackward0', y, [input, other], [input, other], (g, [a, b], needs) => [
      needs[0] ? mul(g, conj(b)) : null,
      needs[1] ? mul(g, conj(a)) : null,
    ]);
  }
  return y;
});
/**
 * The sum of the products of two vectors, the first one conjugated.
 * @param input [n]
 * @param other [n], of the same type
 * @returns a 0-d tensor
 * @throws RuntimeError if one is no vector, or lengths or types differ
 */
export const vdot = op(
  'vdot(Tensor input, Tensor other)',
  (input: Tensor, other: Tensor): Tensor => dot(conj(input), other),
);
/**
 * Sums of products over the last dimensions, for all combinations of the others; with a 0-d tensor the product.
 * @param input [.., k]
 * @param other [.., k], of the same type
 * @returns input's other sizes, followed by those of `other`
 * @throws RuntimeError if the last sizes differ
 */
export const inner = op('inner(Tensor input, Tensor other)', (input: Tensor, other: Tensor): Tensor => {
  if (input.ndim === 0 || other.ndim === 0) return mul(input, other);
  const k = input.shape[input.ndim - 1];
  if (k !== other.shape[other.ndim - 1]) {
    throw new RuntimeError(
      `inner() the last dimension must match on both input tensors but got shapes [${input.shape.join(', ')}] and [${other.shape.join(', ')}]`,
    );
  }
  const y = product(
    'MmBackward0',
    reshaped(input, [countRows(input.shape), k!]),
    t2(reshaped(other, [countRows(other.shape), k!])),
  );
  return reshaped(y, [...input.shape.slice(0, -1), ...other.shape.slice(0, -1)]);
});
/**
 * The products of all pairs of elements of two vectors: out[i, j] = input[i] vec2[j].
 * @param input [n]
 * @param vec2 [m]
 * @returns [n, m] in the promoted type
 * @throws RuntimeError if one is no vector
 */
export const outer = op('outer(Tensor input, Tensor vec2)', (input: Tensor, vec2: Tensor): Tensor => {
  needVector('outer', 'self', input);
  needVector('outer', 'vec2', vec2);
  return mul(input.unsqueeze(1), vec2);
});
export { outer as ger };

/** beta * input + alpha * mat1 @ mat2, with everything that needs a gradient recorded. */
function addProduct(node: string, input: Tensor, a: Tensor, b: Tensor, beta: Scalar, alpha: Scalar): Tensor {
  const y = invoke(ADDMM, input, a, b, beta, alpha);
  if (needsGrad(input, a, b)) {
    record(node, y, [input, a, b], [needsGrad(b) ? a : null, needsGrad(a) ? b : null], (g, [x, z], needs) => [
      needs[0] ? scaled(g, beta) : null,
      needs[1] ? scaled(product(node, g, turned(z!)), alpha) : null,
      needs[2] ? scaled(product(node, turned(x!), g), alpha) : null,
    ]);
  }
  return y;
}
function scaled(g: Tensor, factor: Scalar): Tensor {
  return factor === 1 ? g : mul(g, typeof factor === 'object' ? { re: factor.re, im: -factor.im } : factor);
}
/**
 * beta * input + alpha * (mat1 @ mat2).
 * @param input broadcasts to [n, p], of the matrices' type
 * @param mat1 [n, m]
 * @param mat2 [m, p]
 * @param beta the factor of input (default 1); 0 leaves it out, NaN too
 * @param alpha the factor of the product (default 1); for integers both are cut to whole numbers
 * @returns [n, p]
 * @throws RuntimeError if shapes or types do not fit
 */
export const addmm = op(
  'addmm(Tensor input, Tensor mat1, Tensor mat2, Scalar beta=1, Scalar alpha=1)',
  (input: Tensor, mat1: Tensor, mat2: Tensor, beta: Scalar, alpha: Scalar): Tensor => {
    if (mat1.ndim !== 2 || mat2.ndim !== 2) throw new RuntimeError(`mat1 must be a matrix, got ${mat1.ndim}-D tensor`);
    return addProduct('AddmmBackward0', input, mat1, mat2, beta, alpha);
  },
);
/**
 * beta * input + alpha * (batch1 @ batch2), matrix by matrix.
 * @param input broadcasts to [B, n, p], of the matrices' type
 * @param batch1 [B, n, m]
 * @param batch2 [B, m, p]
 * @param beta the factor of input (default 1); 0 leaves it out, NaN too
 * @param alpha the factor of the products (default 1)
 * @returns [B, n, p]
 * @throws RuntimeError if shapes or types do not fit
 */
export const baddbmm = op(
  'baddbmm(Tensor input, Tensor batch1, Tensor batch2, Scalar beta=1, Scalar alpha=1)',
  (input: Tensor, batch1: Tensor, batch2: Tensor, beta: Scalar, alpha: Scalar): Tensor => {
    if (batch1.ndim !== 3 || batch2.ndim !== 3) throw new RuntimeError('batch1 must be a 3D tensor');
    return addProduct('BaddbmmBackward0', input, batch1, batch2, beta, alpha);
  },
);
/**
 * beta * input + alpha * (the sum over b of batch1[b] @ batch2[b]).
 * @param input broadcasts to [n, p], of the matrices' type
 * @param batch1 [B, n, m]
 * @param batch2 [B, m, p]
 * @param beta the factor of input (default 1); 0 leaves it out, NaN too
 * @param alpha the factor of the sum (default 1)
 * @returns [n, p]
 * @throws RuntimeError if shapes or types do not fit
 */
export const addbmm = op(
  'addbmm(Tensor input, Tensor batch1, Tensor batch2, Scalar beta=1, Scalar alpha=1)',
  (input: Tensor, batch1: Tensor, batch2: Tensor, beta: Scalar, alpha: Scalar): Tensor => {
    const [self, a, b] = [input.dtype.scalarName, batch1.dtype.scalarName, batch2.dtype.scalarName];
    if (self !== b) throw new RuntimeError(`self and mat2 must have the same dtype, but got ${self} and ${b}`);
    if (a !== b) throw new RuntimeError(`mat1 and mat2 must have the same dtype, but got ${a} and ${b}`);
    const total = sum(bmm(batch1, batch2), [0], false, batch1.dtype);
    return add(scaledBy(expand(input, total.shape), beta), scaledBy(total, alpha));
  },
);
/** factor * x; for integers the factor is cut to one, and a factor of zero gives zeros even where x is not finite. */
function scaledBy(x: Tensor, factor: Scalar): Tensor {
  if (factor === 1) return x;
  const whole = !x.dtype.isFloatingPoint && !x.dtype.isComplex;
  const real = realFactor(factor, x.dtype);
  const f = whole && typeof real === 'number' ? Math.trunc(real) : real;
  return f === 0 ? zerosLike(x) : mul(x, f);
}
/**
 * beta * input + alpha * (mat @ vec).
 * @param input [n], or one element; of the type of mat and vec
 * @param mat [n, m]
 * @param vec [m]
 * @param beta the factor of input (default 1); 0 leaves it out, NaN too
 * @param alpha the factor of the product (default 1)
 * @returns [n]
 * @throws RuntimeError if shapes or types do not fit
 */
export const addmv = op(
  'addmv(Tensor input, Tensor mat, Tensor vec, Scalar beta=1, Scalar alpha=1)',
  (input: Tensor, mat: Tensor, vec: Tensor, beta: Scalar, alpha: Scalar): Tensor => {
    if (input.ndim > 1 || mat.ndim !== 2 || vec.ndim !== 1)
      throw new RuntimeError(`vector + matrix @ vector expected, got ${input.ndim}, ${mat.ndim}, ${vec.ndim}`);
    const [n, m] = mat.shape as [number, number];
    if (m !== vec.shape[0] || (n !== input.numel() && input.numel() !== 1)) {
      throw new RuntimeError(
        `size mismatch, got input (${input.shape[0] ?? 1}), mat (${n}x${m}), vec (${vec.shape[0]})`,
      );
    }
    if (input.dtype !== mat.dtype || mat.dtype !== vec.dtype) {
      const [self, a, b] = [input, mat, vec].map((x) => x.dtype.scalarName);
      throw new RuntimeError(`addmv input tensors must have the same dtype, but got ${self}, ${a}, and ${b}`);
    }
    return add(scaledBy(input, beta), scaledBy(mv(mat, vec), alpha));
  },
);
/**
 * beta * input + alpha * outer(vec1, vec2).
 * @param input broadcasts to [n, m]
 * @param vec1 [n]
 * @param vec2 [m]
 * @param beta the factor of input (default 1); 0 leaves it out, NaN too
 * @param alpha the factor of the outer product (default 1)
 * @returns [n, m] in the promoted type
 * @throws RuntimeError if the vectors are none, the shapes do not fit, or a factor is a fraction where the result holds integers
 */
export const addr = op(
  'addr(Tensor input, Tensor vec1, Tensor vec2, Scalar beta=1, Scalar alpha=1)',
  (input: Tensor, vec1: Tensor, vec2: Tensor, beta: Scalar, alpha: Scalar): Tensor => {
    const product = outer(vec1, vec2);
    const type = resultType(input, product);
    checkFactor('beta', beta, type);
    checkFactor('alpha', alpha, type);
    return cast(
      add(scaledBy(expand(cast(input, type), product.shape), beta), scaledBy(cast(product, type), alpha)),
      type,
    );
  },
);
/**
 * The product of a chain of matrices, in the order that needs the fewest multiplications.
 * @param matrices at least one, each with as many rows as the one before has columns
 * @returns [rows of the first, columns of the last]; of one matrix itself
 * @throws RuntimeError if there are none, one is no matrix or the sizes do not fit
 */
export const chainMatmul = fnOp('chainMatmul(Tensor[] matrices)', (matrices: readonly Tensor[]): Tensor => {
  if (matrices.length === 0) throw new RuntimeError('chain_matmul(): Expected one or more matrices');
  const flat = matrices.find((m) => m.ndim !== 2);
  if (flat !== undefined)
    throw new RuntimeError(
      `chain_matmul(): Expected 2-dimensional tensors, but got a tensor with ${flat.ndim} dimensions`,
    );
  return bestChain(matrices);
});
/**
 * input @ weight^T + bias over the last dimension.
 * @param input [.., in]
 * @param weight [out, in], or [in] for one output without a dimension of its own; of input's type
 * @param bias [out], or [] with such a weight (default null: none)
 * @returns [.., out], or [..]
 * @throws RuntimeError if sizes or types do not fit
 */
export const linear = fnOp(
  'linear(Tensor input, Tensor weight, Tensor? bias=None)',
  (input: Tensor, weight: Tensor, bias: Tensor | null): Tensor => {
    if (weight.ndim === 1) {
      const y = matmul(input, weight);
      return bias === null ? y : add(y, bias);
    }
    const y = invoke(LINEAR, input, weight, bias);
    if (needsGrad(input, weight, bias)) {
      const saved = [needsGrad(weight) ? input : null, needsGrad(input) ? weight : null];
      record('AddmmBackward0', y, [input, weight, bias], saved, linearBackward);
    }
    return y;
  },
);
/** gx = g conj(w), gw = g^T conj(x), gb = sums of g over all rows. */
function linearBackward(g: Tensor, saved: readonly (Tensor | null)[], needs: readonly boolean[]): (Tensor | null)[] {
  const [x, w] = saved;
  const rows = g.ndim === 2 ? g : reshaped(g, [countRows(g.shape), g.shape[g.ndim - 1]!]);
  let gx: Tensor | null = null;
  if (needs[0]) {
    gx = product('MmBackward0', rows, conj(w!));
    if (g.ndim !== 2) gx = reshaped(gx, [...g.shape.slice(0, -1), w!.shape[1]!]);
  }
  const flat = needs[1] ? (x!.ndim === 2 ? x! : reshaped(x!, [countRows(x!.shape), x!.shape[x!.ndim - 1]!])) : null;
  return [gx, flat === null ? null : product('MmBackward0', t2(rows), conj(flat)), needs[2] ? sum(rows, [0]) : null];
}
