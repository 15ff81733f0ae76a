// Orthogonal polynomials by degree n (truncated to an integer; 0 for a negative one), in the type of their argument.
#pragma once
#include "simd/exp_log.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

namespace scalar {

// A degree beyond 2^62 is taken as 2^62.
template <class T>
inline int64_t degree(T n) {
  return n > T(-1) ? (n < T(0x1p62) ? static_cast<int64_t>(n) : int64_t(1) << 62) : -1;
}

inline float sine(float x) { return __builtin_sinf(x); }
inline double sine(double x) { return __builtin_sin(x); }
inline float cosine(float x) { return __builtin_cosf(x); }
inline double cosine(double x) { return __builtin_cos(x); }
inline float arc_cosine(float x) { return __builtin_acosf(x); }
inline double arc_cosine(double x) { return __builtin_acos(x); }

template <class T>
inline T magnitude_of(T x) {
  return x < T(0) ? -x : x;
}
template <class T>
inline T alternating(int64_t n, T x) {  // (-1)^n x
  return n % 2 == 0 ? x : -x;
}

// Degrees beyond which no recurrence is run: its steps would take seconds for one element. The answer is NaN then.
constexpr int64_t kLongest = int64_t(1) << 20;

// The recurrence P_{k+1} = 2 x P_k - P_{k-1} that all four kinds of Chebyshev polynomials obey. It stops at NaN, the
// difference of infinities, which no later step leaves.
template <class T>
inline T chebyshev(T x, int64_t n, T first) {
  if (n == 0) return 1;
  if (n > kLongest) return static_cast<T>(kNaN);
  T p = 1, q = first;
  for (int64_t k = 2; k <= n && q == q; k++) {
    T r = (x + x) * q - p;
    p = q;
    q = r;
  }
  return q;
}

// From these degrees on the trigonometric form takes over inside (-1, 1).
constexpr int64_t kClosedT = 6, kClosedUVW = 8;

template <class T>
inline T chebyshev_t(T x, int64_t n) {
  if (n < 0) return 0;
  if (magnitude_of(x) == T(1)) return x > T(0) ? T(1) : alternating(n, T(1));
  if (n > kClosedT && magnitude_of(x) < T(1)) return cosine(static_cast<T>(n) * arc_cosine(x));
  return chebyshev(x, n, x);
}
template <class T>
inline T chebyshev_u(T x, int64_t n) {
  if (n < 0) return 0;
  T m = static_cast<T>(n) + T(1);
  if (magnitude_of(x) == T(1)) return x > T(0) ? m : alternating(n, m);
  if (n > kClosedUVW && magnitude_of(x) < T(1)) {
    T t = arc_cosine(x);
    return sine(t) != T(0) ? sine(m * t) / sine(t) : m * cosine(m * t) / x;
  }
  return chebyshev(x, n, x + x);
}
template <class T>
inline T chebyshev_v(T x, int64_t n) {
  if (n < 0) return 0;
  T m = static_cast<T>(n) + static_cast<T>(n) + T(1);
  if (magnitude_of(x) == T(1)) return x > T(0) ? T(1) : alternating(n, m);
  if (n > kClosedUVW && magnitude_of(x) < T(1)) {
    T t = arc_cosine(x);
    if (sine(t / T(2)) != T(1)) return cosine((static_cast<T>(n) + T(0.5)) * t) / cosine(t / T(2));
    return alternating(n, m);
  }
  return chebyshev(x, n, x + x - T(1));
}
template <class T>
inline T chebyshev_w(T x, int64_t n) {
  if (n < 0) return 0;
  T m = static_cast<T>(n) + static_cast<T>(n) + T(1);
  if (magnitude_of(x) == T(1)) return x > T(0) ? m : alternating(n, T(1));
  if (n > kClosedUVW && magnitude_of(x) < T(1)) {
    T t = arc_cosine(x);
    if (cosine(t / T(2)) != T(1)) return sine((static_cast<T>(n) + T(0.5)) * t) / sine(t / T(2));
    return m;
  }
  return chebyshev(x, n, x + x + T(1));
}

// Degrees beyond which the coefficients leave the type's range: the answer is NaN, as PyTorch's.
template <class T>
inline constexpr int64_t kHermiteLimit = sizeof(T) == 4 ? 128 : 512;

// H_n, the physicists'.
template <class T>
inline T hermite_h(T x, int64_t n) {
  if (n < 0) return 0;
  if (n == 0) return 1;
  if (n > kHermiteLimit<T>) return static_cast<T>(kNaN);
  T p = 1, q = x + x;
  for (int64_t k = 1; k < n; k++) {
    T r = (x + x) * q - static_cast<T>(2 * k) * p;
    p = q;
    q = r;
  }
  return q;
}
// He_n, the probabilists'.
template <class T>
inline T hermite_he(T x, int64_t n) {
  if (n < 0) return 0;
  if (n == 0) return 1;
  if (n > kHermiteLimit<T>) return static_cast<T>(kNaN);
  T p = 1, q = x;
  for (int64_t k = 1; k < n; k++) {
    T r = x * q - static_cast<T>(k) * p;
    p = q;
    q = r;
  }
  return q;
}
template <class T>
inline T laguerre_l(T x, int64_t n) {
  if (n < 0) return 0;
  if (n == 0 || x == T(0)) return 1;
  if (n > kLongest) return static_cast<T>(kNaN);
  T p = 1, q = T(1) - x;
  for (int64_t k = 1; k < n && q == q; k++) {
    T r = ((static_cast<T>(k + k) + (T(1) - x)) * q - static_cast<T>(k) * p) / static_cast<T>(k + 1);
    p = q;
    q = r;
  }
  return q;
}
template <class T>
inline T legendre_p(T x, int64_t n) {
  if (n < 0) return 0;
  if (magnitude_of(x) == T(1)) return x > T(0) ? T(1) : alternating(n, T(1));
  if (n == 0) return 1;
  if (n > kLongest) return static_cast<T>(kNaN);
  T p = 1, q = x;
  for (int64_t k = 1; k < n && q == q; k++) {
    T r = (static_cast<T>(k + k + 1) * x * q - static_cast<T>(k) * p) / static_cast<T>(k + 1);
    p = q;
    q = r;
  }
  return q;
}

}  // namespace scalar

