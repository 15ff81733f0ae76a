// What the vector extensions do not say, in NEON of arm64. Included by simd/vec.h only.
#pragma once
#include <arm_neon.h>

namespace flambeau::FLAMBEAU_SET {
namespace {
namespace arch {

#define FLAMBEAU_FUSED 1  // fma() rounds once
FLAMBEAU_INLINE RawF32 fma(RawF32 a, RawF32 b, RawF32 c) {
  return (RawF32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
FLAMBEAU_INLINE RawF64 fma(RawF64 a, RawF64 b, RawF64 c) {
  return (RawF64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}

template <class R>
FLAMBEAU_INLINE void stream(void* out, R v) {
  __builtin_memcpy(out, &v, sizeof(R));
}
FLAMBEAU_INLINE void stream_end() {}

// 1 / x to 14 bits at least.
FLAMBEAU_INLINE RawF32 rough_reciprocal(RawF32 x) {
  float32x4_t r = vrecpeq_f32((float32x4_t)x);
  return (RawF32)vmulq_f32(r, vrecpsq_f32((float32x4_t)x, r));
}

#define FLAMBEAU_UNARY(name, instruction)                                                      \
  FLAMBEAU_INLINE RawF32 name(RawF32 x) { return (RawF32)instruction##q_f32((float32x4_t)x); } \
  FLAMBEAU_INLINE RawF64 name(RawF64 x) { return (RawF64)instruction##q_f64((float64x2_t)x); }
FLAMBEAU_UNARY(sqrt, vsqrt)
FLAMBEAU_UNARY(floor, vrndm)
FLAMBEAU_UNARY(ceil, vrndp)
FLAMBEAU_UNARY(trunc, vrnd)
FLAMBEAU_UNARY(round, vrndn)
#undef FLAMBEAU_UNARY

// The second operand where either is NaN, as x86 has it; the instruction itself gives NaN.
FLAMBEAU_INLINE RawF32 min(RawF32 a, RawF32 b) { return a < b ? a : b; }
FLAMBEAU_INLINE RawF64 min(RawF64 a, RawF64 b) { return a < b ? a : b; }
FLAMBEAU_INLINE RawF32 max(RawF32 a, RawF32 b) { return a > b ? a : b; }
FLAMBEAU_INLINE RawF64 max(RawF64 a, RawF64 b) { return a > b ? a : b; }

#define FLAMBEAU_FOLD(name, instruction)                                              \
  FLAMBEAU_INLINE float name(RawF32 x) { return instruction##q_f32((float32x4_t)x); } \
  FLAMBEAU_INLINE double name(RawF64 x) { return instruction##q_f64((float64x2_t)x); }
FLAMBEAU_FOLD(sum, vaddv)
FLAMBEAU_FOLD(max, vmaxv)
FLAMBEAU_FOLD(min, vminv)
#undef FLAMBEAU_FOLD

FLAMBEAU_INLINE RawF64 widen_low(RawF32 x) { return (RawF64)vcvt_f64_f32(vget_low_f32((float32x4_t)x)); }
FLAMBEAU_INLINE RawF64 widen_high(RawF32 x) { return (RawF64)vcvt_high_f64_f32((float32x4_t)x); }
FLAMBEAU_INLINE RawF32 narrow(RawF64 low, RawF64 high) {
  return (RawF32)vcvt_high_f32_f64(vcvt_f32_f64((float64x2_t)low), (float64x2_t)high);
}

FLAMBEAU_INLINE bool any_bit(Raw<int64_t> x) { return (x[0] | x[1]) != 0; }

template <class M>
FLAMBEAU_INLINE void store_bool(M m, uint8_t* p) {
  constexpr int kLanes = sizeof(m) / sizeof(m[0]);
  for (int i = 0; i < kLanes; i++) p[i] = m[i] & 1;
}

// kLanes bytes as integers of 4 or 8 bytes, sign-extended.
FLAMBEAU_INLINE Raw<int32_t> load_bytes(const uint8_t* p, int32_t) {
  int32_t bytes;
  __builtin_memcpy(&bytes, p, 4);
  return (Raw<int32_t>)vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(bytes)))));
}
FLAMBEAU_INLINE Raw<int64_t> load_bytes(const uint8_t* p, int64_t) {
  return Raw<int64_t>{static_cast<int8_t>(p[0]), static_cast<int8_t>(p[1])};
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

}  // namespace arch
}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
