// Vec<T>: one register of the instruction set that the file is compiled for, over GCC/Clang vector extensions, with
// intrinsics (simd/x86.h, simd/neon.h) where the extensions have no word for it. All of it is in an anonymous
// namespace: each instruction set's object must keep its own copy, or the linker could merge AVX code into the
// baseline.
#pragma once
#include <stdint.h>

#include "kernels/set.h"

#if defined(__AVX512F__)
#define FLAMBEAU_VEC_BYTES 64
#elif defined(__AVX2__)
#define FLAMBEAU_VEC_BYTES 32
#else
#define FLAMBEAU_VEC_BYTES 16
#endif

#define FLAMBEAU_INLINE inline __attribute__((always_inline))

// Before a loop: how many times the compiler may repeat its body. 1 keeps large bodies single.
#define FLAMBEAU_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define FLAMBEAU_UNROLL(n) FLAMBEAU_PRAGMA(clang loop unroll_count(n))
#else
#define FLAMBEAU_UNROLL(n) FLAMBEAU_PRAGMA(GCC unroll n)
#endif

namespace flambeau::FLAMBEAU_SET {
namespace {

// The signed integer of the same width, for the bits of a floating-point number.
template <class T>
struct BitsOf;
template <>
struct BitsOf<float> {
  using Type = int32_t;
};
template <>
struct BitsOf<double> {
  using Type = int64_t;
};
template <>
struct BitsOf<int32_t> {
  using Type = int32_t;
};
template <>
struct BitsOf<int64_t> {
  using Type = int64_t;
};

// The type whose arithmetic wraps around where the signed integer's is undefined on overflow.
template <class T>
struct WrappingOf {
  using Type = T;
};
template <>
struct WrappingOf<int32_t> {
  using Type = uint32_t;
};
template <>
struct WrappingOf<int64_t> {
  using Type = uint64_t;
};

template <class T>
struct RawOf {
  typedef T Type __attribute__((vector_size(FLAMBEAU_VEC_BYTES)));
};
template <class T>
using Raw = typename RawOf<T>::Type;
template <class T>
using Bits = typename BitsOf<T>::Type;

template <class T>
inline constexpr int kLanes = FLAMBEAU_VEC_BYTES / static_cast<int>(sizeof(T));

using RawF32 = Raw<float>;
using RawF64 = Raw<double>;

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET

#if defined(__x86_64__)
#include "simd/x86.h"
#elif defined(__aarch64__)
#include "simd/neon.h"
#else
#error "flambeau's kernels are written for x86-64 and arm64"
#endif

namespace flambeau::FLAMBEAU_SET {
namespace {

// One truth value per lane: all bits set or none.
template <class T>
struct Mask {
  using R = decltype(Raw<T>{} < Raw<T>{});
  R v;
};

template <class T>
FLAMBEAU_INLINE Mask<T> operator&(Mask<T> a, Mask<T> b) {
  return {a.v & b.v};
}
template <class T>
FLAMBEAU_INLINE Mask<T> operator|(Mask<T> a, Mask<T> b) {
  return {a.v | b.v};
}
template <class T>
FLAMBEAU_INLINE Mask<T> operator^(Mask<T> a, Mask<T> b) {
  return {a.v ^ b.v};
}
template <class T>
FLAMBEAU_INLINE Mask<T> operator!(Mask<T> a) {
  return {~a.v};
}
template <class T>
FLAMBEAU_INLINE bool any(Mask<T> m) {
  return arch::any_bit((Raw<int64_t>)m.v);
}
template <class T>
FLAMBEAU_INLINE bool all(Mask<T> m) {
  return !any(!m);
}

template <class T>
struct Vec {
  using Lane = T;
  using R = Raw<T>;
  using Wrapping = Raw<typename WrappingOf<T>::Type>;
  static constexpr int N = kLanes<T>;

  R v;

  Vec() = default;
  FLAMBEAU_INLINE Vec(R raw) : v(raw) {}
  FLAMBEAU_INLINE Vec(T scalar) : v(scalar - R{}) {}  // minus zero keeps the sign of -0.0, plus zero would not

