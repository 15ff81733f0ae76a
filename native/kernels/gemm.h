// Matrix products: C[m, n] = alpha * A[m, k] B[k, n] + beta * C + row_bias + col_bias, over a batch.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

// A scalar factor in every form a product may need it: the field that fits the element type is read.
struct GemmScalar {
  double re = 0, im = 0;  // float and complex products
  int64_t integer = 0;    // int64 products

  constexpr GemmScalar() = default;
  constexpr GemmScalar(double value) : re(value), integer(static_cast<int64_t>(value)) {}
  constexpr GemmScalar(double real, double imaginary) : re(real), im(imaginary) {}
};

// All strides count elements. A and B may have any strides, 0 included (expanded tensors); C may have any strides that
// do not overlap. When beta is zero C is never read, so it may be uninitialised; NaN and infinity propagate from A and
// B also where the other factor is zero. k == 0 gives beta * C plus the biases. The biases are contiguous, of C's
// element type, and the same for every matrix of the batch; either may be null.
struct GemmArgs {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  const void* a = nullptr;
  int64_t a_batch = 0, a_row = 0, a_col = 0;
  const void* b = nullptr;
  int64_t b_batch = 0, b_row = 0, b_col = 0;
  void* c = nullptr;
  int64_t c_batch = 0, c_row = 0, c_col = 1;
  GemmScalar alpha{1.0}, beta{0.0};
  const void* row_bias = nullptr;  // [m]
  const void* col_bias = nullptr;  // [n]
  const void* packed_b = nullptr;  // B's packed form, read instead of B
};

struct GemmKernels {
  // type: F32, F64, F16, BF16 (float32 accumulation, rounded once), I64 (wrapping), C64 or C128; A, B, C and the biases
  // share it. C must not overlap A or B.
  void (*gemm)(DType type, const GemmArgs& args);
  // The bytes of the form that B takes in this product before it is multiplied; 0 where it is read as it lies. The form
  // depends on the type, on n, k and B alone, and a product is the same bit by bit whether it is given or made anew.
  int64_t (*packed_b_bytes)(DType type, const GemmArgs& args);
  void (*pack_b)(DType type, const GemmArgs& args, void* form);  // 64-byte aligned
};

// clang-format off
namespace baseline { void fill(GemmKernels& k); }
namespace avx2 { void fill(GemmKernels& k); }
namespace avx512 { void fill(GemmKernels& k); }
namespace neon { void fill(GemmKernels& k); }
// clang-format on

}  // namespace flambeau
