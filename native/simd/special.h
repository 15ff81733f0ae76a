// Special functions, one number at a time in double; float results are rounded from it.
#pragma once
#include "simd/erf.h"

// The reentrant forms, for the plain ones write a global variable; not every <math.h> shows them.
extern "C" {
double lgamma_r(double, int*) noexcept;
float lgammaf_r(float, int*) noexcept;
}

namespace flambeau::FLAMBEAU_SET {
namespace {

namespace scalar {

inline double erfcx(double x) {
  if (x < 25) {
    // e^(x^2) with the rounding error of x^2 put back.
    double square = x * x, rest = __builtin_fma(x, x, -square);
    if (x < -26.7) return kInf;
    return __builtin_exp(square) * __builtin_erfc(x) * (1 + rest);
  }
  // The asymptotic series; from 25 on seven terms reach the last digit.
  double z = 0.5 / (x * x);
  return kInvSqrtPi / x * (1 - z * (1 - 3 * z * (1 - 5 * z * (1 - 7 * z * (1 - 9 * z * (1 - 11 * z))))));
}

// Wichura's AS 241 (PPND16): the quantile of the normal distribution at 1/2 + q for |q| <= 0.425, and at the tail
// probability p < 0.075 (the lower tail's, to be negated), relative error 1e-16.
template <int K>
inline double horner(const double (&c)[K], double x) {
  double r = c[K - 1];
  for (int i = K - 2; i >= 0; i--) r = r * x + c[i];
  return r;
}
inline double quantile_central(double q) {
  constexpr double a[] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                          1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                          3.3430575583588128105e+4, 2.5090809287301226727e+3};
  constexpr double b[] = {1.0,
                          4.2313330701600911252e+1,
                          6.8718700749205790830e+2,
                          5.3941960214247511077e+3,
                          2.1213794301586595867e+4,
                          3.9307895800092710610e+4,
                          2.8729085735721942674e+4,
                          5.2264952788528545610e+3};
  double r = 0.180625 - q * q;
  return q * horner(a, r) / horner(b, r);
}
inline double quantile_tail(double p) {
  constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                          3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                          2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr double d[] = {1.0,
                          2.05319162663775882187e0,
                          1.67638483018380384940e0,
                          6.89767334985100004550e-1,
                          1.48103976427480074590e-1,
                          1.51986665636164571966e-2,
                          5.47593808499534494600e-4,
                          1.05075007164441684324e-9};
  constexpr double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                          2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                          2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr double f[] = {1.0,
                          5.99832206555887937690e-1,
                          1.36929880922735805310e-1,
                          1.48753612908506148525e-2,
                          7.86869131145613259100e-4,
                          1.84631831751005468180e-5,
                          1.42151175831644588870e-7,
                          2.04426310338993978564e-15};
  double r = __builtin_sqrt(-__builtin_log(p));
  if (r <= 5) return horner(c, r - 1.6) / horner(d, r - 1.6);
  return horner(e, r - 5) / horner(f, r - 5);
}

inline double erfinv(double x) {
  double a = __builtin_fabs(x);
  if (a >= 1 || x != x) return a == 1 ? __builtin_copysign(kInf, x) : kNaN;
  double q = a * 0.5;
  double y = q <= 0.425 ? quantile_central(q) : quantile_tail(0.5 - q);
  return __builtin_copysign(y * kSqrtHalf, x);
}

inline double ndtri(double p) {
  if (!(p >= 0 && p <= 1)) return kNaN;
  if (p == 0) return -kInf;
  if (p == 1) return kInf;
  double q = p - 0.5;
  if (__builtin_fabs(q) <= 0.425) return quantile_central(q);
  return q < 0 ? -quantile_tail(p) : quantile_tail(1 - p);
}

inline double log_ndtr(double x) {
  if (x < -1) return __builtin_log(0.5 * erfcx(-x * kSqrtHalf)) - 0.5 * x * x;
  return __builtin_log1p(-0.5 * __builtin_erfc(x * kSqrtHalf));
}

inline double lgamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}
inline float lgamma(float x) {
  int sign;
  return ::lgammaf_r(x, &sign);
}

// The asymptotic series from 10 on, the recurrence below, the reflection for negative x.
inline double digamma(double x) {
  if (x == 0) return __builtin_copysign(kInf, -x);
  double y = 0;
  if (x < 0) {
    double whole = __builtin_trunc(x);
    if (x == whole) return kNaN;
    y = -kPi / __builtin_tan(kPi * (x - whole));
    x = 1 - x;
  }
  while (x < 10) {
    y -= 1 / x;
    x += 1;
  }
  constexpr double c[] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12};
  double z = 1 / (x * x);
  double tail = x < 1e17 ? z * horner(c, z) : 0;
  return y + (__builtin_log(x) - 0.5 / x - tail);
}

