// The error function and what is made of it: erfc, erfcx, the normal distribution's ndtr.
#pragma once
#include "simd/exp_log.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

inline constexpr double kSqrtHalf = 0.70710678118654752440;
inline constexpr double kInvSqrt2Pi = 0.39894228040143267794;
inline constexpr double kInvSqrtPi = 0.56418958354775628695;

// erf(x) / x - 1 in x^2, |x| < 0.875, and log(erfc(x)) / x in x, 0.86 <= x <= 3.95.
inline constexpr double kErfF32[] = {0.12837916686937931,    -0.376126360657629,    0.11283733002847724,
                                     -2.6861584712489122e-2, 5.2067474466707044e-3, -8.211104087439047e-4,
                                     8.6753922015482336e-5};  // 2^-32
inline constexpr double kLogErfcF32[] = {-1.1285219234076166,   -0.63576559013288269,   -0.10498614714643043,
                                         2.2378369449202484e-2, -2.7448908356022524e-3, -1.8351237697709662e-5,
                                         5.9081286301428956e-5, -6.0594317398131077e-6};  // 2^-31

FLAMBEAU_INLINE VF32 erf(VF32 x) {
  VF32 a = abs(x), z = x * x;
  VF32 small = fma(x, poly(z, kErfF32), x);
  VF32 t = min_second(VF32(3.95f), a);  // erf is 1 to float's accuracy from there on
  VF32 large = VF32(1) - exp(t * poly(t, kLogErfcF32));
  return copysign(select(a < VF32(0.875f), small, large), x);
}

// e^(x^2) erfc(x) for x >= 0 is d P(d) with d = 1 / (x + 3).
inline constexpr double kErfcxF32[] = {
    0.56418958378780683,    1.6925685378168253,    4.7956418850681517,    12.692658432394532,     30.928110335424935,
    66.894803031387576,     1.2319600902288134e+2, 2.526758949212092e+2,  -8.8354306751641589e+2, 5.6776861226197769e+3,
    -2.4146583969571128e+4, 4.0162759455635734e+4, -2.3679328307547335e+4};  // 2^-31

FLAMBEAU_INLINE VF64 erfcx_positive(VF64 x) {
  VF64 d = VF64(1) / (x + VF64(3));
  return d * poly(d, kErfcxF32);
}

// erfc(|x|), to float's relative accuracy.
FLAMBEAU_INLINE VF64 erfc_abs(VF64 x) { return exp_graded<float>(-(x * x)) * erfcx_positive(abs(x)); }

FLAMBEAU_INLINE VF32 erfc(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) {
        VF64 y = erfc_abs(v);
        return select(v < VF64(0), VF64(2) - y, y);
      });
}
FLAMBEAU_INLINE VF32 erfcx(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) {
        VF64 y = erfcx_positive(abs(v));
        return select(v < VF64(0), VF64(2) * exp_graded<float>(v * v) - y, y);
      });
}

// The normal distribution function.
FLAMBEAU_INLINE VF64 ndtr_wide(VF64 x) {
  VF64 y = VF64(0.5) * erfc_abs(x * VF64(kSqrtHalf));
  return select(x > VF64(0), VF64(1) - y, y);
}
FLAMBEAU_INLINE VF32 ndtr(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) { return ndtr_wide(v); });
}
FLAMBEAU_INLINE VF32 log_ndtr(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) {
        // In the lower tail the logarithm of the exponential is taken by hand.
        VF64 z = v * VF64(kSqrtHalf);
        VF64 tail = log_wide(VF64(0.5) * erfcx_positive(abs(z))) - z * z;
        return select(v < VF64(0), tail, log1p_wide(VF64(-0.5) * erfc_abs(z)));
      });
}

FLAMBEAU_INLINE VF64 erf(VF64 x) {
  return map(x, [](double v) { return __builtin_erf(v); });
}
FLAMBEAU_INLINE VF64 erfc(VF64 x) {
  return map(x, [](double v) { return __builtin_erfc(v); });
}
FLAMBEAU_INLINE VF64 ndtr(VF64 x) { return VF64(0.5) * erfc(x * VF64(-kSqrtHalf)); }

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
