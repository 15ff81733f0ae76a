// Reductions and scans over the rows or the columns of a matrix whose inner dimension is contiguous. The caller folds a
// tensor into such matrices, splits them among threads, and combines partial results (all reductions are associative up
// to rounding). Strides are in elements; inputs are in the compute type.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

// Results are in the compute type, but uint8 for Any and All and int64 for CountNonzero. Max, Min and MaxAbs give NaN
// if there is one; NanSum leaves NaN out. Kernels exist for the types in the comment; the others are null.
enum class Reduce : uint8_t {
  Sum,           // F I C
  Prod,          // F I C
  Max,           // F I
  Min,           // F I
  Any,           // F I C
  All,           // F I C
  SumSquares,    // F I C; of complex the sum of |x|^2, with a zero imaginary part
  SumAbs,        // F I C; of complex the sum of |x|, with a zero imaginary part
  MaxAbs,        // F I
  NanSum,        // F I C
  CountNonzero,  // F I C
};
inline constexpr int kReduceCount = 11;

// out[r] = reduce over i < n of x[r * row_stride + i]. n == 0 gives the identity: 0 for the sums and the count, 1 for
// Prod, the lowest (highest) value for Max (Min), 0 for Any and MaxAbs, 1 for All. Float sums are pairwise over blocks.
using ReduceRowsFn = void (*)(int64_t rows, int64_t n, int64_t row_stride, const void* x, void* out);

// out[j] = reduce over i < n of x[i * row_stride + j], j < m.
using ReduceColsFn = void (*)(int64_t n, int64_t m, int64_t row_stride, const void* x, void* out);

// Mean and sum of squared deviations from it, in two passes over the data (F only). n == 0 gives a NaN mean and m2 = 0.
// Of parts a and b: d = mean_b - mean_a, mean = mean_a + d n_b / n, m2 = m2_a + m2_b + d^2 n_a n_b / n.
using MomentsRowsFn = void (*)(int64_t rows, int64_t n, int64_t row_stride, const void* x, void* mean, void* m2);
using MomentsColsFn = void (*)(int64_t n, int64_t m, int64_t row_stride, const void* x, void* mean, void* m2);

// Value and first index of the extreme; the first NaN wins over every number. F and I; n must be at least 1.
enum class Extreme : uint8_t { Max, Min };
using ArgRowsFn = void (*)(int64_t rows, int64_t n, int64_t row_stride, const void* x, void* values, int64_t* indices);
using ArgColsFn = void (*)(int64_t n, int64_t m, int64_t row_stride, const void* x, void* values, int64_t* indices);

// Scans: along each row (y[r * y_stride + i] from x[r * x_stride + 0 .. i]), or down each column. x and y may be the
// same memory with the same stride. CumSum and CumProd: F I C; LogCumSumExp: F.
enum class Scan : uint8_t { CumSum, CumProd, LogCumSumExp };
inline constexpr int kScanCount = 3;
using ScanRowsFn = void (*)(int64_t rows, int64_t n, int64_t x_stride, const void* x, int64_t y_stride, void* y);
using ScanColsFn = void (*)(int64_t n, int64_t m, int64_t x_stride, const void* x, int64_t y_stride, void* y);

// Running extreme and the index of its last occurrence so far; once a NaN is met it stays (a later NaN moves the
// index). F and I. `values` and `indices` share y_stride.
using ScanArgRowsFn = void (*)(int64_t rows, int64_t n, int64_t x_stride, const void* x, int64_t y_stride, void* values,
                               int64_t* indices);
using ScanArgColsFn = void (*)(int64_t n, int64_t m, int64_t x_stride, const void* x, int64_t y_stride, void* values,
                               int64_t* indices);

struct ReduceKernels {
  ReduceRowsFn rows[kReduceCount][kComputeCount];
  ReduceColsFn cols[kReduceCount][kComputeCount];
  MomentsRowsFn moments_rows[kComputeCount];
  MomentsColsFn moments_cols[kComputeCount];
  ArgRowsFn arg_rows[2][kComputeCount];  // by Extreme
  ArgColsFn arg_cols[2][kComputeCount];
  ScanRowsFn scan_rows[kScanCount][kComputeCount];
  ScanColsFn scan_cols[kScanCount][kComputeCount];
  ScanArgRowsFn scan_arg_rows[2][kComputeCount];  // by Extreme: cummax, cummin
  ScanArgColsFn scan_arg_cols[2][kComputeCount];
};

namespace baseline {
void fill(ReduceKernels&);
}
namespace avx2 {
void fill(ReduceKernels&);
}
namespace avx512 {
void fill(ReduceKernels&);
}
namespace neon {
void fill(ReduceKernels&);
}

}  // namespace flambeau
