// Tensors that lie in one storage: whether an op that writes to one of them changes what it reads of another.
#pragma once
#include "core/tensor.h"

namespace flambeau {

// Whether the elements of `in` lie where those of `out` lie that an elementwise op computes from them: each is read
// before its place is written.
bool same_places(const Tensor& out, const Tensor& in);
// Whether they share any byte. Exact but for layouts with strides that are hard to tell apart, which count as sharing.
bool may_overlap(const Tensor& a, const Tensor& b);
// Throws PyTorch's error when both are dense and share bytes but are not the same elements. It judges no others.
void check_no_partial_overlap(const Tensor& out, const Tensor& in);

}  // namespace flambeau
