// Softmax and log-softmax over contiguous rows: float32 and float64.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

struct SoftmaxKernels {
  // x, y: [rows, n]; y may be x. The row's maximum is subtracted first; a row of -infinity only, or with +infinity or
  // NaN, gives NaN as in PyTorch.
  void (*softmax)(DType type, int64_t rows, int64_t n, const void* x, void* y);
  void (*log_softmax)(DType type, int64_t rows, int64_t n, const void* x, void* y);
  // From the forward's output y. softmax: gx = y * (gy - sum(gy * y)); log_softmax: gx = gy - exp(y) * sum(gy).
  // gx may be gy.
  void (*softmax_backward)(DType type, int64_t rows, int64_t n, const void* gy, const void* y, void* gx);
  void (*log_softmax_backward)(DType type, int64_t rows, int64_t n, const void* gy, const void* y, void* gx);
};

// clang-format off
namespace baseline { void fill(SoftmaxKernels& k); }
namespace avx2 { void fill(SoftmaxKernels& k); }
namespace avx512 { void fill(SoftmaxKernels& k); }
namespace neon { void fill(SoftmaxKernels& k); }
// clang-format on

}  // namespace flambeau
