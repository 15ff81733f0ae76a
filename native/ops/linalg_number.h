// The four element types of linear algebra behind one set of names: float, double and their complex pairs.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/dtype.h"

namespace flambeau::linalg {

// Laid out as the elements of complex64 and complex128. Products and quotients are plain formulas: std::complex's own
// check every product for NaN, which costs more than the product.
template <class R>
struct Cx {
  R re = 0, im = 0;
  Cx() = default;
  Cx(R r) : re(r) {}
  Cx(R r, R i) : re(r), im(i) {}
  Cx& operator+=(Cx o) { return re += o.re, im += o.im, *this; }
  Cx& operator-=(Cx o) { return re -= o.re, im -= o.im, *this; }
  Cx& operator*=(Cx o) { return *this = *this * o; }
  friend Cx operator+(Cx a, Cx b) { return {a.re + b.re, a.im + b.im}; }
  friend Cx operator-(Cx a, Cx b) { return {a.re - b.re, a.im - b.im}; }
  friend Cx operator-(Cx a) { return {-a.re, -a.im}; }
  friend Cx operator*(Cx a, Cx b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
  // Smith's method: no overflow in |b|^2.
  friend Cx operator/(Cx a, Cx b) {
    if (std::fabs(b.re) >= std::fabs(b.im)) {
      if (b.re == 0 && b.im == 0) return {a.re / b.re, a.im / b.re};
      const R t = b.im / b.re, d = b.re + b.im * t;
      return {(a.re + a.im * t) / d, (a.im - a.re * t) / d};
    }
    const R t = b.re / b.im, d = b.re * t + b.im;
    return {(a.re * t + a.im) / d, (a.im * t - a.re) / d};
  }
  friend bool operator==(Cx a, Cx b) { return a.re == b.re && a.im == b.im; }
  friend bool operator!=(Cx a, Cx b) { return !(a == b); }
};

template <class T>
struct Traits;
template <>
struct Traits<float> {
  using Real = float;
  static constexpr DType dtype = DType::F32;
  static constexpr bool complex = false;
};
template <>
struct Traits<double> {
  using Real = double;
  static constexpr DType dtype = DType::F64;
  static constexpr bool complex = false;
};
template <>
struct Traits<Cx<float>> {
  using Real = float;
  static constexpr DType dtype = DType::C64;
  static constexpr bool complex = true;
};
template <>
struct Traits<Cx<double>> {
  using Real = double;
  static constexpr DType dtype = DType::C128;
  static constexpr bool complex = true;
};
template <class T>
using Real = typename Traits<T>::Real;
template <class T>
inline constexpr bool is_cx = Traits<T>::complex;
template <class T>
inline constexpr Real<T> kEps = std::numeric_limits<Real<T>>::epsilon();

inline float conj(float x) { return x; }
inline double conj(double x) { return x; }
template <class R>
Cx<R> conj(Cx<R> x) {
  return {x.re, -x.im};
}
inline float re(float x) { return x; }
inline double re(double x) { return x; }
template <class R>
R re(Cx<R> x) {
  return x.re;
}
inline float im(float) { return 0; }
inline double im(double) { return 0; }
template <class R>
R im(Cx<R> x) {
  return x.im;
}
// The size that LAPACK compares pivots by: |re| + |im|.
inline float size1(float x) { return std::fabs(x); }
inline double size1(double x) { return std::fabs(x); }
template <class R>
R size1(Cx<R> x) {
  return std::fabs(x.re) + std::fabs(x.im);
}
inline float modulus(float x) { return std::fabs(x); }
inline double modulus(double x) { return std::fabs(x); }
template <class R>
R modulus(Cx<R> x) {
  return std::hypot(x.re, x.im);
}
inline double norm2(double x) { return x * x; }
template <class R>
double norm2(Cx<R> x) {
  return static_cast<double>(x.re) * x.re + static_cast<double>(x.im) * x.im;
}

}  // namespace flambeau::linalg
