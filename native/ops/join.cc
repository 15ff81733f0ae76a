// Joining and rearranging whole blocks: cat, stack, repeat, roll, flip.
#include <algorithm>

#include "ops/index_util.h"
#include "ops/promotion.h"

namespace flambeau {
namespace {

using Int = long long;

// Kept for old code, as PyTorch does: a 1-D tensor without elements joins with anything.
bool skipped(const Tensor& t) { return t.ndim() == 1 && t.sizes[0] == 0; }

DType common_dtype(const std::vector<Tensor*>& tensors) {
  ResultType r;
  for (const Tensor* t : tensors) r.add(*t);
  return r.get();
}

// `count` elements of t along dimension d, from `start` on; nothing is checked.
Ref narrowed(const Tensor& t, int d, int64_t start, int64_t count) {
  Dims sizes = t.sizes;
  sizes[d] = count;
  return view_of(t, sizes, t.strides, t.offset + (count > 0 ? start * t.strides[d] : 0));
}

// cat(tensors, dim)
FLAMBEAU_OP(cat, OnMeta::Serve) {
  const auto tensors = call.tensors();
  const int64_t asked = call.integer();
  FLAMBEAU_CHECK(!tensors.empty(), Kind::Runtime, "torch.cat(): expected a non-empty list of Tensors");
  const Tensor* first = nullptr;
  for (size_t i = 0; i < tensors.size(); i++) {
    FLAMBEAU_CHECK(tensors[i]->ndim() > 0, Kind::Runtime,
                   "zero-dimensional tensor (at position %zu) cannot be concatenated", i);
    if (!first && !skipped(*tensors[i])) first = tensors[i];
  }
  const DType dtype = common_dtype(tensors);
  if (!first) {
    wrap_dim(asked, 1);
    return call.result(empty(Dims{0}, dtype));
  }
  const int d = wrap_dim(asked, first->ndim());
  Dims sizes = first->sizes;
  sizes[d] = 0;
  for (size_t i = 0; i < tensors.size(); i++) {
    const Tensor& t = *tensors[i];
    if (skipped(t)) continue;
    FLAMBEAU_CHECK(t.ndim() == first->ndim(), Kind::Runtime,
                   "Tensors must have same number of dimensions: got %d and %d", first->ndim(), t.ndim());
    for (int k = 0; k < t.ndim(); k++)
      FLAMBEAU_CHECK(k == d || t.sizes[k] == sizes[k], Kind::Runtime,
                     "Sizes of tensors must match except in dimension %d. Expected size %lld but got size %lld for "
                     "tensor number %zu in the list.",
                     d, static_cast<Int>(sizes[k]), static_cast<Int>(t.sizes[k]), i);
    FLAMBEAU_CHECK(!__builtin_add_overflow(sizes[d], t.sizes[d], &sizes[d]), Kind::Runtime,
                   "torch.cat(): the result is too large");
  }
  Ref out = empty(sizes, dtype);
  int64_t at = 0;
  for (const Tensor* t : tensors) {
    if (skipped(*t)) continue;
    copy_elements(*narrowed(*out, d, at, t->sizes[d]), *t);
    at += t->sizes[d];
  }
  call.result(std::move(out));
}

// stack(tensors, dim): all of one size, along a new dimension
FLAMBEAU_OP(stack, OnMeta::Serve) {
  const auto tensors = call.tensors();
  const int64_t asked = call.integer();
  FLAMBEAU_CHECK(!tensors.empty(), Kind::Runtime, "stack expects a non-empty TensorList");
  const Tensor& first = *tensors[0];
  const int d = wrap_dim(asked, first.ndim() + 1);
  for (size_t i = 1; i < tensors.size(); i++)
    FLAMBEAU_CHECK(tensors[i]->sizes == first.sizes, Kind::Runtime,
                   "stack expects each tensor to be equal size, but got %s at entry 0 and %s at entry %zu",
                   show(first.sizes).c_str(), show(tensors[i]->sizes).c_str(), i);
  Dims sizes = first.sizes;
  sizes.insert(d, static_cast<int64_t>(tensors.size()));
  Ref out = empty(sizes, common_dtype(tensors));
  Dims rest = out->strides;
  const int64_t step = rest[d];
  rest.erase(d);
  for (size_t i = 0; i < tensors.size(); i++)
    copy_elements(*view_of(*out, first.sizes, rest, out->offset + static_cast<int64_t>(i) * step), *tensors[i]);
  call.result(std::move(out));
}

// repeat(x, times): times[i] copies along each dimension, new ones in front
FLAMBEAU_OP(repeat, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const Dims times = call.dims();
  const int extra = times.size() - x.ndim();
  FLAMBEAU_CHECK(extra >= 0, Kind::Runtime,
                 "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
  Dims sizes;
  for (int d = 0; d < times.size(); d++) {
    const int64_t own = d < extra ? 1 : x.sizes[d - extra];
    FLAMBEAU_CHECK(times[d] >= 0, Kind::Runtime, "Trying to create tensor with negative dimension %lld: %s",
                   static_cast<Int>(own * times[d]), show(times).c_str());
    int64_t size;
    FLAMBEAU_CHECK(!__builtin_mul_overflow(own, times[d], &size), Kind::Runtime,
                   "Storage size calculation overflowed with sizes=%s", show(times).c_str());
    sizes.push_back(size);
  }
  Ref out = empty(sizes, x.dtype);
  // Seen as [times, size] per dimension, the copies are a broadcast. Dimensions that are not repeated need no pair.
  Dims pairs, to, from;
  for (int d = 0; d < times.size(); d++) {
    const int64_t own = d < extra ? 1 : x.sizes[d - extra];
    const int64_t stride = d < extra ? 0 : x.strides[d - extra];
    if (times[d] != 1) {
      pairs.push_back(times[d]);
      to.push_back(out->strides[d] * own);
      from.push_back(0);
    }
    if (own != 1) {
      pairs.push_back(own);
      to.push_back(out->strides[d]);
      from.push_back(stride);
    }
  }
  if (out->numel > 0) copy_elements(*view_of(*out, pairs, to, out->offset), *view_of(x, pairs, from, x.offset));
  call.result(std::move(out));
}

// repeat_interleave(repeats [n]) -> int64: position i repeats[i] times
FLAMBEAU_OP(repeat_interleave) {
  const Tensor& repeats = call.tensor();
  FLAMBEAU_CHECK(repeats.ndim() == 1, Kind::Runtime, "repeat_interleave only accept 1D vector as repeat");
  FLAMBEAU_CHECK(repeats.dtype == DType::I64 || repeats.dtype == DType::I32, Kind::Runtime,
                 "repeats has to be Long or Int tensor");
  const Ref counts = contiguous(repeats, DType::I64);
  const int64_t* n = counts->as<int64_t>();
  int64_t total = 0;
  for (int64_t i = 0; i < counts->numel; i++) {
    FLAMBEAU_CHECK(n[i] >= 0, Kind::Runtime, "repeats can not be negative");
    FLAMBEAU_CHECK(!__builtin_add_overflow(total, n[i], &total), Kind::Runtime, "repeat_interleave: too many elements");
  }
  Ref out = empty(Dims{total}, DType::I64);
  int64_t* to = out->as<int64_t>();
  for (int64_t i = 0; i < counts->numel; i++) to = std::fill_n(to, n[i], i);
  call.result(std::move(out));
}

// Copies x shifted along dims[k..] into out; both are narrowed already along the dimensions before.
void roll_from(Tensor& out, const Tensor& x, const std::vector<std::pair<int, int64_t>>& shifts, size_t k) {
  if (k == shifts.size()) return copy_elements(out, x);
  const auto [d, shift] = shifts[k];
  const int64_t n = x.sizes[d];
  roll_from(*narrowed(out, d, shift, n - shift), *narrowed(x, d, 0, n - shift), shifts, k + 1);
  roll_from(*narrowed(out, d, 0, shift), *narrowed(x, d, n - shift, shift), shifts, k + 1);
}

// roll(x, shifts, dims): one shift per dimension
FLAMBEAU_OP(roll, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const auto shifts = call.integers();
  const Dims dims = call.dims();
  FLAMBEAU_CHECK(shifts.size() == static_cast<size_t>(dims.size()), Kind::Runtime,
                 "shifts and dimensions must align. shifts: %zu, dims:%d", shifts.size(), dims.size());
  std::vector<std::pair<int, int64_t>> moves;
  Ref out = empty(x.sizes, x.dtype);
  for (int k = 0; k < dims.size(); k++) {
    const int d = wrap_dim(dims[k], x.ndim());
    if (x.numel == 0 || x.ndim() == 0) continue;
    const int64_t n = x.sizes[d];
    const auto same = std::find_if(moves.begin(), moves.end(), [d](const auto& m) { return m.first == d; });
    const int64_t shift = (shifts[static_cast<size_t>(k)] % n + n) % n;
    if (same == moves.end())
      moves.emplace_back(d, shift);
    else
      same->second = (same->second + shift) % n;
  }
  moves.erase(std::remove_if(moves.begin(), moves.end(), [](const auto& m) { return m.second == 0; }), moves.end());
  if (x.numel > 0) roll_from(*out, x, moves, 0);
  call.result(std::move(out));
}

// flip(x, dims)
FLAMBEAU_OP(flip, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const Dims dims = call.dims();
  Dims strides = x.strides;
  int64_t offset = x.offset;
  uint64_t seen = 0;
  for (const int64_t dim : dims) {
    const int d = wrap_dim(dim, x.ndim());
    FLAMBEAU_CHECK(!(seen >> d & 1), Kind::Runtime, "dim %d appears multiple times in the list of dims", d);
    seen |= uint64_t{1} << d;
    if (x.ndim() == 0 || x.numel == 0) continue;
    // A view that walks backwards; it does not outlive the copy.
    offset += (x.sizes[d] - 1) * x.strides[d];
    strides[d] = -x.strides[d];
  }
  Ref out = empty(x.sizes, x.dtype);
  if (x.numel > 0) copy_elements(*out, *view_of(x, x.sizes, strides, offset));
  call.result(std::move(out));
}

}  // namespace
}  // namespace flambeau
