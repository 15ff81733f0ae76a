// Bessel functions and Airy's. They have no gradients, as in PyTorch; i0, i1 and their scaled forms have.
import { type Unary, unary } from '../ops/rows.js';

/** The Bessel function of the first kind and order 0. */
export const besselJ0: Unary = unary('besselJ0', null, { native: 'bessel_j0' });
/** Of order 1. */
export const besselJ1: Unary = unary('besselJ1', null, { native: 'bessel_j1' });
/** The Bessel function of the second kind and order 0; NaN for negative numbers. */
export const besselY0: Unary = unary('besselY0', null, { native: 'bessel_y0' });
/** Of order 1. */
export const besselY1: Unary = unary('besselY1', null, { native: 'bessel_y1' });
/** The modified Bessel function of the first kind and order 0. */
export const modifiedBesselI0: Unary = unary('modifiedBesselI0', null, { native: 'i0' });
/** Of order 1. */
export const modifiedBesselI1: Unary = unary('modifiedBesselI1', null, { native: 'i1' });
/** The modified Bessel function of the second kind and order 0; NaN for negative numbers. */
export const modifiedBesselK0: Unary = unary('modifiedBesselK0', null, { native: 'modified_bessel_k0' });
/** Of order 1. */
export const modifiedBesselK1: Unary = unary('modifiedBesselK1', null, { native: 'modified_bessel_k1' });
/** modifiedBesselK0(x) exp(x). */
export const scaledModifiedBesselK0: Unary = unary('scaledModifiedBesselK0', null, {
  native: 'scaled_modified_bessel_k0',
});
/** modifiedBesselK1(x) exp(x). */
export const scaledModifiedBesselK1: Unary = unary('scaledModifiedBesselK1', null, {
  native: 'scaled_modified_bessel_k1',
});
/** The spherical Bessel function of the first kind and order 0: sin(x) / x. */
export const sphericalBesselJ0: Unary = unary('sphericalBesselJ0', null, { native: 'spherical_bessel_j0' });
/** Airy's function Ai. */
export const airyAi: Unary = unary('airyAi', null, { native: 'airy_ai' });
