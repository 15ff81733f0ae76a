// Activations of neural networks and their gradients, for what does not fit in a row of pointwise_activation.def.
#pragma once
#include "simd/gelu.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

// s (1 + x (1 - s)) for the sigmoid s.
template <class V>
FLAMBEAU_INLINE V silu_slope(V x) {
  V s = sigmoid(x);
  return s * fma(x, V(1) - s, V(1));
}
#if FLAMBEAU_FUSED
// 1 - s is e^-x s: of an s near one the difference would have few digits, and x makes it large.
FLAMBEAU_INLINE VF32 silu_slope(VF32 x) {
  const VF32 e = logistic_power(x), unit(kGateUnit), one(1), q = one / (e + unit);
  const VF32 s = select(x > VF32(20), one, q * unit), rest = select(x < VF32(-20), one, e * q);
  return s * fma(x, rest, one);
}
#endif
template <class V>
FLAMBEAU_INLINE V silu_backward(V g, V x) {
  return g * conj(silu_slope(x));
}

// tanh(log(1 + e^x)) = w / (w + 2) with w = e^2x + 2 e^x; from 20 on it is 1 to every digit (40 for double).
template <class T>
FLAMBEAU_INLINE Vec<T> tanh_softplus(Vec<T> x) {
  Vec<T> e = exp(min_second(Vec<T>(40), x)), w = e * (e + Vec<T>(2));
  return w / (w + Vec<T>(2));
}
template <class T>
FLAMBEAU_INLINE Vec<T> mish(Vec<T> x) {
  return x * tanh_softplus(x);
}
template <class T>
FLAMBEAU_INLINE Vec<T> mish_backward(Vec<T> g, Vec<T> x) {
  Vec<T> t = tanh_softplus(x), s = sigmoid(x);
  return g * fma(x * s, fma(-t, t, Vec<T>(1)), t);
}

template <class T>
FLAMBEAU_INLINE Vec<T> softplus(Vec<T> x, Vec<T> beta, Vec<T> threshold) {
  Vec<T> z = x * beta;
  return select(z > threshold, x, log1p(exp(z)) / beta);
}
template <class T>
FLAMBEAU_INLINE Vec<T> softplus_backward(Vec<T> g, Vec<T> x, Vec<T> beta, Vec<T> threshold) {
  Vec<T> z = x * beta;
  return select(z > threshold, g, g * sigmoid(z));
}

template <class T>
FLAMBEAU_INLINE Vec<T> softshrink(Vec<T> x, Vec<T> lambda) {
  return select(x > lambda, x - lambda, select(x < -lambda, x + lambda, x * Vec<T>(0)));  // keeps NaN
}

template <class T>
FLAMBEAU_INLINE Vec<T> log_sigmoid(Vec<T> x) {
  return min(x, Vec<T>(0)) - log1p(exp(-abs(x)));
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