  static FLAMBEAU_INLINE Vec load(const T* p) {
    R r;
    __builtin_memcpy(&r, p, sizeof(R));
    return r;
  }
  // The first n < N lanes; the others are 0 and their memory is not touched.
  static FLAMBEAU_INLINE Vec load(const T* p, int n) { return arch::load_part(p, n); }
  FLAMBEAU_INLINE void store(T* p) const { __builtin_memcpy(p, &v, sizeof(R)); }
  FLAMBEAU_INLINE void store(T* p, int n) const { arch::store_part(p, n, v); }
  // Past the caches, to a place that streams() allows; arch::stream_end() has to follow.
  FLAMBEAU_INLINE void stream(T* p) const { arch::stream(p, v); }
  FLAMBEAU_INLINE T operator[](int i) const { return v[i]; }

  friend FLAMBEAU_INLINE Vec operator+(Vec a, Vec b) { return (R)((Wrapping)a.v + (Wrapping)b.v); }
  friend FLAMBEAU_INLINE Vec operator-(Vec a, Vec b) { return (R)((Wrapping)a.v - (Wrapping)b.v); }
  friend FLAMBEAU_INLINE Vec operator*(Vec a, Vec b) { return (R)((Wrapping)a.v * (Wrapping)b.v); }
  friend FLAMBEAU_INLINE Vec operator/(Vec a, Vec b) { return a.v / b.v; }
  friend FLAMBEAU_INLINE Vec operator&(Vec a, Vec b) { return a.v & b.v; }
  friend FLAMBEAU_INLINE Vec operator|(Vec a, Vec b) { return a.v | b.v; }
  friend FLAMBEAU_INLINE Vec operator^(Vec a, Vec b) { return a.v ^ b.v; }
  friend FLAMBEAU_INLINE Vec operator~(Vec a) { return ~a.v; }
  friend FLAMBEAU_INLINE Vec operator-(Vec a) { return (R)(-(Wrapping)a.v); }
  FLAMBEAU_INLINE Vec& operator+=(Vec b) { return *this = *this + b; }
  FLAMBEAU_INLINE Vec& operator-=(Vec b) { return *this = *this - b; }
  FLAMBEAU_INLINE Vec& operator*=(Vec b) { return *this = *this * b; }

  friend FLAMBEAU_INLINE Mask<T> operator==(Vec a, Vec b) { return {a.v == b.v}; }
  friend FLAMBEAU_INLINE Mask<T> operator!=(Vec a, Vec b) { return {a.v != b.v}; }
  friend FLAMBEAU_INLINE Mask<T> operator<(Vec a, Vec b) { return {a.v < b.v}; }
  friend FLAMBEAU_INLINE Mask<T> operator<=(Vec a, Vec b) { return {a.v <= b.v}; }
  friend FLAMBEAU_INLINE Mask<T> operator>(Vec a, Vec b) { return {a.v > b.v}; }
  friend FLAMBEAU_INLINE Mask<T> operator>=(Vec a, Vec b) { return {a.v >= b.v}; }

