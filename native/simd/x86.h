// What the vector extensions do not say, in SSE4.2, AVX2 + FMA or AVX-512 (F, BW, DQ, VL). Included by simd/vec.h only.
#pragma once

// GCC 12's AVX-512 header makes undefined registers by initialising a variable with itself, and warns about it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#include "simd/shown.h"

namespace flambeau::FLAMBEAU_SET {
namespace {
namespace arch {

#if defined(__AVX512F__)

#define FLAMBEAU_FUSED 1  // fma() rounds once
FLAMBEAU_INLINE __m512 fma(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
FLAMBEAU_INLINE __m512d fma(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
FLAMBEAU_INLINE __m512 sqrt(__m512 x) { return _mm512_sqrt_ps(x); }
FLAMBEAU_INLINE __m512d sqrt(__m512d x) { return _mm512_sqrt_pd(x); }
FLAMBEAU_INLINE __m512 min(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
FLAMBEAU_INLINE __m512d min(__m512d a, __m512d b) { return _mm512_min_pd(a, b); }
FLAMBEAU_INLINE __m512 max(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
FLAMBEAU_INLINE __m512d max(__m512d a, __m512d b) { return _mm512_max_pd(a, b); }

#define FLAMBEAU_ROUNDING(name, mode)                                                                 \
  FLAMBEAU_INLINE __m512 name(__m512 x) { return _mm512_roundscale_ps(x, mode | _MM_FROUND_NO_EXC); } \
  FLAMBEAU_INLINE __m512d name(__m512d x) { return _mm512_roundscale_pd(x, mode | _MM_FROUND_NO_EXC); }

// 1 / x to 14 bits at least.
FLAMBEAU_INLINE __m512 rough_reciprocal(__m512 x) { return _mm512_rcp14_ps(x); }

// A register to an aligned place, past the caches.
template <class R>
FLAMBEAU_INLINE void stream(void* out, R v) {
  show_write(out, sizeof(v));
  _mm512_stream_si512(static_cast<__m512i*>(out), (__m512i)v);
}

// x * 2^n with one rounding, for every n.
FLAMBEAU_INLINE __m512 scale(__m512 x, __m512 n) { return _mm512_scalef_ps(x, n); }
FLAMBEAU_INLINE __m512d scale(__m512d x, __m512d n) { return _mm512_scalef_pd(x, n); }

FLAMBEAU_INLINE __m512d widen_low(__m512 x) { return _mm512_cvtps_pd(_mm512_castps512_ps256(x)); }
FLAMBEAU_INLINE __m512d widen_high(__m512 x) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)); }
FLAMBEAU_INLINE __m512 narrow(__m512d low, __m512d high) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
}

FLAMBEAU_INLINE bool any_bit(Raw<int64_t> x) { return _mm512_test_epi64_mask((__m512i)x, (__m512i)x) != 0; }

FLAMBEAU_INLINE void store_bool(Raw<int32_t> m, uint8_t* p) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_maskz_set1_epi8(_mm512_movepi32_mask((__m512i)m), 1));
}
FLAMBEAU_INLINE void store_bool(Raw<int64_t> m, uint8_t* p) {
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_maskz_set1_epi8(_mm512_movepi64_mask((__m512i)m), 1));
}

template <class T>
FLAMBEAU_INLINE Raw<T> load_part(const T* p, int n) {
  show_read(p, n * static_cast<int64_t>(sizeof(T)));
  if constexpr (sizeof(T) == 4)
    return (Raw<T>)_mm512_maskz_loadu_epi32(static_cast<__mmask16>((1u << n) - 1), p);
  else
    return (Raw<T>)_mm512_maskz_loadu_epi64(static_cast<__mmask8>((1u << n) - 1), p);
}
template <class T>
FLAMBEAU_INLINE void store_part(T* p, int n, Raw<T> v) {
  show_write(p, n * static_cast<int64_t>(sizeof(T)));
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_epi32(p, static_cast<__mmask16>((1u << n) - 1), (__m512i)v);
  else
    _mm512_mask_storeu_epi64(p, static_cast<__mmask8>((1u << n) - 1), (__m512i)v);
}

