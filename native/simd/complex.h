// Complex<T>: one complex number, the "vector" that complex rows are computed with. Functions go through the C
// library's double versions, complex64 too: it gains digits by that and loses no range.
#pragma once
#include "simd/exp_log.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

template <class T>
struct Complex {
  using Lane = T;
  T re, im;

  Complex() = default;
  FLAMBEAU_INLINE Complex(T r, T i = 0) : re(r), im(i) {}

  friend FLAMBEAU_INLINE Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
  friend FLAMBEAU_INLINE Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
  friend FLAMBEAU_INLINE Complex operator-(Complex a) { return {-a.re, -a.im}; }
  friend FLAMBEAU_INLINE Complex operator*(Complex a, Complex b) {
    return {fused(a.re, b.re, -(a.im * b.im)), fused(a.re, b.im, a.im * b.re)};
  }
  // Smith's method: scaled by the larger part of the divisor, it neither overflows nor underflows before the result.
  friend FLAMBEAU_INLINE Complex operator/(Complex a, Complex b) {
    if (magnitude_of(b.re) >= magnitude_of(b.im)) {
      if (b.re == 0 && b.im == 0) return {a.re / magnitude_of(b.re), a.im / magnitude_of(b.im)};
      T ratio = b.im / b.re, scale = 1 / fused(b.im, ratio, b.re);
      return {fused(a.im, ratio, a.re) * scale, fused(-a.re, ratio, a.im) * scale};
    }
    T ratio = b.re / b.im, scale = 1 / fused(b.re, ratio, b.im);
    return {fused(a.re, ratio, a.im) * scale, fused(a.im, ratio, -a.re) * scale};
  }
  friend FLAMBEAU_INLINE bool operator==(Complex a, Complex b) { return a.re == b.re && a.im == b.im; }
  friend FLAMBEAU_INLINE bool operator!=(Complex a, Complex b) { return !(a == b); }
  friend FLAMBEAU_INLINE Complex select(bool m, Complex a, Complex b) { return m ? a : b; }

  // a * b + c. Fused in so many words where the set can, because GCC fuses the alternating sums of a vectorised loop
  // even under -ffp-contract=off, but not those of its scalar rest: results would depend on the position.
  static FLAMBEAU_INLINE T fused(T a, T b, T c) {
#if defined(__FMA__) || defined(__aarch64__)
    if constexpr (sizeof(T) == 4)
      return __builtin_fmaf(a, b, c);
    else
      return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
  }
  static FLAMBEAU_INLINE T magnitude_of(T x) { return x < 0 ? -x : x; }
};

template <class T>
FLAMBEAU_INLINE Complex<T> fma(Complex<T> a, Complex<T> b, Complex<T> c) {
  return a * b + c;
}

using C64 = Complex<float>;
using C128 = Complex<double>;

typedef _Complex double CDouble;  // the C library's type

template <class T>
FLAMBEAU_INLINE CDouble to_c(Complex<T> x) {
  CDouble z;
  __real__ z = x.re;
  __imag__ z = x.im;
  return z;
}
template <class T>
FLAMBEAU_INLINE Complex<T> from_c(CDouble z) {
  return {static_cast<T>(__real__ z), static_cast<T>(__imag__ z)};
}

