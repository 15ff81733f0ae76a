// Circular and hyperbolic functions and their inverses. For float they work in double lanes; for double, sine and
// cosine are vectors and the rest goes lane by lane through the C library.
#pragma once
#include "simd/exp_log.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

// Polynomials in z = r^2, |r| <= pi / 4: (sin(r) / r - 1) / z and (cos(r) - 1 + z / 2) / z^2.
inline constexpr double kSinF32[] = {-0.16666666641371439, 8.3333293557862384e-3, -1.9839325021567305e-4,
                                     2.718216918256184e-6};                                                  // 2^-37
inline constexpr double kCosF32[] = {4.1666645519295006e-2, -1.3887308119813241e-3, 2.4432209718651488e-5};  // 2^-33
inline constexpr double kSinF64[] = {-0.16666666666666632,  8.3333333333222851e-3,  -1.9841269829700002e-4,
                                     2.7557313652958429e-6, -2.5050751788341763e-8, 1.5896416592725314e-10};  // 2^-58
inline constexpr double kCosF64[] = {4.1666666666666592e-2,  -1.3888888888872851e-3, 2.4801587288719798e-5,
                                     -2.7557314140219457e-7, 2.08756954040221e-9,    -1.1358248690873668e-11};  // 2^-63

// Above this the reduction below is no longer exact, and the C library takes over: for those lanes only, so that a
// result does not depend on its neighbours.
inline constexpr double kTrigLimit = 0x1p20;

template <class T, class F>
FLAMBEAU_INLINE Vec<T> with_library(Vec<T> x, Vec<T> y, F f) {
  Mask<T> large = abs(x) > Vec<T>(static_cast<T>(kTrigLimit));
  if (any(large)) [[unlikely]]
    return select(large, map(x, f), y);
  return y;
}

// x = n pi / 2 + r with pi / 2 in parts of 33 bits, so that n times a part is exact; the low bits of `quadrant` are
// those of n.
template <class G>
FLAMBEAU_INLINE VF64 trig_reduce(VF64 x, VI64& quadrant) {
  VF64 shift(0x1.8p52), shifted = fma(x, VF64(2 / kPi), shift), n = shifted - shift;
  quadrant = bits(shifted);
  VF64 r = x - n * VF64(1.57079632673412561417e+00);
  if constexpr (sizeof(G) == 4)
    return r - n * VF64(6.07710050650619224932e-11);
  else
    return r - n * VF64(6.07710050630396597660e-11) - n * VF64(2.02226624879595063154e-21);
}

template <class G>
FLAMBEAU_INLINE void sincos_reduced(VF64 r, VF64& s, VF64& c) {
  VF64 z = r * r, half(0.5), one(1);
  if constexpr (sizeof(G) == 4) {
    s = r * fma(poly(z, kSinF32), z, one);
    c = fma(poly(z, kCosF32), z * z, fma(z, -half, one));
  } else {
    s = fma(r * z, poly(z, kSinF64), r);
    // 1 - z / 2 rounds; what it loses is known and added back.
    VF64 h = z * half, w = one - h;
    c = w + fma(poly(z, kCosF64), z * z, (one - w) - h);
  }
}

// sin(x + kQuarterTurns pi / 2).
template <class G, int kQuarterTurns>
FLAMBEAU_INLINE VF64 sin_wide(VF64 x) {
  VI64 quadrant;
  VF64 r = trig_reduce<G>(x, quadrant), s, c;
  sincos_reduced<G>(r, s, c);
  quadrant = quadrant + VI64(kQuarterTurns);
  Mask<double> odd{(quadrant & VI64(1)).v != Raw<int64_t>{}};
  return from_bits(bits(select(odd, c, s)) ^ shl(quadrant & VI64(2), 62));
}

FLAMBEAU_INLINE VF32 sin(VF32 x) {
  VF32 y = in_double(
      x, [](VF64 v) __attribute__((always_inline)) { return sin_wide<float, 0>(v); });
  return with_library(x, y, [](float v) { return __builtin_sinf(v); });
}
FLAMBEAU_INLINE VF32 cos(VF32 x) {
  VF32 y = in_double(
      x, [](VF64 v) __attribute__((always_inline)) { return sin_wide<float, 1>(v); });
  return with_library(x, y, [](float v) { return __builtin_cosf(v); });
}
FLAMBEAU_INLINE VF32 tan(VF32 x) {
  VF32 y = in_double(
      x, [](VF64 v) __attribute__((always_inline)) {
        VI64 quadrant;
        VF64 r = trig_reduce<float>(v, quadrant), s, c;
        sincos_reduced<float>(r, s, c);
        Mask<double> odd{(quadrant & VI64(1)).v != Raw<int64_t>{}};
        return select(odd, -c, s) / select(odd, s, c);
      });
  return with_library(x, y, [](float v) { return __builtin_tanf(v); });
}
FLAMBEAU_INLINE VF64 sin(VF64 x) {
  // The polynomial would lose the sign of -0.
  VF64 y = select(abs(x) < VF64(0x1p-27), x, sin_wide<double, 0>(x));
  return with_library(x, y, [](double v) { return __builtin_sin(v); });
}
FLAMBEAU_INLINE VF64 cos(VF64 x) {
  return with_library(x, sin_wide<double, 1>(x), [](double v) { return __builtin_cos(v); });
}

