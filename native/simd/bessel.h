// Bessel functions of the first and second kind, modified ones of the second, and Airy's function; in double.
#pragma once
#include "simd/special.h"

// X/Open's functions; not every <math.h> shows them.
extern "C" {
double j0(double) noexcept;
double j1(double) noexcept;
double y0(double) noexcept;
double y1(double) noexcept;
}

namespace flambeau::FLAMBEAU_SET {
namespace {

namespace scalar {

inline bool is_finite(double x) { return x - x == 0; }

inline double bessel_j0(double x) { return is_finite(x) ? ::j0(x) : kNaN; }
inline double bessel_j1(double x) { return is_finite(x) ? ::j1(x) : kNaN; }
inline double bessel_y0(double x) { return x == 0 ? -kInf : x > 0 && is_finite(x) ? ::y0(x) : kNaN; }
inline double bessel_y1(double x) { return x == 0 ? -kInf : x > 0 && is_finite(x) ? ::y1(x) : kNaN; }

// e^x K_nu(x) for x >= 1: the integral over t >= 0 of exp(-x (cosh t - 1)) cosh(nu t) by the trapezoidal rule, which
// converges exponentially for it; all terms are positive. The step keeps the error below 1e-16 for every x.
inline double bessel_k_scaled(double nu, double x) {
  if (x > 1e16) return x == kInf ? 0 : __builtin_sqrt(0.5 * kPi / x);
  double step = __builtin_fmin(0.19, 0.62 / __builtin_sqrt(x)), total = 0.5;
  for (int k = 1;; k++) {
    double t = k * step, s = __builtin_sinh(0.5 * t);
    double term = __builtin_exp(-2 * x * s * s) * (nu == 0 ? 1 : __builtin_cosh(nu * t));
    total += term;
    if (term < 1e-17) return step * total;
  }
}

// K_0 and K_1 for 0 < x <= 1 (DLMF 10.31).
inline double bessel_k0_series(double x) {
  double z = 0.25 * x * x, term = 1, harmonic = 0, first = 1, second = 0;
  for (int k = 1; term > 1e-17; k++) {
    term *= z / (static_cast<double>(k) * k);
    harmonic += 1.0 / k;
    first += term;
    second += term * harmonic;
  }
  return second - (__builtin_log(0.5 * x) + 0.57721566490153286061) * first;
}
inline double bessel_k1_series(double x) {
  double z = 0.25 * x * x, term = 1, psi = 1 - 2 * 0.57721566490153286061, first = 1, second = psi;
  for (int k = 1; term > 1e-17; k++) {
    term *= z / (static_cast<double>(k) * (k + 1));
    psi += 1.0 / k + 1.0 / (k + 1);
    first += term;
    second += term * psi;
  }
  return 1 / x + 0.5 * x * (__builtin_log(0.5 * x) * first - 0.5 * second);
}

template <int n, bool kScaled>
inline double bessel_k(double x) {
  if (x == 0) return kInf;
  if (!(x > 0)) return kNaN;
  if (x <= 1) return (n == 0 ? bessel_k0_series(x) : bessel_k1_series(x)) * (kScaled ? __builtin_exp(x) : 1);
  return bessel_k_scaled(n, x) * (kScaled ? 1 : __builtin_exp(-x));
}

// Ai: from -9 to 2 Taylor's series of y'' = x y about the nearest integer, beyond 2 by K_1/3, below -9 asymptotically.
inline double airy_near(double x) {
  constexpr double values[][2] = {
      {-0.022133721547341403674, -0.97566398092633159471},  // Ai and Ai' at -9
      {-0.052705050356386202622, 0.93556093819830655103},  {0.18428083525050563728, -0.77100816841012654773},
      {-0.32914517362982310523, 0.34593548728134289493},   {0.35076100902411431979, 0.32719281855444313679},
      {-0.070265532949289515099, -0.7906285753685813803},  {-0.37881429367765807435, 0.31458376921659881365},
      {0.22740742820168557599, 0.61825902074169104141},    {0.5355608832923521188, -0.010160567116645209395},
      {0.35502805388781723926, -0.25881940379280679841},   {0.13529241631288141552, -0.15914744129679321279},
      {0.034924130423274379135, -0.053090384433653631704}};
  double centre = __builtin_rint(x), h = x - centre;
  const double(&at)[2] = values[static_cast<int>(centre) + 9];
  // y = sum of a_n h^n with (n + 1) (n + 2) a_{n+2} = centre a_n + a_{n-1}.
  double before = 0, a = at[0], next = at[1], power = h, total = a;
  for (int n = 0; n < 30; n++) {
    double later = (centre * a + before) / ((n + 1) * (n + 2));
    total += next * power;
    power *= h;
    before = a;
    a = next;
    next = later;
  }
  return total;
}
inline double airy_ai(double x) {
  if (!is_finite(x)) return kNaN;
  if (x >= -9 && x <= 2) return airy_near(x);
  double root = __builtin_sqrt(__builtin_fabs(x)), zeta = 2.0 / 3 * __builtin_fabs(x) * root;
  if (x > 2) {
    if (zeta > 750) return 0;  // below the smallest number; the next line would multiply 0 by infinity for large x
    return __builtin_sqrt(x / 3) / kPi * bessel_k_scaled(1.0 / 3, zeta) * __builtin_exp(-zeta);
  }
  // DLMF 9.7.9; u_k is the coefficient of both sums in turn.
  double u = 1, p = 1, q = 0;
  for (int k = 1; k < 40; k++) {
    double factor = (6.0 * k - 5) * (6.0 * k - 3) * (6.0 * k - 1) / (216.0 * k * (2 * k - 1)) / zeta;
    if (factor >= 1 || u < 1e-17) break;
    u *= factor;
    double term = (k / 2) % 2 == 0 ? u : -u;
    (k % 2 == 0 ? p : q) += term;
  }
  double s = __builtin_sin(zeta), c = __builtin_cos(zeta);
  return kInvSqrtPi * kSqrtHalf / __builtin_sqrt(root) * ((s + c) * p - (c - s) * q);
}

inline double spherical_bessel_j0(double x) {
  if (x == kInf || x == -kInf) return 0;
  if (__builtin_fabs(x) >= 0.5) return __builtin_sin(x) / x;
  double z = x * x, term = 1, total = 1;
  for (int k = 1; k < 9; k++) {
    term *= -z / (2 * k * (2 * k + 1));
    total += term;
  }
  return total;
}

}  // namespace scalar

#define FLAMBEAU_BESSEL(name, ...)                                                     \
  FLAMBEAU_INLINE VF64 name(VF64 x) {                                                  \
    return map(x, [](double v) { return scalar::__VA_ARGS__(v); });                    \
  }                                                                                    \
  FLAMBEAU_INLINE VF32 name(VF32 x) {                                                  \
    return map(x, [](float v) { return static_cast<float>(scalar::__VA_ARGS__(v)); }); \
  }
FLAMBEAU_BESSEL(bessel_j0, bessel_j0)
FLAMBEAU_BESSEL(bessel_j1, bessel_j1)
FLAMBEAU_BESSEL(bessel_y0, bessel_y0)
FLAMBEAU_BESSEL(bessel_y1, bessel_y1)
FLAMBEAU_BESSEL(modified_bessel_k0, bessel_k<0, false>)
FLAMBEAU_BESSEL(modified_bessel_k1, bessel_k<1, false>)
FLAMBEAU_BESSEL(scaled_modified_bessel_k0, bessel_k<0, true>)
FLAMBEAU_BESSEL(scaled_modified_bessel_k1, bessel_k<1, true>)
FLAMBEAU_BESSEL(spherical_bessel_j0, spherical_bessel_j0)
FLAMBEAU_BESSEL(airy_ai, airy_ai)
#undef FLAMBEAU_BESSEL

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
