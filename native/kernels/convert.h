// Conversion of contiguous elements between all pairs of element types.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

// Float to integer truncates; what int64 cannot hold becomes INT64_MIN first, and narrower integers take the low bits.
// To float16 and bfloat16 rounds to nearest even; to bool is "not zero" (NaN is true); complex to real drops the
// imaginary part, but to bool it counts. `in` and `out` do not overlap, unless they are the same memory and the types
// have the same size.
using ConvertFn = void (*)(DType from, DType to, int64_t n, const void* in, void* out);

struct ConvertKernels {
  ConvertFn convert;
};

namespace baseline { void fill(ConvertKernels&); }
namespace avx2 { void fill(ConvertKernels&); }
namespace avx512 { void fill(ConvertKernels&); }
namespace neon { void fill(ConvertKernels&); }

}  // namespace flambeau
