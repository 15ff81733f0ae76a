// What the machine can do at most, for benchmarks: how fast it multiplies and adds in registers, how fast it moves
// memory.
#pragma once
#include <cstdint>

namespace flambeau {

// Floats of one piece that a thread moves: a multiple of every vector's width.
inline constexpr int64_t kPeakPiece = 1 << 14;

struct PeakKernels {
  // `rounds` rounds of independent fused multiply-adds of float32 in registers; returns how many floating-point
  // operations they were (a multiply-add is two).
  double (*multiply_add)(int64_t rounds);
  // The same for pairs of bfloat16 accumulated in float32; null where the processor has no such instruction.
  double (*multiply_add_bf16)(int64_t rounds);
  // The sum of n elements, a multiple of kPeakPiece.
  float (*read)(int64_t n, const float* x);
  // y = x and y = x + 3 z over n elements, a multiple of 64, all 64-byte aligned. The stores go past the caches, as the
  // best of memory functions do.
  void (*copy)(int64_t n, const float* x, float* y);
  void (*triad)(int64_t n, const float* x, const float* z, float* y);
};

// clang-format off
namespace baseline { void fill(PeakKernels& k); }
namespace avx2 { void fill(PeakKernels& k); }
namespace avx512 { void fill(PeakKernels& k); }
namespace neon { void fill(PeakKernels& k); }
// clang-format on

}  // namespace flambeau