// e^-|x| I_n(x) for n = 0 and 1: the power series (all of its terms are positive) up to 20, beyond it the asymptotic
// one, whose terms there shrink below the last digit before they grow again. `factor` is e^|x| where it was left out.
template <int n>
inline double bessel_scaled(double x, double* factor) {
  double a = __builtin_fabs(x);
  if (a <= 20) {
    double z = a * a * 0.25, term = n == 0 ? 1 : 0.5 * x, total = term;
    for (int k = 1; __builtin_fabs(term) > __builtin_fabs(total) * 1e-17; k++) {
      term *= z / (static_cast<double>(k) * (k + n));
      total += term;
    }
    *factor = 1;
    return total;
  }
  double term = 1, total = 1;
  for (int k = 1; __builtin_fabs(term) > 1e-17; k++) {
    double odd = 2 * k - 1;
    term *= (odd * odd - 4 * n * n) / (k * 8 * a);
    total += term;
  }
  *factor = 0;
  double y = total * kInvSqrt2Pi / __builtin_sqrt(a);
  return n == 1 ? __builtin_copysign(y, x) : y;
}
template <int n>
inline double bessel(double x) {
  if (x != x) return x;
  double factor, y = bessel_scaled<n>(x, &factor);
  if (factor != 0) return y;
  double half = __builtin_exp(0.5 * __builtin_fabs(x));  // in two halves: the product overflows later than e^x
  return y == 0 ? (n == 1 ? __builtin_copysign(kInf, x) : kInf) : y * half * half;
}
template <int n>
inline double bessel_e(double x) {
  if (x != x) return x;
  double factor, y = bessel_scaled<n>(x, &factor);
  return factor != 0 ? y * __builtin_exp(-__builtin_fabs(x)) : y;
}

// Hurwitz' zeta, the sum of (q + k)^-x, by Euler and Maclaurin: ten terms, the integral of the rest, corrections.
inline double zeta_from(double x, double q) {
  double total = 0;
  for (int k = 0; k < 10 || q < 10; k++, q += 1) {
    double term = __builtin_pow(q, -x);
    total += term;
    if (__builtin_fabs(term) < __builtin_fabs(total) * 1e-17 && q > 0) return total;
  }
  double power = __builtin_pow(q, -x);
  total += power * q / (x - 1) + 0.5 * power;
  // B_2j / (2j)!
  constexpr double b[] = {1.0 / 12,          -1.0 / 720,
                          1.0 / 30240,       -1.0 / 1209600,
                          1.0 / 47900160,    -691.0 / 1307674368000,
                          1.0 / 74724249600, -3617.0 / 10670622842880000};
  double rising = x * power / q;
  for (int j = 0; j < 8; j++) {
    double term = b[j] * rising;
    total += term;
    if (__builtin_fabs(term) < __builtin_fabs(total) * 1e-17) break;
    rising *= (x + 2 * j + 1) * (x + 2 * j + 2) / (q * q);
  }
  return total;
}
inline double zeta(double x, double q) {
  if (x == 1) return kInf;
  if (!(x > 1) || q != q) return kNaN;
  if (q > 0) return zeta_from(x, q);
  if (q == __builtin_floor(q)) return kInf;
  if (x != __builtin_floor(x)) return kNaN;
  if (q > -20) return zeta_from(x, q);
  // The terms below zero are those from 1 - rest on, but for a tail; summed one by one they could be billions.
  double count = __builtin_floor(-q) + 1, rest = q + count;
  double below = zeta_from(x, 1 - rest) - zeta_from(x, 1 - rest + count);
  return zeta_from(x, rest) + (__builtin_fmod(x, 2) == 0 ? below : -below);
}

}  // namespace scalar

#define FLAMBEAU_SPECIAL(name, function)                                            \
  FLAMBEAU_INLINE VF64 name(VF64 x) {                                               \
    return map(x, [](double v) { return scalar::function(v); });                    \
  }                                                                                 \
  FLAMBEAU_INLINE VF32 name(VF32 x) {                                               \
    return map(x, [](float v) { return static_cast<float>(scalar::function(v)); }); \
  }
FLAMBEAU_SPECIAL(erfinv, erfinv)
FLAMBEAU_SPECIAL(ndtri, ndtri)
FLAMBEAU_SPECIAL(lgamma, lgamma)
FLAMBEAU_SPECIAL(digamma, digamma)
FLAMBEAU_SPECIAL(i0, bessel<0>)
FLAMBEAU_SPECIAL(i0e, bessel_e<0>)
FLAMBEAU_SPECIAL(i1, bessel<1>)
FLAMBEAU_SPECIAL(i1e, bessel_e<1>)
#undef FLAMBEAU_SPECIAL

FLAMBEAU_INLINE VF64 erfcx(VF64 x) {
  return map(x, [](double v) { return scalar::erfcx(v); });
}
FLAMBEAU_INLINE VF64 log_ndtr(VF64 x) {
  return map(x, [](double v) { return scalar::log_ndtr(v); });
}
FLAMBEAU_INLINE VF64 zeta(VF64 x, VF64 q) {
  return map(x, q, [](double a, double b) { return scalar::zeta(a, b); });
}
FLAMBEAU_INLINE VF32 zeta(VF32 x, VF32 q) {
  return map(x, q, [](float a, float b) { return static_cast<float>(scalar::zeta(a, b)); });
}

// -x log(x), 0 at 0, -inf below.
template <class T>
FLAMBEAU_INLINE Vec<T> entr(Vec<T> x) {
  Vec<T> y = select(x == Vec<T>(0), Vec<T>(0), -x * log(x));
  return select(x < Vec<T>(0), Vec<T>(static_cast<T>(-kInf)), y);
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
