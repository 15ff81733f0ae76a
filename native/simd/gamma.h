// The family of the gamma function with parameters: incomplete gamma functions and polygamma.
#pragma once
#include "simd/special.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

namespace scalar {

constexpr double kEuler = 0.57721566490153286061;

// log(Gamma(1 + a)); for small a the rounding of 1 + a is taken back in proportion.
inline double lgamma1p(double a) {
  double u = 1 + a;
  if (u == 1) return -kEuler * a;
  return a < 0.5 ? lgamma(u) * (a / (u - 1)) : lgamma(u);
}

// m - log(1 + m) for m > -1, without cancellation near 0.
inline double log1p_rest(double m) {
  if (__builtin_fabs(m) > 0.5) return m - __builtin_log1p(m);
  // log(1 + m) = 2 (r + r^3 / 3 + r^5 / 5 + ...) with r = m / (2 + m).
  double r = m / (2 + m), square = r * r, power = r * square, total = 0;
  for (int k = 3; k < 40; k += 2, power *= square) total += power / k;
  return m * r - 2 * total;
}

// x^a e^-x / Gamma(a + 1).
inline double gamma_prefactor(double a, double x) {
  if (a < 10) return __builtin_exp(a * __builtin_log(x) - x - lgamma1p(a));
  constexpr double c[] = {1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156};
  double stirling = horner(c, 1 / (a * a)) / a;
  return __builtin_exp(-a * log1p_rest((x - a) / a) - stirling) * kInvSqrt2Pi / __builtin_sqrt(a);
}

// P(a, x) by its power series.
inline double gamma_series(double a, double x) {
  double term = 1, total = 1;
  for (double k = a + 1; term > total * 1e-17; k += 1) {
    term *= x / k;
    total += term;
  }
  return gamma_prefactor(a, x) * total;
}

// Q(a, x) by Legendre's continued fraction, evaluated as Lentz does.
inline double gamma_fraction(double a, double x) {
  constexpr double tiny = 1e-300;
  double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
  for (double k = 1; k < 1e7; k += 1) {
    double factor = -k * (k - a);
    b += 2;
    d = factor * d + b;
    c = b + factor / c;
    if (__builtin_fabs(d) < tiny) d = tiny;
    if (__builtin_fabs(c) < tiny) c = tiny;
    d = 1 / d;
    double step = d * c;
    h *= step;
    if (__builtin_fabs(step - 1) < 1e-16) break;
  }
  return gamma_prefactor(a, x) * a * h;
}

// Q(a, x) for small x: 1 - x^a / Gamma(a + 1) (1 + a sum over n >= 1 of (-x)^n / (n! (a + n))).
inline double gamma_small(double a, double x) {
  double power = 1, total = 0;
  for (int n = 1; n < 200; n++) {
    power *= -x / n;
    double term = power / (a + n);
    total += term;
    if (__builtin_fabs(term) < __builtin_fabs(total) * 1e-17) break;
  }
  double log_lead = a * __builtin_log(x) - lgamma1p(a);
  return -__builtin_expm1(log_lead) - __builtin_exp(log_lead) * a * total;
}

// Temme's uniform expansion (SIAM J. Math. Anal. 10, 1979; DLMF 8.12) of P (sign -1) or Q (sign 1), for a > 1000 and x
// within 15% of a: there the series takes too many terms and these few coefficients suffice.
inline double gamma_uniform(double a, double x, double sign) {
  constexpr double c0[] = {-0.33333333333333333333,    0.083333333333333333333,   -0.014814814814814814815,
                           0.0011574074074074074074,   0.00035273368606701940035, -0.0001787551440329218107,
                           0.000039192631785224377817, -2.1854485106799921615e-6, -1.8540622107151599607e-6,
                           8.296711340953086005e-7,    -1.7665952736826079304e-7, 6.7078535434014985804e-9,
                           1.0261809784240308043e-8};
  constexpr double c1[] = {-0.0018518518518518518519,   -0.0034722222222222222222, 0.0026455026455026455026,
                           -0.00099022633744855967078,  0.00020576131687242798354, -4.0187757201646090535e-7,
                           -0.000018098550334489977837, 7.6491609160811100846e-6,  -1.6120900894563446004e-6};
  constexpr double c2[] = {0.0041335978835978835979,   -0.0026813271604938271605,  0.00077160493827160493827,
                           2.0093878600823045267e-6,   -0.00010736653226365160522, 0.000052923448829120125416,
                           -0.000012760635188618727713};
  constexpr double c3[] = {0.00064943415637860082305, 0.00022947209362139917695, -0.00046918949439525571213,
                           0.00026772063206283885296};
  constexpr double c4[] = {-0.0008618882909167116986, 0.00078403922172006662747};
  double m = (x - a) / a, half_square = log1p_rest(m);
  double eta = __builtin_copysign(__builtin_sqrt(2 * half_square), m);
  double z = 1 / a;
  double total =
      horner(c0, eta) + z * (horner(c1, eta) + z * (horner(c2, eta) + z * (horner(c3, eta) + z * horner(c4, eta))));
  double correction = __builtin_exp(-a * half_square) * kInvSqrt2Pi / __builtin_sqrt(a) * total;
  return 0.5 * __builtin_erfc(sign * eta * __builtin_sqrt(a * 0.5)) + sign * correction;
}

inline bool is_uniform(double a, double x) { return a > 1000 && __builtin_fabs(x - a) < 0.15 * a; }

// NaN outside the domain, the limits at 0 and infinity; -1 where there is something to compute.
inline double lower_limit(double a, double x) {
  if (!(x >= 0 && a >= 0)) return kNaN;
  if (a == 0) return x > 0 ? 1 : kNaN;
  if (x == 0) return 0;
  if (a == kInf) return x == kInf ? kNaN : 0;
  return x == kInf ? 1 : -1;
}

inline double igammac_inside(double a, double x) {
  if (is_uniform(a, x)) return gamma_uniform(a, x, 1);
  if (x > 1.1) return x < a ? 1 - gamma_series(a, x) : gamma_fraction(a, x);
  // P is the smaller of the two where a is large compared with x.
  bool lower = x <= 0.5 ? -0.4 / __builtin_log(x) < a : x * 1.1 < a;
  return lower ? 1 - gamma_series(a, x) : gamma_small(a, x);
}
inline double igammac(double a, double x) {
  double limit = lower_limit(a, x);
  return limit == -1 ? igammac_inside(a, x) : 1 - limit;
}
inline double igamma(double a, double x) {
  double limit = lower_limit(a, x);
  if (limit != -1) return limit;
  if (is_uniform(a, x)) return gamma_uniform(a, x, -1);
  return x > 1 && x > a ? 1 - igammac_inside(a, x) : gamma_series(a, x);
}

// The n-th derivative of digamma, (-1)^(n + 1) n! zeta(n + 1, x), for n >= 1.
inline double polygamma(double n, double x) {
  if (x == 0 && static_cast<int64_t>(n) % 2 == 0) return -kInf;
  double z = zeta(n + 1, x), sign = static_cast<int64_t>(n) % 2 == 0 ? -1 : 1;
  // By logarithms where n! alone would overflow.
  double log_factorial = lgamma(n + 1);
  if (log_factorial < 700) return sign * __builtin_exp(log_factorial) * z;
  return sign * __builtin_copysign(__builtin_exp(log_factorial + __builtin_log(__builtin_fabs(z))), z);
}

inline double frexp_mantissa(double x) {
  int e;
  return __builtin_frexp(x, &e);
}
inline double frexp_exponent(double x) {
  int e = 0;
  double m = __builtin_frexp(x, &e);
  return m - m == 0 ? e : 0;  // unspecified for infinities and NaN
}

}  // namespace scalar

#define FLAMBEAU_BINARY_SPECIAL(name)                                                          \
  FLAMBEAU_INLINE VF64 name(VF64 x, VF64 y) { return map(x, y, scalar::name); }                \
  FLAMBEAU_INLINE VF32 name(VF32 x, VF32 y) {                                                  \
    return map(x, y, [](float a, float b) { return static_cast<float>(scalar::name(a, b)); }); \
  }
FLAMBEAU_BINARY_SPECIAL(igamma)
FLAMBEAU_BINARY_SPECIAL(igammac)
FLAMBEAU_BINARY_SPECIAL(polygamma)
#undef FLAMBEAU_BINARY_SPECIAL

#define FLAMBEAU_UNARY_SPECIAL(name)                                            \
  FLAMBEAU_INLINE VF64 name(VF64 x) { return map(x, scalar::name); }            \
  FLAMBEAU_INLINE VF32 name(VF32 x) {                                           \
    return map(x, [](float v) { return static_cast<float>(scalar::name(v)); }); \
  }
FLAMBEAU_UNARY_SPECIAL(frexp_mantissa)
FLAMBEAU_UNARY_SPECIAL(frexp_exponent)
#undef FLAMBEAU_UNARY_SPECIAL

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
