// Powers and the functions of two operands around the logarithm.
#pragma once
#include "simd/arith.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

// |x|^y = 2^(y log2 |x|), the product in double lanes with digits to spare; sign and special cases follow C's pow.
FLAMBEAU_INLINE VF64 pow_wide(VF64 x, VF64 y) {
  VF64 a = abs(x), zero(0), one(1), half(0.5), inf(kInf);
  VF64 r = exp_graded<float>(y * log_wide(a));
  VF64 h = y * half;
  Mask<double> whole = floor(y) == y, odd = whole & (floor(h) != h);
  r = select(odd, flip_sign(r, x), r);
  r = select((x < zero) & (a < inf) & !whole, VF64(kNaN), r);
  r = select((a == one) & (abs(y) == inf), one, r);
  return select((y == zero) | (x == one), one, r);
}
FLAMBEAU_INLINE VF32 pow(VF32 x, VF32 y) {
  return in_double(
      x, y, [](VF64 a, VF64 b) __attribute__((always_inline)) { return pow_wide(a, b); });
}
FLAMBEAU_INLINE VF64 pow(VF64 x, VF64 y) {
  return map(x, y, [](double a, double b) { return __builtin_pow(a, b); });
}

FLAMBEAU_INLINE VF32 hypot(VF32 x, VF32 y) {
  VF32 r = in_double(
      x, y, [](VF64 a, VF64 b) __attribute__((always_inline)) { return sqrt(a * a + b * b); });
  return select(isinf(x) | isinf(y), VF32(static_cast<float>(kInf)), r);
}
FLAMBEAU_INLINE VF64 hypot(VF64 x, VF64 y) {
  return map(x, y, [](double a, double b) { return __builtin_hypot(a, b); });
}
FLAMBEAU_INLINE VF32 nextafter(VF32 x, VF32 y) {
  return map(x, y, [](float a, float b) { return __builtin_nextafterf(a, b); });
}
FLAMBEAU_INLINE VF64 nextafter(VF64 x, VF64 y) {
  return map(x, y, [](double a, double b) { return __builtin_nextafter(a, b); });
}

// log(e^x + e^y) = max + log(1 + e^-|x - y|); equal infinities would meet as NaN in the difference.
template <class T>
FLAMBEAU_INLINE Vec<T> logaddexp(Vec<T> x, Vec<T> y) {
  return select((x == y) & isinf(x), x, max(x, y) + log1p(exp(-abs(x - y))));
}
template <class T>
FLAMBEAU_INLINE Vec<T> logaddexp2(Vec<T> x, Vec<T> y) {
  Vec<T> rest = log1p(exp2(-abs(x - y))) * Vec<T>(static_cast<T>(kLog2E));
  return select((x == y) & isinf(x), x, max(x, y) + rest);
}

template <class T>
FLAMBEAU_INLINE Vec<T> xlogy(Vec<T> x, Vec<T> y) {
  return select(isnan(y), y, select(x == Vec<T>(0), Vec<T>(0), x * log(y)));
}
template <class T>
FLAMBEAU_INLINE Vec<T> xlog1py(Vec<T> x, Vec<T> y) {
  return select(isnan(y), y, select(x == Vec<T>(0), Vec<T>(0), x * log1p(y)));
}

// The inverse of the sigmoid; with eps >= 0 the argument is kept in [eps, 1 - eps].
template <class T>
FLAMBEAU_INLINE Vec<T> logit(Vec<T> x, Vec<T> eps) {
  Vec<T> one(1);
  x = select(eps >= Vec<T>(0), min(max(x, eps), one - eps), x);
  return log(x / (one - x));
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
