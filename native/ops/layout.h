// Walking strided operands in one common order, with as few and as long inner runs as their layouts allow.
#pragma once
#include "core/tensor.h"

namespace flambeau {

// One operand's way through an iteration space: sizes and strides from the outermost dimension to the innermost,
// adjacent dimensions merged where this operand allows it (each operand merges on its own: all of them count the
// same linear index).
struct Walk {
  int ndim = 0;
  int64_t size[kMaxDims];
  int64_t stride[kMaxDims];  // in elements; 0 where broadcast
  bool contiguous = false;   // one run of stride 1
  bool constant = false;     // all strides 0

  // Copies elements [begin, begin + n) of the walk over `base` into `out` (gather) or back (scatter), item bytes each.
  void gather(const char* base, int item, int64_t begin, int64_t n, void* out) const;
  void scatter(char* base, int item, int64_t begin, int64_t n, const void* in) const;
};

// The walk of an operand with `strides` over `sizes` (both in iteration order).
Walk make_walk(const Dims& sizes, const Dims& strides);

// The sizes that all tensors broadcast to; throws PyTorch's error.
Dims broadcast_sizes(const Dims& a, const Dims& b);
// The strides of t seen with the broadcast sizes (0 in new and stretched dimensions).
Dims broadcast_strides(const Tensor& t, const Dims& sizes);

// A view of t with larger sizes, dimensions of size one repeated, -1 for t's own; throws PyTorch's error.
Ref expanded(const Tensor& t, Dims sizes);

// An order of dimensions, outermost first, in which `strides` descend: memory order for a dense operand. Broadcast and
// one-element dimensions keep their place among the others.
void memory_order(const Dims& sizes, const Dims& strides, int* order);
Dims permuted(const Dims& d, const int* order);

}  // namespace flambeau
