// index and index_put_: any dimensions indexed at once.
#include "ops/index_selection.h"

namespace flambeau {
namespace {

// Values for a selection: broadcast to its sizes (one element stays one), row-major, of type `dtype`.
Ref values_for(const Tensor& values, const Selection& s, DType dtype, const Tensor& changed) {
  if (values.numel == 1) return source_values(values, dtype, changed);
  const int extra = values.ndim() - s.sizes.size();
  Dims sizes = values.sizes, strides = values.strides;
  // Leading dimensions of one element may be more than the selection has.
  for (int d = 0; d < extra; d++) {
    if (sizes[0] != 1) break;
    sizes.erase(0);
    strides.erase(0);
  }
  const Ref trimmed = view_of(values, sizes, strides, values.offset);
  bool fits = sizes.size() <= s.sizes.size();
  for (int d = 1; fits && d <= sizes.size(); d++) {
    const int64_t n = sizes[sizes.size() - d];
    fits = n == 1 || n == s.sizes[s.sizes.size() - d];
  }
  FLAMBEAU_CHECK(fits, Kind::Runtime,
                 "shape mismatch: value tensor of shape %s cannot be broadcast to indexing result of shape %s",
                 show(values.sizes).c_str(), show(s.sizes).c_str());
  const Ref stretched = view_of(*trimmed, s.sizes, broadcast_strides(*trimmed, s.sizes), trimmed->offset);
  return source_values(*stretched, dtype, changed);
}

// index(x, dims, indices): dims ascending, one index tensor each.
FLAMBEAU_OP(index, OnMeta::Indexed) {
  const Tensor& x = call.tensor();
  const auto dims = call.integers();
  const auto indices = call.tensors();
  call.result(get(x, select(x, dims, indices, Bounds::Wrapped, nullptr)));
}

// index_put_(self, dims, indices, values, accumulate)
FLAMBEAU_OP(index_put_, OnMeta::Indexed) {
  Tensor& self = call.tensor();
  const auto dims = call.integers();
  const auto indices = call.tensors();
  const Tensor& values = call.tensor();
  const bool accumulate = call.flag();
  check_writable(self);
  if (!accumulate) {
    const Selection s = select(self, dims, indices, Bounds::Wrapped, &self);
    assign(self, s, *values_for(values, s, self.dtype, self));
  } else {
    const DType dtype = dtype_of(compute_of(self.dtype));
    Workspace work(self, dtype);
    const Selection s = select(*work, dims, indices, Bounds::Wrapped, &self);
    combine(*work, s, *values_for(values, s, dtype, self), Meet::Add);
    work.finish();
  }
  self.bump();
}

}  // namespace
}  // namespace flambeau