// kLanes bytes as integers of 4 or 8 bytes, sign-extended.
FLAMBEAU_INLINE Raw<int32_t> load_bytes(const uint8_t* p, int32_t) {
  return (Raw<int32_t>)_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
FLAMBEAU_INLINE Raw<int64_t> load_bytes(const uint8_t* p, int64_t) {
  return (Raw<int64_t>)_mm512_cvtepi8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}

#elif defined(__AVX2__)

#define FLAMBEAU_FUSED 1
FLAMBEAU_INLINE __m256 fma(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
FLAMBEAU_INLINE __m256d fma(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
FLAMBEAU_INLINE __m256 sqrt(__m256 x) { return _mm256_sqrt_ps(x); }
FLAMBEAU_INLINE __m256d sqrt(__m256d x) { return _mm256_sqrt_pd(x); }
FLAMBEAU_INLINE __m256 min(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
FLAMBEAU_INLINE __m256d min(__m256d a, __m256d b) { return _mm256_min_pd(a, b); }
FLAMBEAU_INLINE __m256 max(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
FLAMBEAU_INLINE __m256d max(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }

#define FLAMBEAU_ROUNDING(name, mode)                                                            \
  FLAMBEAU_INLINE __m256 name(__m256 x) { return _mm256_round_ps(x, mode | _MM_FROUND_NO_EXC); } \
  FLAMBEAU_INLINE __m256d name(__m256d x) { return _mm256_round_pd(x, mode | _MM_FROUND_NO_EXC); }

template <class R>
FLAMBEAU_INLINE void stream(void* out, R v) {
  show_write(out, sizeof(v));
  _mm256_stream_si256(static_cast<__m256i*>(out), (__m256i)v);
}

FLAMBEAU_INLINE __m256 rough_reciprocal(__m256 x) {
  __m256 r = _mm256_rcp_ps(x);
  return _mm256_fmadd_ps(r, _mm256_fnmadd_ps(x, r, _mm256_set1_ps(1)), r);
}

FLAMBEAU_INLINE __m256d widen_low(__m256 x) { return _mm256_cvtps_pd(_mm256_castps256_ps128(x)); }
FLAMBEAU_INLINE __m256d widen_high(__m256 x) { return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)); }
FLAMBEAU_INLINE __m256 narrow(__m256d low, __m256d high) {
  return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
}

FLAMBEAU_INLINE bool any_bit(Raw<int64_t> x) { return !_mm256_testz_si256((__m256i)x, (__m256i)x); }

FLAMBEAU_INLINE void store_bool(Raw<int32_t> m, uint8_t* p) {
  __m128i half = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)m), _mm256_extracti128_si256((__m256i)m, 1));
  __m128i bytes = _mm_packs_epi16(half, half);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_and_si128(bytes, _mm_set1_epi8(1)));
}
FLAMBEAU_INLINE void store_bool(Raw<int64_t> m, uint8_t* p) {
  __m128i words = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)m), _mm256_extracti128_si256((__m256i)m, 1));
  __m128i half = _mm_packs_epi32(words, words);
  int bytes = _mm_cvtsi128_si32(_mm_packs_epi16(half, half)) & 0x01010101;
  __builtin_memcpy(p, &bytes, 4);
}

