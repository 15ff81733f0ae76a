// Indexing by tensors of positions. An indexed tensor is seen as [outer, positions, inner]: the dimensions before the
// indexed ones, the combined positions, and the dimensions behind. If the indexed dimensions are not neighbours, outer
// is 1 and all others are inner.
#pragma once
#include "ops/index_util.h"

namespace flambeau {

// What positions may be.
enum class Bounds {
  Wrapped,  // negative ones count from the end
  Plain,
};

struct Selection {
  int64_t outer, count, inner;
  Dims sizes;         // of the result
  Ref offsets;        // int64 [count]: of the combined positions
  Walk before;        // outer
  Walk after;         // inner
  Ref after_offsets;  // int64 [inner]; none if inner is one contiguous run
};

// The selection of x at positions, all of which are checked. dims: ascending; indices: a tensor for each, int64 or
// int32, broadcast together; changed: a tensor that will be written to, with which no index may share memory.
Selection select(const Tensor& x, const std::vector<int64_t>& dims, const std::vector<Tensor*>& indices, Bounds bounds,
                 const Tensor* changed);

// The selected elements, row-major.
Ref get(const Tensor& x, const Selection& s);
// Writes `values`, row-major in x's type and of the selection's sizes, or a single element for all places.
void assign(Tensor& x, const Selection& s, const Tensor& values);
// As assign, for x of a compute type: values meet what is there, in the order of the positions.
void combine(Tensor& x, const Selection& s, const Tensor& values, Meet mode);

}  // namespace flambeau
