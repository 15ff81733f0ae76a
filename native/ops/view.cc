// Views: new sizes, strides and offsets on the same storage. No element moves.
#include <algorithm>

#include "ops/data.h"
#include "ops/layout.h"
#include "ops/promotion.h"
#include "ops/registry.h"

namespace flambeau {
namespace {

using Int = long long;

// Sizes with one -1 replaced by what is left over.
Dims infer_size(Dims sizes, int64_t numel) {
  int unknown = -1;
  int64_t known = 1;
  for (int d = 0; d < sizes.size(); d++) {
    if (sizes[d] == -1) {
      FLAMBEAU_CHECK(unknown < 0, Kind::Runtime, "only one dimension can be inferred");
      unknown = d;
    } else {
      FLAMBEAU_CHECK(sizes[d] >= 0, Kind::Runtime, "invalid shape dimension %lld at index %d of shape %s",
                     static_cast<Int>(sizes[d]), d, show(sizes).c_str());
      FLAMBEAU_CHECK(!__builtin_mul_overflow(known, sizes[d], &known), Kind::Runtime,
                     "shape '%s' is invalid for input of size %lld", show(sizes).c_str(), static_cast<Int>(numel));
    }
  }
  const bool fits = unknown < 0 ? known == numel : known > 0 && numel % known == 0;
  if (unknown >= 0 && known == 0)
    FLAMBEAU_CHECK(numel != 0, Kind::Runtime,
                   "cannot reshape tensor of 0 elements into shape %s because the unspecified dimension size -1 can be "
                   "any value and is ambiguous",
                   show(sizes).c_str());
  FLAMBEAU_CHECK(fits, Kind::Runtime, "shape '%s' is invalid for input of size %lld", show(sizes).c_str(),
                 static_cast<Int>(numel));
  if (unknown >= 0) sizes[unknown] = numel / known;
  return sizes;
}

// Strides that show t's elements with other sizes, if its layout allows it.
bool view_strides(const Tensor& t, const Dims& sizes, Dims* strides) {
  *strides = contiguous_strides(sizes);
  if (t.numel == 0 || t.contiguous()) return true;
  // From the innermost dimension outwards: a run of dimensions that could be one (the chunk) is cut anew.
  int view_d = sizes.size() - 1;
  int64_t chunk_stride = t.ndim() ? t.strides[t.ndim() - 1] : 1;
  int64_t tensor_numel = 1;
  int64_t view_numel = 1;
  for (int d = t.ndim() - 1; d >= 0; d--) {
    tensor_numel *= t.sizes[d];
    if (d == 0 || (t.sizes[d - 1] != 1 && t.strides[d - 1] != tensor_numel * chunk_stride)) {
      while (view_d >= 0 && (view_numel < tensor_numel || sizes[view_d] == 1)) {
        (*strides)[view_d] = view_numel * chunk_stride;
        view_numel *= sizes[view_d];
        view_d--;
      }
      if (view_numel != tensor_numel) return false;
      if (d > 0) {
        chunk_stride = t.strides[d - 1];
        tensor_numel = 1;
        view_numel = 1;
      }
    }
  }
  return view_d == -1;
}

FLAMBEAU_OP(view, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const Dims sizes = infer_size(call.dims(), t.numel);
  Dims strides;
  FLAMBEAU_CHECK(view_strides(t, sizes, &strides), Kind::Runtime,
                 "view size is not compatible with input tensor's size and stride (at least one dimension spans across "
                 "two contiguous subspaces). Use .reshape(...) instead.");
  call.result(view_of(t, sizes, strides, t.offset));
}

// 1 if `view` would succeed: what reshape asks before it copies.
FLAMBEAU_OP(can_view, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  Dims strides;
  call.number(view_strides(t, infer_size(call.dims(), t.numel), &strides));
}

FLAMBEAU_OP(expand, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  call.result(expanded(t, call.dims()));
}

FLAMBEAU_OP(permute, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const Dims dims = call.dims();
  FLAMBEAU_CHECK(dims.size() == t.ndim(), Kind::Runtime,
                 "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the "
                 "desired ordering of dimensions i.e. input.dim() = %d is not equal to len(dims) = %d",
                 t.ndim(), dims.size());
  Dims sizes(dims.size()), strides(dims.size());
  uint64_t seen = 0;
  for (int i = 0; i < dims.size(); i++) {
    const int d = wrap_dim(dims[i], t.ndim());
    FLAMBEAU_CHECK(!(seen >> d & 1), Kind::Runtime, "permute(): duplicate dims are not allowed.");
    seen |= uint64_t{1} << d;
    sizes[i] = t.sizes[d];
    strides[i] = t.strides[d];
  }
  call.result(view_of(t, sizes, strides, t.offset));
}

FLAMBEAU_OP(transpose, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const int a = wrap_dim(call.integer(), t.ndim());
  const int b = wrap_dim(call.integer(), t.ndim());
  Dims sizes = t.sizes, strides = t.strides;
  if (t.ndim() > 0) {
    std::swap(sizes[a], sizes[b]);
    std::swap(strides[a], strides[b]);
  }
  call.result(view_of(t, sizes, strides, t.offset));
}

FLAMBEAU_OP(select, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const int64_t asked_dim = call.integer();
  const int64_t asked = call.integer();
  FLAMBEAU_CHECK(t.ndim() > 0, Kind::Range, "select() cannot be applied to a 0-dim tensor.");
  const int d = wrap_dim(asked_dim, t.ndim());
  FLAMBEAU_CHECK(asked >= -t.sizes[d] && asked < t.sizes[d], Kind::Range,
                 "select(): index %lld out of range for tensor of size %s at dimension %d", static_cast<Int>(asked),
                 show(t.sizes).c_str(), d);
  const int64_t index = asked < 0 ? asked + t.sizes[d] : asked;
  Dims sizes = t.sizes, strides = t.strides;
  sizes.erase(d);
  strides.erase(d);
  call.result(view_of(t, sizes, strides, t.offset + index * t.strides[d]));
}

FLAMBEAU_OP(slice, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const int64_t asked_dim = call.integer();
  const auto asked_start = call.integer_or_null();
  const auto asked_stop = call.integer_or_null();
  const int64_t step = call.integer();
  FLAMBEAU_CHECK(t.ndim() > 0, Kind::Runtime, "slice() cannot be applied to a 0-dim tensor.");
  const int d = wrap_dim(asked_dim, t.ndim());
  FLAMBEAU_CHECK(step > 0, Kind::Runtime, "slice step must be positive");
  const int64_t n = t.sizes[d];
  const auto clamp = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
  const int64_t start = clamp(asked_start.value_or(0));
  const int64_t stop = std::max(start, clamp(asked_stop.value_or(n)));
  Dims sizes = t.sizes, strides = t.strides;
  sizes[d] = (stop - start + step - 1) / step;
  strides[d] *= step;
  call.result(view_of(t, sizes, strides, t.offset + start * t.strides[d]));
}

FLAMBEAU_OP(squeeze, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const Dims dims = call.dims();
  uint64_t chosen = 0;
  for (const int64_t dim : dims) {
    const int d = wrap_dim(dim, t.ndim());
    FLAMBEAU_CHECK(!(chosen >> d & 1), Kind::Runtime, "dim %d appears multiple times in the list of dims", d);
    chosen |= uint64_t{1} << d;
  }
  Dims sizes, strides;
  for (int d = 0; d < t.ndim(); d++) {
    if ((chosen >> d & 1) && t.sizes[d] == 1) continue;
    sizes.push_back(t.sizes[d]);
    strides.push_back(t.strides[d]);
  }
  call.result(view_of(t, sizes, strides, t.offset));
}

FLAMBEAU_OP(unsqueeze, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const int d = wrap_dim(call.integer(), t.ndim() + 1);
  Dims sizes = t.sizes, strides = t.strides;
  const int64_t stride = d < t.ndim() ? t.sizes[d] * t.strides[d] : 1;
  sizes.insert(d, 1);
  strides.insert(d, stride);
  call.result(view_of(t, sizes, strides, t.offset));
}

FLAMBEAU_OP(diagonal, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const int64_t shift = call.integer();
  const int64_t asked1 = call.integer(), asked2 = call.integer();
  const int d1 = wrap_dim(asked1, t.ndim()), d2 = wrap_dim(asked2, t.ndim());
  FLAMBEAU_CHECK(d1 != d2, Kind::Runtime, "diagonal dimensions cannot be identical %lld, %lld",
                 static_cast<Int>(asked1), static_cast<Int>(asked2));
  const int64_t rows = t.sizes[d1], columns = t.sizes[d2];
  const int64_t n =
      std::max<int64_t>(0, shift >= 0 ? std::min(rows, columns - shift) : std::min(rows + shift, columns));
  int64_t offset = t.offset;
  if (n > 0) offset += shift >= 0 ? shift * t.strides[d2] : -shift * t.strides[d1];
  const int64_t stride = t.strides[d1] + t.strides[d2];
  Dims sizes = t.sizes, strides = t.strides;
  sizes.erase(std::max(d1, d2));
  sizes.erase(std::min(d1, d2));
  strides.erase(std::max(d1, d2));
  strides.erase(std::min(d1, d2));
  sizes.push_back(n);
  strides.push_back(stride);
  call.result(view_of(t, sizes, strides, offset));
}

// Windows along a dimension: [.., n, ..] -> [.., (n - size) / step + 1, .., size].
FLAMBEAU_OP(unfold, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const int d = wrap_dim(call.integer(), t.ndim());
  const int64_t size = call.integer(), step = call.integer();
  const int64_t n = t.ndim() ? t.sizes[d] : 1;
  FLAMBEAU_CHECK(size >= 0, Kind::Runtime, "size is %lld but must be >= 0", static_cast<Int>(size));
  FLAMBEAU_CHECK(size <= n, Kind::Runtime, "maximum size for tensor at dimension %d is %lld but size is %lld", d,
                 static_cast<Int>(n), static_cast<Int>(size));
  FLAMBEAU_CHECK(step > 0, Kind::Runtime, "step is %lld but must be > 0", static_cast<Int>(step));
  Dims sizes = t.sizes, strides = t.strides;
  sizes.push_back(size);
  strides.push_back(t.ndim() ? t.strides[d] : 1);
  if (t.ndim()) {
    sizes[d] = (n - size) / step + 1;
    strides[d] *= step;
  }
  call.result(view_of(t, sizes, strides, t.offset));
}

// Checks that a layout stays inside a storage, without overflow.
void check_bounds(const Tensor& t, const Dims& sizes, const Dims& strides, int64_t offset, DType dtype) {
  FLAMBEAU_CHECK(sizes.size() == strides.size(), Kind::Runtime, "mismatch in length of strides and shape");
  FLAMBEAU_CHECK(offset >= 0, Kind::Runtime, "Tensor: invalid storage offset %lld", static_cast<Int>(offset));
  const int64_t n = count_elements(sizes);
  for (const int64_t s : strides)
    FLAMBEAU_CHECK(s >= 0, Kind::Runtime,
                   "as_strided: Negative strides are not supported at the moment, got strides: %s",
                   show(strides).c_str());
  int64_t last = offset;
  bool overflow = false;
  for (int d = 0; d < sizes.size(); d++) {
    int64_t reach = 0;
    overflow = overflow || __builtin_mul_overflow(std::max<int64_t>(sizes[d] - 1, 0), strides[d], &reach) ||
               __builtin_add_overflow(last, reach, &last);
  }
  int64_t bytes = 0;
  overflow = overflow || __builtin_add_overflow(last, 1, &last) ||
             __builtin_mul_overflow(last, static_cast<int64_t>(item_size(dtype)), &bytes);
  FLAMBEAU_CHECK(
      n == 0 || (!overflow && bytes <= t.storage->bytes), Kind::Runtime,
      "setStorage: sizes %s, strides %s, storage offset %lld, and itemsize %d requiring a storage size of %lld are "
      "out of bounds for storage of size %lld",
      show(sizes).c_str(), show(strides).c_str(), static_cast<Int>(offset), item_size(dtype), static_cast<Int>(bytes),
      static_cast<Int>(t.storage->bytes));
}

FLAMBEAU_OP(as_strided, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const Dims sizes = call.dims();
  const Dims strides = call.dims();
  const int64_t offset = call.integer_or_null().value_or(t.offset);
  check_bounds(t, sizes, strides, offset, t.dtype);
  call.result(view_of(t, sizes, strides, offset));
}

// A view of the storage itself, with any type.
FLAMBEAU_OP(view_storage, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const DType dtype = call.dtype();
  const Dims sizes = call.dims();
  const Dims strides = call.dims();
  const int64_t offset = call.integer();
  check_bounds(t, sizes, strides, offset, dtype);
  Ref v = view_of(t, sizes, strides, offset);
  v->dtype = dtype;
  call.result(std::move(v));
}

// The same tensor under another handle; `fresh` gives it a version counter of its own.
FLAMBEAU_OP(alias, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const bool fresh = call.flag();
  Ref v = view_of(t, t.sizes, t.strides, t.offset);
  if (fresh) {
    const Ref counter = empty(Dims{0}, t.dtype);
    std::swap(v->version, counter->version);
  }
  call.result(std::move(v));
}

// Gives self other sizes and strides on its storage (in-place views such as transpose_).
FLAMBEAU_OP(set_geometry, OnMeta::Serve) {
  Tensor& self = call.tensor();
  const Tensor& view = call.tensor();
  FLAMBEAU_CHECK(self.storage == view.storage, Kind::Runtime, "set_geometry: not a view of the tensor");
  self.offset = view.offset;
  self.numel = view.numel;
  self.sizes = view.sizes;
  self.strides = view.strides;
  self.bump();
}

// The bytes of the elements read as another type (Tensor.view(dtype)).
FLAMBEAU_OP(view_dtype, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const DType dtype = call.dtype();
  const int from = item_size(t.dtype), to = item_size(dtype);
  Dims sizes = t.sizes, strides = t.strides;
  int64_t offset = t.offset;
  if (from != to) {
    FLAMBEAU_CHECK(t.ndim() > 0, Kind::Runtime, "self.dim() cannot be 0 to view %s as %s (different element sizes)",
                   scalar_name(t.dtype), scalar_name(dtype));
    const int last = t.ndim() - 1;
    FLAMBEAU_CHECK(strides[last] == 1 || t.numel == 0, Kind::Runtime,
                   "self.stride(-1) must be 1 to view %s as %s (different element sizes), but got %lld",
                   scalar_name(t.dtype), scalar_name(dtype), static_cast<Int>(strides[last]));
    if (from > to) {
      const int ratio = from / to;
      sizes[last] *= ratio;
      for (int d = 0; d < last; d++) strides[d] *= ratio;
      offset *= ratio;
    } else {
      const int ratio = to / from;
      bool fits = sizes[last] % ratio == 0 && offset % ratio == 0;
      for (int d = 0; d < last; d++) fits = fits && (strides[d] % ratio == 0 || sizes[d] <= 1);
      FLAMBEAU_CHECK(fits, Kind::Runtime,
                     "self.size(-1), self.storage_offset() and self.stride() must be divisible by %d to view %s as %s "
                     "(different element sizes)",
                     ratio, scalar_name(t.dtype), scalar_name(dtype));
      sizes[last] /= ratio;
      for (int d = 0; d < last; d++) strides[d] /= ratio;
      offset /= ratio;
    }
  }
  Ref v = view_of(t, sizes, strides, offset);
  v->dtype = dtype;
  call.result(std::move(v));
}

FLAMBEAU_OP(view_as_real, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  FLAMBEAU_CHECK(is_complex(t.dtype), Kind::Runtime, "view_as_real is only supported for complex tensors");
  Dims sizes = t.sizes, strides = t.strides;
  for (int d = 0; d < strides.size(); d++) strides[d] *= 2;
  sizes.push_back(2);
  strides.push_back(1);
  Ref v = view_of(t, sizes, strides, 2 * t.offset);
  v->dtype = real_of(t.dtype);
  call.result(std::move(v));
}

FLAMBEAU_OP(view_as_complex, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  FLAMBEAU_CHECK(
      t.dtype == DType::F32 || t.dtype == DType::F64, Kind::Runtime,
      "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: %s",
      scalar_name(t.dtype));
  FLAMBEAU_CHECK(t.ndim() > 0, Kind::Runtime, "Input tensor must have one or more dimensions");
  const int last = t.ndim() - 1;
  FLAMBEAU_CHECK(t.sizes[last] == 2, Kind::Runtime, "Tensor must have a last dimension of size 2");
  FLAMBEAU_CHECK(t.strides[last] == 1, Kind::Runtime, "Tensor must have a last dimension with stride 1");
  FLAMBEAU_CHECK(t.offset % 2 == 0, Kind::Runtime, "Tensor must have a storage_offset divisible by 2");
  Dims sizes = t.sizes, strides = t.strides;
  sizes.erase(last);
  strides.erase(last);
  for (int d = 0; d < strides.size(); d++) {
    FLAMBEAU_CHECK(strides[d] % 2 == 0 || sizes[d] <= 1, Kind::Runtime,
                   "Tensor must have a stride divisible by 2 for all but last dimension");
    strides[d] /= 2;
  }
  Ref v = view_of(t, sizes, strides, t.offset / 2);
  v->dtype = complex_of(t.dtype);
  call.result(std::move(v));
}

}  // namespace
}  // namespace flambeau