// All bits set in the first n lanes of 4 or 8 bytes.
template <int kSize>
FLAMBEAU_INLINE __m256i first_lanes(int n) {
  if constexpr (kSize == 4)
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  else
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
template <class T>
FLAMBEAU_INLINE Raw<T> load_part(const T* p, int n) {
  show_read(p, n * static_cast<int64_t>(sizeof(T)));
  __m256i m = first_lanes<sizeof(T)>(n);
  if constexpr (sizeof(T) == 4)
    return (Raw<T>)_mm256_maskload_epi32(reinterpret_cast<const int*>(p), m);
  else
    return (Raw<T>)_mm256_maskload_epi64(reinterpret_cast<const long long*>(p), m);
}
template <class T>
FLAMBEAU_INLINE void store_part(T* p, int n, Raw<T> v) {
  show_write(p, n * static_cast<int64_t>(sizeof(T)));
  __m256i m = first_lanes<sizeof(T)>(n);
  if constexpr (sizeof(T) == 4)
    _mm256_maskstore_epi32(reinterpret_cast<int*>(p), m, (__m256i)v);
  else
    _mm256_maskstore_epi64(reinterpret_cast<long long*>(p), m, (__m256i)v);
}

// kLanes bytes as integers of 4 or 8 bytes, sign-extended.
FLAMBEAU_INLINE Raw<int32_t> load_bytes(const uint8_t* p, int32_t) {
  return (Raw<int32_t>)_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
FLAMBEAU_INLINE Raw<int64_t> load_bytes(const uint8_t* p, int64_t) {
  int32_t bytes;
  __builtin_memcpy(&bytes, p, 4);
  return (Raw<int64_t>)_mm256_cvtepi8_epi64(_mm_cvtsi32_si128(bytes));
}

#else

#define FLAMBEAU_FUSED 0
template <class R>
FLAMBEAU_INLINE void stream(void* out, R v) {
  show_write(out, sizeof(v));
  _mm_stream_si128(static_cast<__m128i*>(out), (__m128i)v);
}

FLAMBEAU_INLINE __m128 fma(__m128 a, __m128 b, __m128 c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
FLAMBEAU_INLINE __m128d fma(__m128d a, __m128d b, __m128d c) { return _mm_add_pd(_mm_mul_pd(a, b), c); }
FLAMBEAU_INLINE __m128 sqrt(__m128 x) { return _mm_sqrt_ps(x); }
FLAMBEAU_INLINE __m128d sqrt(__m128d x) { return _mm_sqrt_pd(x); }
FLAMBEAU_INLINE __m128 min(__m128 a, __m128 b) { return _mm_min_ps(a, b); }
FLAMBEAU_INLINE __m128d min(__m128d a, __m128d b) { return _mm_min_pd(a, b); }
FLAMBEAU_INLINE __m128 max(__m128 a, __m128 b) { return _mm_max_ps(a, b); }
FLAMBEAU_INLINE __m128d max(__m128d a, __m128d b) { return _mm_max_pd(a, b); }

#define FLAMBEAU_ROUNDING(name, mode)                                                         \
  FLAMBEAU_INLINE __m128 name(__m128 x) { return _mm_round_ps(x, mode | _MM_FROUND_NO_EXC); } \
  FLAMBEAU_INLINE __m128d name(__m128d x) { return _mm_round_pd(x, mode | _MM_FROUND_NO_EXC); }

FLAMBEAU_INLINE __m128d widen_low(__m128 x) { return _mm_cvtps_pd(x); }
FLAMBEAU_INLINE __m128d widen_high(__m128 x) { return _mm_cvtps_pd(_mm_movehl_ps(x, x)); }
FLAMBEAU_INLINE __m128 narrow(__m128d low, __m128d high) {
  return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}

FLAMBEAU_INLINE bool any_bit(Raw<int64_t> x) { return !_mm_testz_si128((__m128i)x, (__m128i)x); }

FLAMBEAU_INLINE void store_bool(Raw<int32_t> m, uint8_t* p) {
  __m128i half = _mm_packs_epi32((__m128i)m, (__m128i)m);
  int bytes = _mm_cvtsi128_si32(_mm_packs_epi16(half, half)) & 0x01010101;
  __builtin_memcpy(p, &bytes, 4);
}
FLAMBEAU_INLINE void store_bool(Raw<int64_t> m, uint8_t* p) {
  p[0] = m[0] & 1;
  p[1] = m[1] & 1;
}

template <class T>
FLAMBEAU_INLINE Raw<T> load_part(const T* p, int n) {
  Raw<T> r{};
  for (int i = 0; i < kLanes<T>; i++)
    if (i < n) r[i] = p[i];
  return r;
}
template <class T>
FLAMBEAU_INLINE void store_part(T* p, int n, Raw<T> v) {
  for (int i = 0; i < kLanes<T>; i++)
    if (i < n) p[i] = v[i];
}

// kLanes bytes as integers of 4 or 8 bytes, sign-extended.
FLAMBEAU_INLINE Raw<int32_t> load_bytes(const uint8_t* p, int32_t) {
  int32_t bytes;
  __builtin_memcpy(&bytes, p, 4);
  return (Raw<int32_t>)_mm_cvtepi8_epi32(_mm_cvtsi32_si128(bytes));
}
FLAMBEAU_INLINE Raw<int64_t> load_bytes(const uint8_t* p, int64_t) {
  int16_t bytes;
  __builtin_memcpy(&bytes, p, 2);
  return (Raw<int64_t>)_mm_cvtepi8_epi64(_mm_cvtsi32_si128(bytes));
}

#endif

FLAMBEAU_ROUNDING(floor, _MM_FROUND_TO_NEG_INF)
FLAMBEAU_ROUNDING(ceil, _MM_FROUND_TO_POS_INF)
FLAMBEAU_ROUNDING(trunc, _MM_FROUND_TO_ZERO)
FLAMBEAU_ROUNDING(round, _MM_FROUND_TO_NEAREST_INT)
#undef FLAMBEAU_ROUNDING

// What was streamed is seen by other threads only after it. It waits for all of it: once after a long run, not after a
// tile.
FLAMBEAU_INLINE void stream_end() { _mm_sfence(); }

// Horizontal operations: fold the register in halves down to 128 bits, then to one lane.
#define FLAMBEAU_FOLD(name, op_ps, op_pd, op_ss, op_sd)      \
  FLAMBEAU_INLINE float name##128(__m128 x) {                \
    x = op_ps(x, _mm_movehl_ps(x, x));                       \
    return _mm_cvtss_f32(op_ss(x, _mm_shuffle_ps(x, x, 1))); \
  }                                                          \
  FLAMBEAU_INLINE double name##128(__m128d x) { return _mm_cvtsd_f64(op_sd(x, _mm_unpackhi_pd(x, x))); }
FLAMBEAU_FOLD(sum, _mm_add_ps, _mm_add_pd, _mm_add_ss, _mm_add_sd)
FLAMBEAU_FOLD(max, _mm_max_ps, _mm_max_pd, _mm_max_ss, _mm_max_sd)
FLAMBEAU_FOLD(min, _mm_min_ps, _mm_min_pd, _mm_min_ss, _mm_min_sd)
#undef FLAMBEAU_FOLD

#if defined(__AVX512F__)
#define FLAMBEAU_HALVES(name, op)                                                            \
  FLAMBEAU_INLINE float name(__m512 x) {                                                     \
    __m256 y = _mm256_##op##_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));    \
    return name##128(_mm_##op##_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1))); \
  }                                                                                          \
  FLAMBEAU_INLINE double name(__m512d x) {                                                   \
    __m256d y = _mm256_##op##_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd(x, 1));   \
    return name##128(_mm_##op##_pd(_mm256_castpd256_pd128(y), _mm256_extractf128_pd(y, 1))); \
  }
#elif defined(__AVX2__)
#define FLAMBEAU_HALVES(name, op)                                                            \
  FLAMBEAU_INLINE float name(__m256 x) {                                                     \
    return name##128(_mm_##op##_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1))); \
  }                                                                                          \
  FLAMBEAU_INLINE double name(__m256d x) {                                                   \
    return name##128(_mm_##op##_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1))); \
  }
#else
#define FLAMBEAU_HALVES(name, op)                               \
  FLAMBEAU_INLINE float name(__m128 x) { return name##128(x); } \
  FLAMBEAU_INLINE double name(__m128d x) { return name##128(x); }
#endif
FLAMBEAU_HALVES(sum, add)
FLAMBEAU_HALVES(max, max)
FLAMBEAU_HALVES(min, min)
#undef FLAMBEAU_HALVES

}  // namespace arch
}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
