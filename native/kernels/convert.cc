// Conversion between all pairs of element types: one loop per pair, which the compiler turns into vectors; float16 and
// bfloat16 go through float, in tiles that stay in the first-level cache.
#include "kernels/set.h"

#include "kernels/convert.h"
#include "simd/access.h"
#include "simd/half.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

struct Truth {
  uint8_t value;
};

template <class T>
struct Kind {
  static constexpr bool kFloat = false, kComplex = false;
};
template <>
struct Kind<float> {
  static constexpr bool kFloat = true, kComplex = false;
};
template <>
struct Kind<double> : Kind<float> {};
template <class T>
struct Kind<Complex<T>> {
  static constexpr bool kFloat = false, kComplex = true;
};

// Out of range it is the lowest integer, as the x86 instruction has it; C++ leaves it undefined.
template <class I, class F>
FLAMBEAU_INLINE I truncate(F x) {
  constexpr F kLimit = static_cast<F>(static_cast<uint64_t>(1) << (sizeof(I) * 8 - 1));
  constexpr I kLowest = sizeof(I) == 8 ? static_cast<I>(INT64_MIN) : static_cast<I>(INT32_MIN);
  return x >= -kLimit && x < kLimit ? static_cast<I>(x) : kLowest;
}

template <class To, class From>
struct Cast {
  static FLAMBEAU_INLINE To of(From x) {
    if constexpr (Kind<From>::kComplex) {
      return Cast<To, typename From::Lane>::of(x.re);
    } else if constexpr (Kind<To>::kComplex) {
      return To(Cast<typename To::Lane, From>::of(x));
    } else if constexpr (Kind<From>::kFloat && !Kind<To>::kFloat) {
      if constexpr (sizeof(To) == 8 || static_cast<To>(-1) > 0)  // uint8 takes the low bits of 64
        return static_cast<To>(truncate<int64_t>(x));
      else
        return static_cast<To>(truncate<int32_t>(x));
    } else {
      return static_cast<To>(x);
    }
  }
};
template <class T, class S>
struct Cast<Complex<T>, Complex<S>> {
  static FLAMBEAU_INLINE Complex<T> of(Complex<S> x) { return {static_cast<T>(x.re), static_cast<T>(x.im)}; }
};
template <class From>
struct Cast<Truth, From> {
  static FLAMBEAU_INLINE Truth of(From x) { return {static_cast<uint8_t>(x != From(0))}; }
};
template <class To>
struct Cast<To, Truth> {
  static FLAMBEAU_INLINE To of(Truth x) { return Cast<To, uint8_t>::of(x.value); }
};
template <>
struct Cast<Truth, Truth> {
  static FLAMBEAU_INLINE Truth of(Truth x) { return x; }
};

using LoopFn = void (*)(int64_t n, const void* in, void* out);

template <class To, class From>
void loop(int64_t n, const void* in, void* out) {
  const From* a = static_cast<const From*>(in);
  To* b = static_cast<To*>(out);
  for (int64_t i = 0; i < n; i++) b[i] = Cast<To, From>::of(a[i]);
}

// In the order of DType; float16 and bfloat16 have no loop of their own.
template <class From>
constexpr LoopFn kTo[kDTypeCount] = {loop<uint8_t, From>,         loop<int8_t, From>,  loop<int16_t, From>,
                                     loop<int32_t, From>,         loop<int64_t, From>, nullptr,
                                     loop<float, From>,           loop<double, From>,  loop<Complex<float>, From>,
                                     loop<Complex<double>, From>, loop<Truth, From>,   nullptr};
constexpr const LoopFn* kFrom[kDTypeCount] = {
    kTo<uint8_t>, kTo<int8_t>, kTo<int16_t>,        kTo<int32_t>,         kTo<int64_t>, nullptr,
    kTo<float>,   kTo<double>, kTo<Complex<float>>, kTo<Complex<double>>, kTo<Truth>,   nullptr};

constexpr bool is_half(DType t) { return t == DType::F16 || t == DType::BF16; }

void from_half(DType from, int64_t n, const void* in, float* out) {
  if (from == DType::F16)
    convert_halves(n, static_cast<const Half*>(in), out);
  else
    convert_halves(n, static_cast<const BFloat16*>(in), out);
}
void to_half_type(DType to, int64_t n, const float* in, void* out) {
  if (to == DType::F16)
    convert_halves(n, in, static_cast<Half*>(out));
  else
    convert_halves(n, in, static_cast<BFloat16*>(out));
}

void convert(DType from, DType to, int64_t n, const void* in, void* out) {
  if (from == to) {
    if (in != out) __builtin_memmove(out, in, static_cast<uint64_t>(n) * static_cast<uint64_t>(item_size(from)));
    return;
  }
  if (!is_half(from) && !is_half(to)) return kFrom[static_cast<int>(from)][static_cast<int>(to)](n, in, out);
  if (to == DType::F32) return from_half(from, n, in, static_cast<float*>(out));
  if (from == DType::F32) return to_half_type(to, n, static_cast<const float*>(in), out);
  constexpr int64_t kTile = 1024;
  float tile[kTile];
  const char* p = static_cast<const char*>(in);
  char* q = static_cast<char*>(out);
  for (int64_t i = 0; i < n; i += kTile) {
    int64_t count = n - i < kTile ? n - i : kTile;
    const char* source = p + i * item_size(from);
    char* target = q + i * item_size(to);
    if (is_half(from))
      from_half(from, count, source, tile);
    else
      kFrom[static_cast<int>(from)][static_cast<int>(DType::F32)](count, source, tile);
    if (is_half(to))
      to_half_type(to, count, tile, target);
    else
      kFrom[static_cast<int>(DType::F32)][static_cast<int>(to)](count, tile, target);
  }
}

void stream(int64_t bytes, const void* in, void* out) {
  constexpr int64_t kLine = 64;
  using V = Vec<float>;
  const char* p = static_cast<const char*>(in);
  char* q = static_cast<char*>(out);
  int64_t head = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(q) & (kLine - 1));
  if (head > bytes) head = bytes;
  __builtin_memcpy(q, p, static_cast<uint64_t>(head));
  int64_t i = head;
  for (; i + kLine <= bytes; i += kLine)
    for (int64_t j = i; j < i + kLine; j += FLAMBEAU_VEC_BYTES)
      V::load(reinterpret_cast<const float*>(p + j)).stream(reinterpret_cast<float*>(q + j));
  __builtin_memcpy(q + i, p + i, static_cast<uint64_t>(bytes - i));
}

void stream_end() { arch::stream_end(); }

}  // namespace

void fill(ConvertKernels& k) {
  k.convert = convert;
  k.stream = stream;
  k.stream_end = stream_end;
}

}  // namespace flambeau::FLAMBEAU_SET
