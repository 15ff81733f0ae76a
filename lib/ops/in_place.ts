// In-place methods of ops whose rows have none: the result is computed, then written over the tensor.
import type { DType } from '../core/dtype.js';
import type { Scalar } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { clampMax, clampMin } from './comparison.js';
import { methodOp } from './define.js';
import { addbmm, addmm, addmv, addr, baddbmm } from './matmul.js';
import { cumprod, cumsum } from './scan.js';
import type { TensorOrScalar } from './signature.js';
import { conjPhysical, deg2rad, rad2deg } from './unary.js';
import { overwrite } from './internal/overwrite.js';

/**
 * Elements raised to `min` where they are below it, in place.
 * @param self a real tensor
 * @param min a number, or a tensor that broadcasts to self
 * @returns self
 * @throws RuntimeError if self's type cannot hold the limit, as integers a fraction
 */
export const clampMin_ = methodOp(
  'clampMin_(Tensor self, Tensor|Scalar min)',
  (self: Tensor, min: TensorOrScalar): Tensor => overwrite(self, (x) => clampMin.impl(x, min), min),
);
/**
 * Elements lowered to `max` where they are above it, in place.
 * @param self a real tensor
 * @param max a number, or a tensor that broadcasts to self
 * @returns self
 * @throws RuntimeError if self's type cannot hold the limit, as integers a fraction
 */
export const clampMax_ = methodOp(
  'clampMax_(Tensor self, Tensor|Scalar max)',
  (self: Tensor, max: TensorOrScalar): Tensor => overwrite(self, (x) => clampMax.impl(x, max), max),
);
/** Complex conjugates, elementwise, in place; real tensors stay as they are. Returns the tensor itself. */
export const conjPhysical_ = methodOp(
  'conjPhysical_(Tensor self)',
  (self: Tensor): Tensor => overwrite(self, (x) => conjPhysical.impl(x)),
);
/** Degrees to radians, x pi / 180, elementwise, in place, for floating-point tensors. Returns the tensor itself. */
export const deg2rad_ = methodOp(
  'deg2rad_(Tensor self)',
  (self: Tensor): Tensor => overwrite(self, (x) => deg2rad.impl(x)),
);
/** Radians to degrees, x 180 / pi, elementwise, in place, for floating-point tensors. Returns the tensor itself. */
export const rad2deg_ = methodOp(
  'rad2deg_(Tensor self)',
  (self: Tensor): Tensor => overwrite(self, (x) => rad2deg.impl(x)),
);
/**
 * Running sums along a dimension, in place.
 * @param self what is summed and overwritten
 * @param dim the dimension
 * @param dtype the type to sum in (default: self's own)
 * @returns self
 * @throws RangeError if `dim` is out of range; RuntimeError if self cannot hold results of that type
 */
export const cumsum_ = methodOp(
  'cumsum_(Tensor self, int dim, ScalarType? dtype=None)',
  (self: Tensor, dim: number, dtype: DType | null): Tensor =>
    overwrite(self, (x) => cumsum.impl(x, dim, dtype ?? self.dtype)),
);
/**
 * Running products along a dimension, in place.
 * @param self what is multiplied and overwritten
 * @param dim the dimension
 * @param dtype the type to multiply in (default: self's own)
 * @returns self
 * @throws RangeError if `dim` is out of range; RuntimeError if self cannot hold results of that type
 */
export const cumprod_ = methodOp(
  'cumprod_(Tensor self, int dim, ScalarType? dtype=None)',
  (self: Tensor, dim: number, dtype: DType | null): Tensor =>
    overwrite(self, (x) => cumprod.impl(x, dim, dtype ?? self.dtype)),
);

type Product = (input: Tensor, a: Tensor, b: Tensor, beta: Scalar, alpha: Scalar) => Tensor;
const product =
  (row: { impl: Product }): Product =>
  (self, a, b, beta, alpha) =>
    overwrite(self, (x) => row.impl(x, a, b, beta, alpha), a, b);
/**
 * self = beta self + alpha (mat1 @ mat2), in place.
 * @param self [n, p]
 * @param mat1 [n, m], of self's type
 * @param mat2 [m, p], of self's type
 * @param beta the factor of self (default 1); 0 leaves it out, NaN too
 * @param alpha the factor of the product (default 1)
 * @returns self
 * @throws RuntimeError if shapes or types do not fit
 */
export const addmm_ = methodOp(
  'addmm_(Tensor self, Tensor mat1, Tensor mat2, Scalar beta=1, Scalar alpha=1)',
  product(addmm),
);
/**
 * self = beta self + alpha (mat @ vec), in place.
 * @param self [n]
 * @param mat [n, m]
 * @param vec [m]
 * @param beta the factor of self (default 1); 0 leaves it out, NaN too
 * @param alpha the factor of the product (default 1)
 * @returns self
 * @throws RuntimeError if shapes or types do not fit
 */
export const addmv_ = methodOp(
  'addmv_(Tensor self, Tensor mat, Tensor vec, Scalar beta=1, Scalar alpha=1)',
  product(addmv),
);
/**
 * self = beta self + alpha (outer product of vec1 and vec2), in place.
 * @param self [n, m]
 * @param vec1 [n]
 * @param vec2 [m]
 * @param beta the factor of self (default 1); 0 leaves it out, NaN too
 * @param alpha the factor of the product (default 1)
 * @returns self
 * @throws RuntimeError if shapes or types do not fit
 */
export const addr_ = methodOp(
  'addr_(Tensor self, Tensor vec1, Tensor vec2, Scalar beta=1, Scalar alpha=1)',
  product(addr),
);
/**
 * self = beta self + alpha (sum over b of batch1[b] @ batch2[b]), in place.
 * @param self [n, p]
 * @param batch1 [B, n, m]
 * @param batch2 [B, m, p]
 * @param beta the factor of self (default 1); 0 leaves it out, NaN too
 * @param alpha the factor of the sum (default 1)
 * @returns self
 * @throws RuntimeError if shapes or types do not fit
 */
export const addbmm_ = methodOp(
  'addbmm_(Tensor self, Tensor batch1, Tensor batch2, Scalar beta=1, Scalar alpha=1)',
  product(addbmm),
);
/**
 * self[b] = beta self[b] + alpha (batch1[b] @ batch2[b]), in place.
 * @param self [B, n, p]
 * @param batch1 [B, n, m], of self's type
 * @param batch2 [B, m, p], of self's type
 * @param beta the factor of self (default 1); 0 leaves it out, NaN too
 * @param alpha the factor of the products (default 1)
 * @returns self
 * @throws RuntimeError if shapes or types do not fit
 */
export const baddbmm_ = methodOp(
  'baddbmm_(Tensor self, Tensor batch1, Tensor batch2, Scalar beta=1, Scalar alpha=1)',
  product(baddbmm),
);