#define FLAMBEAU_POLYNOMIAL(name, function, argument)                                               \
  template <class T>                                                                                \
  FLAMBEAU_INLINE Vec<T> name(Vec<T> x, Vec<T> n) {                                                 \
    return map(x, n, [](T v, T d) { return scalar::function<T>(argument, scalar::degree<T>(d)); }); \
  }
FLAMBEAU_POLYNOMIAL(chebyshev_polynomial_t, chebyshev_t, v)
FLAMBEAU_POLYNOMIAL(chebyshev_polynomial_u, chebyshev_u, v)
FLAMBEAU_POLYNOMIAL(chebyshev_polynomial_v, chebyshev_v, v)
FLAMBEAU_POLYNOMIAL(chebyshev_polynomial_w, chebyshev_w, v)
FLAMBEAU_POLYNOMIAL(shifted_chebyshev_polynomial_t, chebyshev_t, v + v - T(1))
FLAMBEAU_POLYNOMIAL(shifted_chebyshev_polynomial_u, chebyshev_u, v + v - T(1))
FLAMBEAU_POLYNOMIAL(shifted_chebyshev_polynomial_v, chebyshev_v, v + v - T(1))
FLAMBEAU_POLYNOMIAL(shifted_chebyshev_polynomial_w, chebyshev_w, v + v - T(1))
FLAMBEAU_POLYNOMIAL(hermite_polynomial_h, hermite_h, v)
FLAMBEAU_POLYNOMIAL(hermite_polynomial_he, hermite_he, v)
FLAMBEAU_POLYNOMIAL(laguerre_polynomial_l, laguerre_l, v)
FLAMBEAU_POLYNOMIAL(legendre_polynomial_p, legendre_p, v)
#undef FLAMBEAU_POLYNOMIAL

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
