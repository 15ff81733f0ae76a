// Normalisation over rows (layer norm, group norm, instance norm) and over channels (batch norm): float32 and float64.
// Statistics and gradient sums are accumulated in float64.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

// x: [rows, n], each row normalised by itself. Element j of row r has the affine parameters number
// (r % groups) * (n / inner) + j / inner. Layer norm: groups = 1, inner = 1, parameters [n]. Group norm of [N, C, L] in
// G groups: rows = N G, n = C / G * L, groups = G, inner = L, parameters [C].
struct RowNorm {
  int64_t rows, n, groups, inner;
};

// x: [n, c, l], contiguous.
struct ChannelNorm {
  int64_t n, c, l;
};

struct NormKernels {
  // y = (x - mean) * rstd * weight + bias with rstd = 1 / sqrt(biased variance + eps). weight and bias may be null;
  // mean and rstd: [rows], written, or null.
  void (*row_forward)(DType type, const RowNorm& s, const void* x, const void* weight, const void* bias, double eps,
                      void* y, void* mean, void* rstd);
  // Any of gx, gweight and gbias may be null; weight may be null. The results are overwritten.
  void (*row_backward)(DType type, const RowNorm& s, const void* gy, const void* x, const void* mean, const void* rstd,
                       const void* weight, void* gx, void* gweight, void* gbias);

  // mean and biased variance over n and l, each [c]. n * l == 0 gives NaN.
  void (*channel_stats)(DType type, const ChannelNorm& s, const void* x, void* mean, void* var);
  // y = x * scale[c] + shift[c]; scale and shift: [c].
  void (*channel_affine)(DType type, const ChannelNorm& s, const void* x, const void* scale, const void* shift,
                         void* y);
  // Gradient of y = (x - mean) * invstd * weight + bias. training: mean and invstd are the statistics of x itself and
  // the gradient flows through them. weight: [c] or null; any of gx, gweight ([c]) and gbias ([c]) may be null.
  void (*channel_backward)(DType type, const ChannelNorm& s, bool training, const void* gy, const void* x,
                           const void* mean, const void* invstd, const void* weight, void* gx, void* gweight,
                           void* gbias);
};

// clang-format off
namespace baseline { void fill(NormKernels& k); }
namespace avx2 { void fill(NormKernels& k); }
namespace avx512 { void fill(NormKernels& k); }
namespace neon { void fill(NormKernels& k); }
// clang-format on

}  // namespace flambeau
