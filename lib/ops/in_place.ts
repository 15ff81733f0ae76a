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

/** The elements not below min, in place. */
export const clampMin_ = methodOp(
  'clampMin_(Tensor self, Tensor|Scalar min)',
  (self: Tensor, min: TensorOrScalar): Tensor => overwrite(self, (x) => clampMin.impl(x, min), min),
);
/** The elements not above max, in place. */
export const clampMax_ = methodOp(
  'clampMax_(Tensor self, Tensor|Scalar max)',
  (self: Tensor, max: TensorOrScalar): Tensor => overwrite(self, (x) => clampMax.impl(x, max), max),
);
/** Complex conjugates, in place. */
export const conjPhysical_ = methodOp(
  'conjPhysical_(Tensor self)',
  (self: Tensor): Tensor => overwrite(self, (x) => conjPhysical.impl(x)),
);
/** Degrees to radians, in place. */
export const deg2rad_ = methodOp(
  'deg2rad_(Tensor self)',
  (self: Tensor): Tensor => overwrite(self, (x) => deg2rad.impl(x)),
);
/** Radians to degrees, in place. */
export const rad2deg_ = methodOp(
  'rad2deg_(Tensor self)',
  (self: Tensor): Tensor => overwrite(self, (x) => rad2deg.impl(x)),
);
/** Running sums along a dimension, in place. */
export const cumsum_ = methodOp(
  'cumsum_(Tensor self, int dim, ScalarType? dtype=None)',
  (self: Tensor, dim: number, dtype: DType | null): Tensor =>
    overwrite(self, (x) => cumsum.impl(x, dim, dtype ?? self.dtype)),
);
/** Running products along a dimension, in place. */
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
/** self = beta self + alpha (mat1 @ mat2). */
export const addmm_ = methodOp(
  'addmm_(Tensor self, Tensor mat1, Tensor mat2, Scalar beta=1, Scalar alpha=1)',
  product(addmm),
);
/** self = beta self + alpha (mat @ vec). */
export const addmv_ = methodOp(
  'addmv_(Tensor self, Tensor mat, Tensor vec, Scalar beta=1, Scalar alpha=1)',
  product(addmv),
);
/** self = beta self + alpha (outer product of vec1 and vec2). */
export const addr_ = methodOp(
  'addr_(Tensor self, Tensor vec1, Tensor vec2, Scalar beta=1, Scalar alpha=1)',
  product(addr),
);
/** self = beta self + alpha (sum of the products of two batches of matrices). */
export const addbmm_ = methodOp(
  'addbmm_(Tensor self, Tensor batch1, Tensor batch2, Scalar beta=1, Scalar alpha=1)',
  product(addbmm),
);
/** self = beta self + alpha (products of two batches of matrices). */
export const baddbmm_ = methodOp(
  'baddbmm_(Tensor self, Tensor batch1, Tensor batch2, Scalar beta=1, Scalar alpha=1)',
  product(baddbmm),
);
