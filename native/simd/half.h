// float16 and bfloat16 from and to float, in bulk.
#pragma once
#include "simd/vec.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

// The scalar forms are free of branches, so that the compiler makes vectors of them where there is no instruction.
FLAMBEAU_INLINE float to_float(Half h) {
  uint32_t magnitude = static_cast<uint32_t>(h.bits & 0x7fff) << 13;
  // Scaling by 2^112 moves the exponent's bias and makes subnormals normal in one exact multiplication.
  uint32_t finite = __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, magnitude) * 0x1p112f);
  uint32_t special = magnitude | 0x7f800000 | (magnitude > 0x0f800000 ? 0x400000 : 0);  // infinity, quiet NaN
  uint32_t sign = static_cast<uint32_t>(h.bits & 0x8000) << 16;
  return __builtin_bit_cast(float, (magnitude >= 0x0f800000 ? special : finite) | sign);
}
FLAMBEAU_INLINE Half to_half(float x) {
  uint32_t u = __builtin_bit_cast(uint32_t, x), sign = u >> 16 & 0x8000;
  u &= 0x7fffffff;
  uint32_t nan_or_inf = u > 0x7f800000 ? 0x7e00 | (u >> 13 & 0x3ff) : 0x7c00;
  // Adding 1/2 aligns a subnormal's last bit with float's, and the addition rounds it to even.
  uint32_t subnormal = __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, u) + 0.5f) - 0x3f000000;
  uint32_t normal = (u - 0x38000000 + 0xfff + (u >> 13 & 1)) >> 13;
  uint32_t r = u >= 0x47800000 ? nan_or_inf : u < 0x38800000 ? subnormal : normal;
  return {static_cast<uint16_t>(r | sign)};
}
FLAMBEAU_INLINE float to_float(BFloat16 b) { return __builtin_bit_cast(float, static_cast<uint32_t>(b.bits) << 16); }
FLAMBEAU_INLINE BFloat16 to_bfloat16(float x) {
  uint32_t u = __builtin_bit_cast(uint32_t, x);
  uint32_t rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16;
  return {static_cast<uint16_t>((u & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded)};
}

inline void convert_halves(int64_t n, const Half* in, float* out) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= n; i += 16)
    _mm512_storeu_ps(out + i, _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i))));
#elif defined(__F16C__)
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
#elif defined(__aarch64__)
  for (; i + 4 <= n; i += 4) vst1q_f32(out + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(&in[i].bits))));
#endif
  for (; i < n; i++) out[i] = to_float(in[i]);
}
inline void convert_halves(int64_t n, const float* in, Half* out) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= n; i += 16)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm512_cvtps_ph(_mm512_loadu_ps(in + i), 0));
#elif defined(__F16C__)
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm256_cvtps_ph(_mm256_loadu_ps(in + i), 0));
#elif defined(__aarch64__)
  for (; i + 4 <= n; i += 4) vst1_u16(&out[i].bits, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(in + i))));
#endif
  for (; i < n; i++) out[i] = to_half(in[i]);
}
inline void convert_halves(int64_t n, const BFloat16* in, float* out) {
  for (int64_t i = 0; i < n; i++) out[i] = to_float(in[i]);
}
inline void convert_halves(int64_t n, const float* in, BFloat16* out) {
  for (int64_t i = 0; i < n; i++) out[i] = to_bfloat16(in[i]);
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
