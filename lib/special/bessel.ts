// Bessel functions and Airy's. They have no gradients, as in PyTorch; i0, i1 and their scaled forms have.
import { type Unary, unary } from '../ops/rows.js';

/** The Bessel function of the first kind and order 0, elementwise; integers give the default float type. No gradient. */
export const besselJ0: Unary = unary('besselJ0', null, { native: 'bessel_j0' });
/** The Bessel function of the first kind and order 1, elementwise; integers give the default float type. No gradient. */
export const besselJ1: Unary = unary('besselJ1', null, { native: 'bessel_j1' });
/** The Bessel function of the second kind and order 0, elementwise: -Infinity at 0, NaN below. No gradient. */
export const besselY0: Unary = unary('besselY0', null, { native: 'bessel_y0' });
/** The Bessel function of the second kind and order 1, elementwise: -Infinity at 0, NaN below. No gradient. */
export const besselY1: Unary = unary('besselY1', null, { native: 'bessel_y1' });
/** The modified Bessel function of the first kind and order 0, elementwise. No gradient: `i0` has one. */
export const modifiedBesselI0: Unary = unary('modifiedBesselI0', null, { native: 'i0' });
/** The modified Bessel function of the first kind and order 1, elementwise. No gradient: `i1` has one. */
export const modifiedBesselI1: Unary = unary('modifiedBesselI1', null, { native: 'i1' });
/** The modified Bessel function of the second kind and order 0, elementwise: Infinity at 0, NaN below. No gradient. */
export const modifiedBesselK0: Unary = unary('modifiedBesselK0', null, { native: 'modified_bessel_k0' });
/** The modified Bessel function of the second kind and order 1, elementwise: Infinity at 0, NaN below. No gradient. */
export const modifiedBesselK1: Unary = unary('modifiedBesselK1', null, { native: 'modified_bessel_k1' });
/** modifiedBesselK0(x) exp(x), elementwise, without underflow for large x. No gradient. */
export const scaledModifiedBesselK0: Unary = unary('scaledModifiedBesselK0', null, {
  native: 'scaled_modified_bessel_k0',
});
/** modifiedBesselK1(x) exp(x), elementwise, without underflow for large x. No gradient. */
export const scaledModifiedBesselK1: Unary = unary('scaledModifiedBesselK1', null, {
  native: 'scaled_modified_bessel_k1',
});
/** The spherical Bessel function of the first kind and order 0, elementwise: sin(x) / x, 1 at 0. No gradient. */
export const sphericalBesselJ0: Unary = unary('sphericalBesselJ0', null, { native: 'spherical_bessel_j0' });
/** Airy's function Ai, elementwise; integers give the default float type. No gradient. */
export const airyAi: Unary = unary('airyAi', null, { native: 'airy_ai' });
