// One pass of a fast Fourier transform of many lines side by side: float32 and float64.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

inline constexpr int64_t kMaxRadix = 13;

struct FftPass {
  int64_t radix = 1;              // 2 to kMaxRadix
  int64_t m = 1;                  // what is left of the length: the pass splits radix * m into m transforms
  const void* twiddle = nullptr;  // [m, radix - 1, 2]: exp(-2 pi i p j / (radix m)) for j from 1
  const void* roots = nullptr;    // [radix, 2]: exp(-2 pi i j / radix)
};

struct FftKernels {
  // Stockham's sorting pass, real and imaginary parts apart. x: [radix, m, s] to y: [m, radix, s], s elements in a row
  // (the lines, times what earlier passes have split off). x and y do not overlap.
  void (*pass)(DType type, const FftPass& p, int64_t s, const void* x_re, const void* x_im, void* y_re, void* y_im);
};

// clang-format off
namespace baseline { void fill(FftKernels& k); }
namespace avx2 { void fill(FftKernels& k); }
namespace avx512 { void fill(FftKernels& k); }
namespace neon { void fill(FftKernels& k); }
// clang-format on

}  // namespace flambeau
