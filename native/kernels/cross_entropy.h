// Cross-entropy of scores with classes: float32 and float64, without a log-softmax in memory.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

// x: [outer, classes, inner], contiguous. Its positions are [outer, inner]; each has one target class, or -1 for none.
struct CrossEntropyShape {
  int64_t outer, classes, inner;
};

struct CrossEntropyKernels {
  // Of every position: its largest score, 1 / sum(exp(x - top)), and minus the log-softmax of its target, which is 0
  // where there is none. What is not finite comes out as from a log-softmax that subtracts the maximum.
  void (*forward)(DType type, const CrossEntropyShape& s, const void* x, const int64_t* target, void* top,
                  void* inverse, void* loss);
  // gx = factor (softmax(x) - one at the target), a factor for every position.
  void (*backward)(DType type, const CrossEntropyShape& s, const void* x, const int64_t* target, const void* top,
                   const void* inverse, const void* factor, void* gx);
};

// clang-format off
namespace baseline { void fill(CrossEntropyKernels& k); }
namespace avx2 { void fill(CrossEntropyKernels& k); }
namespace avx512 { void fill(CrossEntropyKernels& k); }
namespace neon { void fill(CrossEntropyKernels& k); }
// clang-format on

}  // namespace flambeau