#define FLAMBEAU_BY_C(name)                       \
  template <class T>                              \
  FLAMBEAU_INLINE Complex<T> name(Complex<T> x) { \
    return from_c<T>(__builtin_c##name(to_c(x))); \
  }
FLAMBEAU_BY_C(sqrt)
FLAMBEAU_BY_C(exp)
FLAMBEAU_BY_C(log)
FLAMBEAU_BY_C(sin)
FLAMBEAU_BY_C(cos)
FLAMBEAU_BY_C(tan)
FLAMBEAU_BY_C(asin)
FLAMBEAU_BY_C(acos)
FLAMBEAU_BY_C(atan)
FLAMBEAU_BY_C(sinh)
FLAMBEAU_BY_C(cosh)
FLAMBEAU_BY_C(tanh)
FLAMBEAU_BY_C(asinh)
FLAMBEAU_BY_C(acosh)
FLAMBEAU_BY_C(atanh)
#undef FLAMBEAU_BY_C

FLAMBEAU_INLINE float abs(C64 x) {
  return static_cast<float>(__builtin_hypot(static_cast<double>(x.re), static_cast<double>(x.im)));
}
FLAMBEAU_INLINE double abs(C128 x) { return __builtin_hypot(x.re, x.im); }
template <class T>
FLAMBEAU_INLINE T real(Complex<T> x) {
  return x.re;
}
template <class T>
FLAMBEAU_INLINE T imag(Complex<T> x) {
  return x.im;
}
template <class T>
FLAMBEAU_INLINE T angle(Complex<T> x) {
  return static_cast<T>(__builtin_atan2(static_cast<double>(x.im), static_cast<double>(x.re)));
}
template <class T>
FLAMBEAU_INLINE Complex<T> conj(Complex<T> x) {
  return {x.re, -x.im};
}
template <class T>
FLAMBEAU_INLINE Complex<T> sign(Complex<T> x) {
  if (x == Complex<T>(0)) return x;
  T a = abs(x);
  return {x.re / a, x.im / a};
}

template <class T>
FLAMBEAU_INLINE bool isnan(Complex<T> x) {
  return x.re != x.re || x.im != x.im;
}
template <class T>
FLAMBEAU_INLINE bool isinf(Complex<T> x) {
  return __builtin_isinf(x.re) || __builtin_isinf(x.im);
}
template <class T>
FLAMBEAU_INLINE bool isfinite(Complex<T> x) {
  return __builtin_isfinite(x.re) && __builtin_isfinite(x.im);
}
template <class T>
FLAMBEAU_INLINE T nan_to_num_part(T x, T nan, T posinf, T neginf) {
  return x != x ? nan : x == static_cast<T>(kInf) ? posinf : x == static_cast<T>(-kInf) ? neginf : x;
}
template <class T>
FLAMBEAU_INLINE Complex<T> nan_to_num(Complex<T> x, Complex<T> nan, Complex<T> posinf, Complex<T> neginf) {
  return {nan_to_num_part(x.re, nan.re, posinf.re, neginf.re), nan_to_num_part(x.im, nan.re, posinf.re, neginf.re)};
}

template <class T>
FLAMBEAU_INLINE Complex<T> exp2(Complex<T> x) {
  CDouble z = to_c(x);
  return from_c<T>(__builtin_cexp(z * kLn2));
}
// e^(a + ib) - 1 = (expm1(a) cos(b) - 2 sin(b / 2)^2) + i e^a sin(b).
template <class T>
FLAMBEAU_INLINE Complex<T> expm1(Complex<T> x) {
  double a = x.re, b = x.im, h = __builtin_sin(b * 0.5);
  return {static_cast<T>(__builtin_expm1(a) * __builtin_cos(b) - 2 * h * h),
          static_cast<T>(__builtin_exp(a) * __builtin_sin(b))};
}
template <class T>
FLAMBEAU_INLINE Complex<T> log2(Complex<T> x) {
  return from_c<T>(__builtin_clog(to_c(x)) * kLog2E);
}
template <class T>
FLAMBEAU_INLINE Complex<T> log10(Complex<T> x) {
  return from_c<T>(__builtin_clog(to_c(x)) * 0.43429448190325182765);
}
// Near zero |1 + x|^2 - 1 = a (2 + a) + b^2 is taken without the 1 that would swallow its digits.
template <class T>
FLAMBEAU_INLINE Complex<T> log1p(Complex<T> x) {
  double a = x.re, b = x.im, angle = __builtin_atan2(b, a + 1);
  if (a * a + b * b < 0.25) return {static_cast<T>(0.5 * __builtin_log1p(a * (2 + a) + b * b)), static_cast<T>(angle)};
  return {static_cast<T>(__builtin_log(__builtin_hypot(a + 1, b))), static_cast<T>(angle)};
}
template <class T>
FLAMBEAU_INLINE Complex<T> sigmoid(Complex<T> x) {
  CDouble z = -to_c(x);
  C128 e = from_c<double>(__builtin_cexp(z)), r = C128(1) / (C128(1) + e);
  return {static_cast<T>(r.re), static_cast<T>(r.im)};
}
template <class T>
FLAMBEAU_INLINE Complex<T> silu(Complex<T> x) {
  return x * sigmoid(x);
}
template <class T>
FLAMBEAU_INLINE Complex<T> sinc(Complex<T> x) {
  if (x == Complex<T>(0)) return Complex<T>(1);
  Complex<T> a = x * Complex<T>(static_cast<T>(kPi));
  return sin(a) / a;
}
template <class T>
FLAMBEAU_INLINE Complex<T> pow(Complex<T> x, Complex<T> y) {
  if (y == Complex<T>(0)) return Complex<T>(1);
  return from_c<T>(__builtin_cpow(to_c(x), to_c(y)));
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
