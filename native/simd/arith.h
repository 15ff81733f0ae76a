// Arithmetic beyond the operators: signs, tests, division and remainder in their several conventions, integer powers
// and bits. The rules for zeros, NaN and infinities are PyTorch's.
#pragma once
#include "simd/exp_log.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

template <class T>
FLAMBEAU_INLINE Mask<T> no_lane() {
  return {typename Mask<T>::R{}};
}

template <class T>
FLAMBEAU_INLINE Vec<T> sign(Vec<T> x) {  // 0 for NaN
  return select(x > Vec<T>(0), Vec<T>(1), select(x < Vec<T>(0), Vec<T>(-1), Vec<T>(0)));
}
template <class T>
FLAMBEAU_INLINE Vec<T> conj(Vec<T> x) {
  return x;
}
template <class T>
FLAMBEAU_INLINE Vec<T> real(Vec<T> x) {
  return x;
}
template <class T>
FLAMBEAU_INLINE Vec<T> imag(Vec<T>) {
  return Vec<T>(0);
}
template <class T>
FLAMBEAU_INLINE Vec<T> angle(Vec<T> x) {
  return select(x < Vec<T>(0), Vec<T>(static_cast<T>(kPi)), select(x != x, x, Vec<T>(0)));
}

template <class T>
FLAMBEAU_INLINE Mask<T> isnan(Vec<T> x) {
  return x != x;
}
template <class T>
FLAMBEAU_INLINE Mask<T> isposinf(Vec<T> x) {
  return x == Vec<T>(static_cast<T>(kInf));
}
template <class T>
FLAMBEAU_INLINE Mask<T> isneginf(Vec<T> x) {
  return x == Vec<T>(static_cast<T>(-kInf));
}
template <class T>
FLAMBEAU_INLINE Mask<T> isinf(Vec<T> x) {
  return isposinf(abs(x));
}
template <class T>
FLAMBEAU_INLINE Mask<T> isfinite(Vec<T> x) {
  return abs(x) < Vec<T>(static_cast<T>(kInf));
}
FLAMBEAU_INLINE Mask<int64_t> isposinf(VI64) { return no_lane<int64_t>(); }
FLAMBEAU_INLINE Mask<int64_t> isneginf(VI64) { return no_lane<int64_t>(); }
FLAMBEAU_INLINE Mask<int64_t> isinf(VI64) { return no_lane<int64_t>(); }
FLAMBEAU_INLINE Mask<int64_t> isfinite(VI64) { return !no_lane<int64_t>(); }
FLAMBEAU_INLINE Mask<float> signbit(VF32 x) { return {bits(x).v < Raw<int32_t>{}}; }
FLAMBEAU_INLINE Mask<double> signbit(VF64 x) { return {bits(x).v < Raw<int64_t>{}}; }
FLAMBEAU_INLINE Mask<int64_t> signbit(VI64 x) { return x < VI64(0); }

template <class T>
FLAMBEAU_INLINE Vec<T> nan_to_num(Vec<T> x, Vec<T> nan, Vec<T> posinf, Vec<T> neginf) {
  return select(isnan(x), nan, select(isposinf(x), posinf, select(isneginf(x), neginf, x)));
}
FLAMBEAU_INLINE VI64 nan_to_num(VI64 x, VI64, VI64, VI64) { return x; }

template <class T>
FLAMBEAU_INLINE Vec<T> heaviside(Vec<T> x, Vec<T> at_zero) {
  return select(x == Vec<T>(0), at_zero, select(x > Vec<T>(0), Vec<T>(1), Vec<T>(0)));
}

template <class V>
FLAMBEAU_INLINE V lerp(V a, V b, V w) {  // from the nearer end, so that w = 1 gives b
  auto near_a = abs(w) < 0.5f;
  return fma(select(near_a, w, w - V(1)), b - a, select(near_a, a, b));
}

// The remainder of truncating division, exact. In double lanes the quotient of two floats is right to the unit as long
// as it is below 2^29, where the product with a 24-bit divisor is still exact.
FLAMBEAU_INLINE VF32 fmod(VF32 x, VF32 y) {
  Mask<float> easy = abs(x) < abs(y) * VF32(0x1p28f);
  if (!all(easy & (abs(y) < VF32(static_cast<float>(kInf))))) [[unlikely]]
    return map(x, y, [](float a, float b) { return __builtin_fmodf(a, b); });
  return in_double(
      x, y, [](VF64 a, VF64 b) __attribute__((always_inline)) {
        VF64 r = a - trunc(a / b) * b, zero(0);
        // A quotient that rounded up to the next integer leaves a remainder of the wrong sign.
        r = select((r != zero) & signbit(flip_sign(r, a)), r + copysign(b, a), r);
        return copysign(r, a);
      });
}
FLAMBEAU_INLINE VF64 fmod(VF64 x, VF64 y) {
  return map(x, y, [](double a, double b) { return __builtin_fmod(a, b); });
}

