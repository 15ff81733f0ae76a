// torch.linalg.
export { cholesky, choleskyEx, ldlFactor, ldlFactorEx, ldlSolve } from './cholesky.js';
export { det, slogdet } from './det.js';
export { eig, eigh, eigvals, eigvalsh } from './eig.js';
export { lu, luFactor, luFactorEx, luSolve } from './lu.js';
export { cond, matrixNorm, norm, vectorNorm } from './norm.js';
export { lstsq, matrixRank, pinv } from './pinv.js';
export { cross, diagonal, matmul, matrixExp, matrixPower, multiDot, vander, vecdot } from './products.js';
export { householderProduct, qr } from './qr.js';
export { inv, invEx, solve, solveEx, tensorinv, tensorsolve } from './solve.js';
export { svd, svdvals } from './svd.js';
export { solveTriangular } from './triangular.js';