  friend FLAMBEAU_INLINE Vec select(Mask<T> m, Vec a, Vec b) { return m.v ? a.v : b.v; }
};

// Whether vectors may be streamed to p and what follows it.
FLAMBEAU_INLINE bool streams(const void* p) { return reinterpret_cast<uintptr_t>(p) % FLAMBEAU_VEC_BYTES == 0; }

// True in the first n lanes.
template <class T>
FLAMBEAU_INLINE Mask<T> first_lanes(int n) {
  Raw<Bits<T>> index;
  for (int i = 0; i < kLanes<T>; i++) index[i] = i;
  return {(typename Mask<T>::R)(index < Vec<Bits<T>>(static_cast<Bits<T>>(n)).v)};
}

using VF32 = Vec<float>;
using VF64 = Vec<double>;
using VI64 = Vec<int64_t>;

template <class T>
FLAMBEAU_INLINE Vec<Bits<T>> bits(Vec<T> x) {
  return (Raw<Bits<T>>)x.v;
}
FLAMBEAU_INLINE VF32 from_bits(Vec<int32_t> x) { return (RawF32)x.v; }
FLAMBEAU_INLINE VF64 from_bits(VI64 x) { return (RawF64)x.v; }

// Shift every lane by the same number of bits, filling with zeros.
template <class T>
FLAMBEAU_INLINE Vec<T> shl(Vec<T> x, int n) {
  return x.v << n;
}
template <class T>
FLAMBEAU_INLINE Vec<T> shr(Vec<T> x, int n) {
  return (Raw<T>)((typename Vec<T>::Wrapping)x.v >> n);
}

template <class T>
inline constexpr T kSignBit = static_cast<T>(1) << (sizeof(T) * 8 - 1);

// Lane by lane through a scalar function, for what has no vector form.
template <class T, class F>
FLAMBEAU_INLINE Vec<T> map(Vec<T> x, F f) {
  T a[Vec<T>::N];
  x.store(a);
  FLAMBEAU_UNROLL(1)
  for (int i = 0; i < Vec<T>::N; i++) a[i] = f(a[i]);
  return Vec<T>::load(a);
}
template <class T, class F>
FLAMBEAU_INLINE Vec<T> map(Vec<T> x, Vec<T> y, F f) {
  T a[Vec<T>::N], b[Vec<T>::N];
  x.store(a);
  y.store(b);
  FLAMBEAU_UNROLL(1)
  for (int i = 0; i < Vec<T>::N; i++) a[i] = f(a[i], b[i]);
  return Vec<T>::load(a);
}

// a * b + c, rounded once where the set has the instruction and twice where it has not (baseline): algorithms may gain
// accuracy by it but must not depend on it.
FLAMBEAU_INLINE VF32 fma(VF32 a, VF32 b, VF32 c) { return arch::fma(a.v, b.v, c.v); }
FLAMBEAU_INLINE VF64 fma(VF64 a, VF64 b, VF64 c) { return arch::fma(a.v, b.v, c.v); }
FLAMBEAU_INLINE VI64 fma(VI64 a, VI64 b, VI64 c) { return a * b + c; }

#define FLAMBEAU_ROUNDING(name)                                 \
  FLAMBEAU_INLINE VF32 name(VF32 x) { return arch::name(x.v); } \
  FLAMBEAU_INLINE VF64 name(VF64 x) { return arch::name(x.v); } \
  FLAMBEAU_INLINE VI64 name(VI64 x) { return x; }
FLAMBEAU_ROUNDING(floor)
FLAMBEAU_ROUNDING(ceil)
FLAMBEAU_ROUNDING(trunc)
FLAMBEAU_ROUNDING(round)  // half to even
#undef FLAMBEAU_ROUNDING

FLAMBEAU_INLINE VF32 sqrt(VF32 x) { return arch::sqrt(x.v); }
FLAMBEAU_INLINE VF64 sqrt(VF64 x) { return arch::sqrt(x.v); }

// 1 / x to 14 bits at least, as a start for what corrects it.
#if FLAMBEAU_FUSED
FLAMBEAU_INLINE VF32 rough_reciprocal(VF32 x) { return arch::rough_reciprocal(x.v); }
#endif
FLAMBEAU_INLINE VF64 rough_reciprocal(VF64 x) { return VF64(1) / x; }

FLAMBEAU_INLINE VF32 abs(VF32 x) { return from_bits(bits(x) & Vec<int32_t>(~kSignBit<int32_t>)); }
FLAMBEAU_INLINE VF64 abs(VF64 x) { return from_bits(bits(x) & VI64(~kSignBit<int64_t>)); }
FLAMBEAU_INLINE VI64 abs(VI64 x) { return select(x < VI64(0), -x, x); }

// The bits of x's sign, to be flipped into or joined with another number.
FLAMBEAU_INLINE Vec<int32_t> sign_bits(VF32 x) { return bits(x) & Vec<int32_t>(kSignBit<int32_t>); }
FLAMBEAU_INLINE VI64 sign_bits(VF64 x) { return bits(x) & VI64(kSignBit<int64_t>); }
template <class T>
FLAMBEAU_INLINE Vec<T> copysign(Vec<T> x, Vec<T> y) {
  return from_bits(bits(abs(x)) | sign_bits(y));
}
template <class T>
FLAMBEAU_INLINE Vec<T> flip_sign(Vec<T> x, Vec<T> y) {  // x times the sign of y
  return from_bits(bits(x) ^ sign_bits(y));
}

// The instruction's minimum and maximum: the SECOND operand where either is NaN.
FLAMBEAU_INLINE VF32 min_second(VF32 a, VF32 b) { return arch::min(a.v, b.v); }
FLAMBEAU_INLINE VF64 min_second(VF64 a, VF64 b) { return arch::min(a.v, b.v); }
FLAMBEAU_INLINE VI64 min_second(VI64 a, VI64 b) { return select(a < b, a, b); }
FLAMBEAU_INLINE VF32 max_second(VF32 a, VF32 b) { return arch::max(a.v, b.v); }
FLAMBEAU_INLINE VF64 max_second(VF64 a, VF64 b) { return arch::max(a.v, b.v); }
FLAMBEAU_INLINE VI64 max_second(VI64 a, VI64 b) { return select(a > b, a, b); }

// NaN where either operand is NaN.
template <class T>
FLAMBEAU_INLINE Vec<T> min(Vec<T> a, Vec<T> b) {
  return select(a != a, a, min_second(a, b));
}
template <class T>
FLAMBEAU_INLINE Vec<T> max(Vec<T> a, Vec<T> b) {
  return select(a != a, a, max_second(a, b));
}
FLAMBEAU_INLINE VI64 min(VI64 a, VI64 b) { return min_second(a, b); }
FLAMBEAU_INLINE VI64 max(VI64 a, VI64 b) { return max_second(a, b); }

// The other operand where one is NaN.
template <class T>
FLAMBEAU_INLINE Vec<T> fmin(Vec<T> a, Vec<T> b) {
  return select(b != b, a, min_second(a, b));
}
template <class T>
FLAMBEAU_INLINE Vec<T> fmax(Vec<T> a, Vec<T> b) {
  return select(b != b, a, max_second(a, b));
}

// Over the lanes, in a tree.
FLAMBEAU_INLINE float sum(VF32 x) { return arch::sum(x.v); }
FLAMBEAU_INLINE double sum(VF64 x) { return arch::sum(x.v); }
FLAMBEAU_INLINE float max(VF32 x) { return arch::max(x.v); }  // undefined if there is a NaN
FLAMBEAU_INLINE double max(VF64 x) { return arch::max(x.v); }
FLAMBEAU_INLINE float min(VF32 x) { return arch::min(x.v); }
FLAMBEAU_INLINE double min(VF64 x) { return arch::min(x.v); }
FLAMBEAU_INLINE int64_t sum(VI64 x) {
  uint64_t s = 0;  // integers wrap around
  for (int i = 0; i < VI64::N; i++) s += static_cast<uint64_t>(x[i]);
  return static_cast<int64_t>(s);
}
FLAMBEAU_INLINE int64_t max(VI64 x) {
  int64_t s = x[0];
  for (int i = 1; i < VI64::N; i++) s = x[i] > s ? x[i] : s;
  return s;
}
FLAMBEAU_INLINE int64_t min(VI64 x) {
  int64_t s = x[0];
  for (int i = 1; i < VI64::N; i++) s = x[i] < s ? x[i] : s;
  return s;
}

// Masks as bytes of 0 and 1, and back from bytes (nonzero is true).
template <class T>
FLAMBEAU_INLINE void store_bool(Mask<T> m, uint8_t* p) {
  arch::store_bool(m.v, p);
}
template <class T>
FLAMBEAU_INLINE Mask<T> load_bool(const uint8_t* p) {
  Raw<Bits<T>> wide = arch::load_bytes(p, Bits<T>{});
  return {(typename Mask<T>::R)(wide != Raw<Bits<T>>{})};
}

// A float vector as two of doubles and back.
FLAMBEAU_INLINE VF64 widen_low(VF32 x) { return arch::widen_low(x.v); }
FLAMBEAU_INLINE VF64 widen_high(VF32 x) { return arch::widen_high(x.v); }
FLAMBEAU_INLINE VF32 narrow(VF64 low, VF64 high) { return arch::narrow(low.v, high.v); }

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