// atan(w) / w as a polynomial in w^2, 0 <= w <= 1.
inline constexpr double kAtanF32[] = {0.99999999962824282,   -0.33333323935430608,   0.19999604640472148,
                                      -0.14279159668469128,  0.11054501410427758,    -8.7987728592217085e-2,
                                      6.7161097646144978e-2, -4.4357532811593503e-2, 2.227439130244078e-2,
                                      -7.199402826750301e-3, 1.0911148731563197e-3};  // 2^-31

// The angle of (x, y), y of any sign.
FLAMBEAU_INLINE VF64 atan2_wide(VF64 y, VF64 x) {
  VF64 a = abs(y), b = abs(x), zero(0), one(1);
  Mask<double> steep = a > b;
  VF64 small = select(steep, b, a), large = select(steep, a, b);
  VF64 w = small / large;
  w = select(large == zero, zero, w);                      // both zero
  w = select((small == large) & (small != zero), one, w);  // both infinite, among others
  VF64 r = w * poly(w * w, kAtanF32);
  r = select(steep, VF64(kPi / 2) - r, r);
  Mask<double> left{(sign_bits(x)).v != Raw<int64_t>{}};
  r = select(left, VF64(kPi) - r, r);
  r = copysign(r, y);
  return select((x != x) | (y != y), x + y, r);
}

FLAMBEAU_INLINE VF32 atan2(VF32 y, VF32 x) {
  return in_double(
      y, x, [](VF64 v, VF64 u) __attribute__((always_inline)) { return atan2_wide(v, u); });
}
FLAMBEAU_INLINE VF32 atan(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) { return atan2_wide(v, VF64(1)); });
}
FLAMBEAU_INLINE VF32 asin(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) { return atan2_wide(v, sqrt((VF64(1) - v) * (VF64(1) + v))); });
}
FLAMBEAU_INLINE VF32 acos(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) { return atan2_wide(sqrt((VF64(1) - v) * (VF64(1) + v)), v); });
}

FLAMBEAU_INLINE VF32 sinh(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) {
        VF64 e = expm1_graded<float>(min_second(VF64(100), abs(v)));  // 100: overflows float, not double
        return copysign((e + e / (e + VF64(1))) * VF64(0.5), v);
      });
}
FLAMBEAU_INLINE VF32 cosh(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) {
        VF64 e = exp_graded<float>(min_second(VF64(100), abs(v)));
        return (e + VF64(1) / e) * VF64(0.5);
      });
}
// log(a + sqrt(a^2 + 1)), with a split off so that small a keep their digits.
FLAMBEAU_INLINE VF32 asinh(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) {
        VF64 a = abs(v), z = a * a;
        VF64 y = log1p_wide(a + z / (VF64(1) + sqrt(VF64(1) + z)));
        return copysign(select(a < VF64(kInf), y, a), v);
      });
}
FLAMBEAU_INLINE VF32 acosh(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) {
        VF64 t = v - VF64(1);
        return select(v >= VF64(1), log1p_wide(t + sqrt(t * (t + VF64(2)))), VF64(kNaN));
      });
}
FLAMBEAU_INLINE VF32 atanh(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) {
        VF64 a = abs(v), one(1);
        VF64 y = VF64(0.5) * log1p_wide((a + a) / (one - a));
        return copysign(select(a > one, VF64(kNaN), y), v);
      });
}

#define FLAMBEAU_BY_LANE(name)                                   \
  FLAMBEAU_INLINE VF64 name(VF64 x) {                            \
    return map(x, [](double v) { return __builtin_##name(v); }); \
  }
FLAMBEAU_BY_LANE(tan)
FLAMBEAU_BY_LANE(asin)
FLAMBEAU_BY_LANE(acos)
FLAMBEAU_BY_LANE(atan)
FLAMBEAU_BY_LANE(sinh)
FLAMBEAU_BY_LANE(cosh)
FLAMBEAU_BY_LANE(asinh)
FLAMBEAU_BY_LANE(acosh)
FLAMBEAU_BY_LANE(atanh)
#undef FLAMBEAU_BY_LANE
FLAMBEAU_INLINE VF64 atan2(VF64 y, VF64 x) {
  return map(y, x, [](double v, double u) { return __builtin_atan2(v, u); });
}

// sin(pi x) / (pi x).
template <class T>
FLAMBEAU_INLINE Vec<T> sinc(Vec<T> x) {
  Vec<T> a = x * Vec<T>(static_cast<T>(kPi));
  return select(x == Vec<T>(0), Vec<T>(1), sin(a) / a);
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
