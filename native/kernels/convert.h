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

// Copies bytes past the caches (core/caches.h says when that pays). Other threads see them only after `stream_end`,
// which waits until they are written: to be called once by each thread when it has streamed all it has.
using StreamFn = void (*)(int64_t bytes, const void* in, void* out);
using StreamEndFn = void (*)();

struct ConvertKernels {
  ConvertFn convert;
  StreamFn stream;
  StreamEndFn stream_end;
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
