// Conversion of contiguous elements between all pairs of element types.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

// Float to integer truncates, NaN and what is out of range become the lowest value: of int64 on the way to int64 and
// uint8, of int32 on the way to the others, which take the low bits of it.
// To float16 and bfloat16 rounds to nearest even; to bool is "not zero" (NaN is true); complex to real drops the
// imaginary part, but to bool it counts. `in` and `out` do not overlap, unless they are the same memory and the types
// have the same size.
using ConvertFn = void (*)(DType from, DType to, int64_t n, const void* in, void* out);

// Copies bytes past the caches: the processor need not first read what it is about to overwrite, nor throw out what is
// still of use. It pays where the result is too large to be found in a cache by whoever reads it next.
using StreamFn = void (*)(int64_t bytes, const void* in, void* out);
// Results from this size on. Up to half of a third-level cache they are better left in it.
inline constexpr int64_t kStreamFrom = int64_t{16} << 20;

struct ConvertKernels {
  ConvertFn convert;
  StreamFn stream;
};

namespace baseline {
void fill(ConvertKernels&);
}
namespace avx2 {
void fill(ConvertKernels&);
}
namespace avx512 {
void fill(ConvertKernels&);
}
namespace neon {
void fill(ConvertKernels&);
}

}  // namespace flambeau