// The remainder with the divisor's sign.
template <class T>
FLAMBEAU_INLINE Vec<T> remainder(Vec<T> x, Vec<T> y) {
  Vec<T> r = fmod(x, y), zero(0);
  return select((r != zero) & ((r < zero) ^ (y < zero)), r + y, r);
}
template <class T>
FLAMBEAU_INLINE Vec<T> trunc_divide(Vec<T> x, Vec<T> y) {
  return trunc(x / y);
}
// From the exact remainder, for floor(x / y) would be one too high where the quotient rounds up to an integer.
template <class T>
FLAMBEAU_INLINE Vec<T> floor_divide(Vec<T> x, Vec<T> y) {
  Vec<T> r = fmod(x, y), q = (x - r) / y, zero(0), one(1), half(static_cast<T>(0.5));
  q = select((r != zero) & ((r < zero) ^ (y < zero)), q - one, q);
  Vec<T> f = floor(q);
  f = select(q - f > half, f + one, f);
  f = select(q == zero, copysign(zero, x / y), f);
  return select(y == zero, x / y, f);
}

inline int64_t negate(int64_t a) { return static_cast<int64_t>(0 - static_cast<uint64_t>(a)); }
inline uint64_t magnitude(int64_t a) { return static_cast<uint64_t>(a < 0 ? negate(a) : a); }

// Division that cannot trap: by 0 it gives 0, and by -1 it negates with wrap-around.
inline int64_t divide(int64_t a, int64_t b) { return b == 0 ? 0 : b == -1 ? negate(a) : a / b; }
inline int64_t modulo(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }

FLAMBEAU_INLINE VI64 trunc_divide(VI64 x, VI64 y) { return map(x, y, divide); }
FLAMBEAU_INLINE VI64 fmod(VI64 x, VI64 y) { return map(x, y, modulo); }
FLAMBEAU_INLINE VI64 floor_divide(VI64 x, VI64 y) {
  return map(x, y, [](int64_t a, int64_t b) {
    int64_t r = modulo(a, b);
    return divide(a, b) - (r != 0 && (r < 0) != (b < 0));
  });
}

inline int64_t gcd(int64_t a, int64_t b) {
  uint64_t u = magnitude(a), v = magnitude(b);
  while (v != 0) {
    uint64_t r = u % v;
    u = v;
    v = r;
  }
  return static_cast<int64_t>(u);
}
FLAMBEAU_INLINE VI64 gcd(VI64 x, VI64 y) {
  return map(x, y, [](int64_t a, int64_t b) { return gcd(a, b); });
}
FLAMBEAU_INLINE VI64 lcm(VI64 x, VI64 y) {
  return map(x, y, [](int64_t a, int64_t b) {
    uint64_t g = magnitude(gcd(a, b));
    int64_t product = g == 0 ? 0 : static_cast<int64_t>(magnitude(a) / g * magnitude(b));
    return product < 0 ? negate(product) : product;
  });
}

// By squaring, with wrap-around. A negative exponent leaves the integers but for the bases 1 and -1: 0.
FLAMBEAU_INLINE VI64 pow(VI64 x, VI64 y) {
  return map(x, y, [](int64_t a, int64_t b) {
    if (b < 0) return static_cast<int64_t>(a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0);
    uint64_t base = static_cast<uint64_t>(a), r = 1;
    for (; b != 0; b >>= 1, base *= base)
      if (b & 1) r *= base;
    return static_cast<int64_t>(r);
  });
}

// Shifts by less than 0 or more than 63 behave as by 64: 0, or the sign.
FLAMBEAU_INLINE VI64 shift_left(VI64 x, VI64 y) {
  VI64 in_range = y & VI64(63);
  return select(in_range == y, VI64((Raw<int64_t>)((Raw<uint64_t>)x.v << (Raw<uint64_t>)in_range.v)), VI64(0));
}
FLAMBEAU_INLINE VI64 shift_right(VI64 x, VI64 y) {
  VI64 in_range = y & VI64(63);
  in_range = select(in_range == y, in_range, VI64(63));
  return x.v >> in_range.v;
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
