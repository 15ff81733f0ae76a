#include "kernels/peak.h"

#include "kernels/set.h"
#include "simd/math.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

using V = Vec<float>;

// Latency times units: two units of four to five cycles need ten sums under way; twelve and two constants still fit in
// the sixteen registers of AVX2.
constexpr int kSums = 12;
constexpr int kRepeats = 64;

double multiply_add(int64_t rounds) {
  V sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = V(static_cast<float>(i));
  V a(0.5f), b(1.0f);
  for (int64_t r = 0; r < rounds; ++r) {
    for (int k = 0; k < kRepeats; ++k) {
      FLAMBEAU_UNROLL(12)
      for (int i = 0; i < kSums; ++i) sums[i] = fma(sums[i], a, b);
    }
    // Opaque to the compiler, so that the rounds are not folded into one.
    asm volatile("" : : "r"(&sums) : "memory");
  }
  return 2.0 * V::N * kSums * kRepeats * static_cast<double>(rounds);
}

// Four streams, some pages apart: prefetchers follow each for itself, and stop at the end of a page. Further apart they
// would meet in the same banks.
float read(int64_t n, const float* x) {
  constexpr int kStreams = 4, kSteps = 2;
  constexpr int64_t kApart = kPeakPiece / kStreams;
  V sums[kStreams * kSteps];
  for (V& s : sums) s = V(0.0f);
  for (int64_t begin = 0; begin < n; begin += kPeakPiece) {
    for (int64_t i = begin; i < begin + kApart; i += kSteps * V::N) {
      FLAMBEAU_UNROLL(4)
      for (int s = 0; s < kStreams; ++s) {
        FLAMBEAU_UNROLL(2)
        for (int k = 0; k < kSteps; ++k) sums[s * kSteps + k] += V::load(x + s * kApart + i + k * V::N);
      }
    }
  }
  for (int s = 1; s < kStreams * kSteps; ++s) sums[0] += sums[s];
  return sum(sums[0]);
}

void copy(int64_t n, const float* x, float* y) {
  for (int64_t i = 0; i < n; i += V::N) V::load(x + i).stream(y + i);
  arch::stream_end();
}

void triad(int64_t n, const float* x, const float* z, float* y) {
  const V three(3.0f);
  for (int64_t i = 0; i < n; i += V::N) fma(three, V::load(z + i), V::load(x + i)).stream(y + i);
  arch::stream_end();
}

#if defined(__AVX512F__)
// vdpbf16ps is an extension beyond the set that this file is compiled for: asked for at run time.
__attribute__((target("avx512bf16"))) double multiply_add_bf16(int64_t rounds) {
  __m512 sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512bh ones = (__m512bh)_mm512_set1_epi16(0x3f80);  // 1.0
  for (int64_t r = 0; r < rounds; ++r) {
    for (int k = 0; k < kRepeats; ++k) {
      FLAMBEAU_UNROLL(12)
      for (int i = 0; i < kSums; ++i) sums[i] = _mm512_dpbf16_ps(sums[i], ones, ones);
    }
    asm volatile("" : : "r"(&sums) : "memory");
  }
  return 4.0 * 16 * kSums * kRepeats * static_cast<double>(rounds);
}
#endif

}  // namespace

void fill(PeakKernels& k) {
  k.multiply_add = multiply_add;
#if defined(__AVX512F__)
  if (__builtin_cpu_supports("avx512bf16")) k.multiply_add_bf16 = multiply_add_bf16;
#endif
  k.read = read;
  k.copy = copy;
  k.triad = triad;
}

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
