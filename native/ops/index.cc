// Indexing by tensors of positions: index, index_put_, index_select, index_add_, index_copy_, index_fill_, index_reduce_.
// All of them see the tensor as [outer, positions, inner]: the dimensions before the indexed ones, the combined
// positions, and the dimensions behind. If the indexed dimensions are not neighbours, outer is 1 and all others are inner.
#include <algorithm>
#include <atomic>

#include "kernels/kernels.h"
#include "ops/index_util.h"
#include "ops/promotion.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

using Int = long long;

constexpr int64_t kGrain = 16 * 1024;

// What the ops say about a position that does not exist.
enum class Bounds {
  Wrapped,  // negative positions count from the end
  Plain,
};

struct Selection {
  int64_t outer, count, inner;
  Dims sizes;      // of the result
  Ref offsets;     // int64 [count]: of the combined positions
  Walk before;     // outer
  Walk after;      // inner
  Ref after_offsets;  // int64 [inner]; none if inner is one contiguous run
};

[[noreturn]] void out_of_bounds(Bounds bounds, int64_t value, int dim, int64_t size) {
  if (bounds == Bounds::Plain) fail(Kind::Range, "index out of range in self");
  fail(Kind::Range, "index %lld is out of bounds for dimension %d with size %lld", static_cast<Int>(value), dim,
       static_cast<Int>(size));
}

// Adds stride * position to all offsets; every position is checked.
void add_offsets(int64_t* offsets, const int64_t* index, int64_t n, int64_t size, int64_t stride, Bounds bounds, int dim) {
  const int64_t lowest = bounds == Bounds::Wrapped ? -size : 0;
  std::atomic<int64_t> bad{-1};
  parallel(0, n, 4 * kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t at = index[i];
      if (at < lowest || at >= size) {
        bad.store(i, std::memory_order_relaxed);
        return;
      }
      offsets[i] += (at < 0 ? at + size : at) * stride;
    }
  });
  if (bad >= 0) out_of_bounds(bounds, index[bad], dim, size);
}

// x: the tensor; dims: ascending; indices: one per dimension, int64 or int32.
Selection select(const Tensor& x, const std::vector<int64_t>& dims, const std::vector<Tensor*>& indices, Bounds bounds,
                 const Tensor* changed) {
  FLAMBEAU_CHECK(!dims.empty() && dims.size() == indices.size(), Kind::Type, "index(): one tensor per indexed dimension");
  Dims positions = indices[0]->sizes;
  for (const Tensor* t : indices) {
    FLAMBEAU_CHECK(t->dtype == DType::I64 || t->dtype == DType::I32, Kind::Range,
                   "tensors used as indices must be long, int, byte or bool tensors");
    if (t->sizes == positions) continue;
    try {
      positions = broadcast_sizes(positions, t->sizes);
    } catch (const Error&) {
      std::string shapes;
      for (const Tensor* each : indices) shapes += (shapes.empty() ? "" : ", ") + show(each->sizes);
      fail(Kind::Range, "shape mismatch: indexing tensors could not be broadcast together with shapes %s", shapes.c_str());
    }
  }
  const int first = static_cast<int>(dims.front());
  const bool adjacent = dims.back() - dims.front() == static_cast<int64_t>(dims.size()) - 1;
  Dims before, before_strides, after, after_strides;
  size_t at = 0;
  for (int d = 0; d < x.ndim(); d++) {
    if (at < dims.size() && dims[at] == d) {
      at++;
    } else if (adjacent && d < first) {
      before.push_back(x.sizes[d]);
      before_strides.push_back(x.strides[d]);
    } else {
      after.push_back(x.sizes[d]);
      after_strides.push_back(x.strides[d]);
    }
  }
  FLAMBEAU_CHECK(at == dims.size(), Kind::Range, "too many indices for tensor of dimension %d", x.ndim());
  Selection s;
  s.outer = count_elements(before);
  s.count = count_elements(positions);
  s.inner = count_elements(after);
  for (const int64_t n : before) s.sizes.push_back(n);
  for (const int64_t n : positions) s.sizes.push_back(n);
  for (const int64_t n : after) s.sizes.push_back(n);
  s.before = make_walk(before, before_strides);
  s.after = make_walk(after, after_strides);
  if (s.inner > 1 && !s.after.contiguous) s.after_offsets = offsets_of(s.after, s.inner);
  s.offsets = empty(Dims{s.count}, DType::I64);
  fill(*s.offsets, Scalar::of(int64_t{0}));
  for (size_t k = 0; k < dims.size(); k++) {
    const int d = static_cast<int>(dims[k]);
    Ref values = index_values(*indices[k], "index", changed);
    if (values->sizes != positions) {
      const Ref stretched = view_of(*values, positions, broadcast_strides(*values, positions), values->offset);
      values = contiguous(*stretched);
    }
    add_offsets(s.offsets->as<int64_t>(), values->as<int64_t>(), s.count, x.sizes[d], x.strides[d], bounds, d);
  }
  return s;
}

// The selected elements, row-major.
Ref get(const Tensor& x, const Selection& s) {
  Ref out = empty(s.sizes, x.dtype);
  if (out->numel == 0) return out;
  const int item = item_size(x.dtype);
  const int64_t* offsets = s.offsets->as<int64_t>();
  const int64_t* after = s.after_offsets ? s.after_offsets->as<int64_t>() : nullptr;
  const int64_t inner = s.inner;
  by_size(item, [&](auto zero) {
    using T = decltype(zero);
    const T* from = x.as<T>();
    T* to = out->as<T>();
    parallel(0, s.outer * s.count, std::max<int64_t>(1, kGrain / inner), [&](int64_t begin, int64_t end) {
      int64_t i = begin;
      while (i < end) {
        const T* base = from + offset_at(s.before, i / s.count);
        const int64_t first = i % s.count;
        const int64_t last = std::min(s.count, first + end - i);
        T* row = to + i * inner;
        i += last - first;
        if (inner == 1) {
          for (int64_t c = first; c < last; c++) *row++ = base[offsets[c]];
        } else if (!after) {
          for (int64_t c = first; c < last; c++, row += inner)
            std::memcpy(row, base + offsets[c], sizeof(T) * static_cast<size_t>(inner));
        } else {
          for (int64_t c = first; c < last; c++, row += inner) {
            const T* source = base + offsets[c];
            for (int64_t k = 0; k < inner; k++) row[k] = source[after[k]];
          }
        }
      }
    });
  });
  return out;
}

// x[selection] meets `values`: [outer, count, inner], or one value for all. Threads share outer and inner positions
// among them, never the combined ones: where a position comes twice the order is that of the index.
template <Meet kMeet, class T>
void put(Tensor& x, const Selection& s, const T* values, bool single) {
  const int64_t* offsets = s.offsets->as<int64_t>();
  const int64_t* after = s.after_offsets ? s.after_offsets->as<int64_t>() : nullptr;
  T* base = x.as<T>();
  const int64_t inner = s.inner;
  const int64_t strip = std::min(inner, std::max<int64_t>(64, kGrain / std::max<int64_t>(s.count, 1)));
  const int64_t strips = (inner + strip - 1) / strip;
  parallel(0, s.outer * strips, std::max<int64_t>(1, kGrain / (s.count * strip)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t o = i / strips, first = i % strips * strip;
      const int64_t last = std::min(inner, first + strip);
      T* target = base + offset_at(s.before, o);
      for (int64_t c = 0; c < s.count; c++) {
        T* to = target + offsets[c];
        const T* from = single ? values : values + (o * s.count + c) * inner;
        if (single) {
          const T value = *values;
          for (int64_t k = first; k < last; k++) meet<kMeet>(to[after ? after[k] : k], value);
        } else if (after) {
          for (int64_t k = first; k < last; k++) meet<kMeet>(to[after[k]], from[k]);
        } else {
          for (int64_t k = first; k < last; k++) meet<kMeet>(to[k], from[k]);
        }
      }
    }
  });
}

// `values` is row-major in x's type, of the selection's sizes or a single element.
void assign(Tensor& x, const Selection& s, const Tensor& values) {
  if (s.outer * s.count * s.inner == 0) return;
  by_size(item_size(x.dtype), [&](auto zero) {
    using T = decltype(zero);
    put<Meet::Assign, T>(x, s, values.as<T>(), values.numel == 1);
  });
}

void combine(Tensor& x, const Selection& s, const Tensor& values, Meet mode) {
  if (s.outer * s.count * s.inner == 0) return;
  by_compute(compute_of(x.dtype), [&](auto zero) {
    using T = decltype(zero);
    by_meet(mode, [&](auto m) { put<decltype(m)::value, T>(x, s, values.as<T>(), values.numel == 1); });
  });
}

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
FLAMBEAU_OP(index) {
  const Tensor& x = call.tensor();
  const auto dims = call.integers();
  const auto indices = call.tensors();
  call.result(get(x, select(x, dims, indices, Bounds::Wrapped, nullptr)));
}

// index_put_(self, dims, indices, values, accumulate)
FLAMBEAU_OP(index_put_) {
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

// Checks the index of the ops that take one vector.
void check_vector(const Tensor& index, const char* op) {
  FLAMBEAU_CHECK(index.ndim() <= 1, Kind::Range, "%s: Index is supposed to be a vector, but got dim: %d", op,
                 index.ndim());
  FLAMBEAU_CHECK(index.dtype == DType::I64 || index.dtype == DType::I32, Kind::Runtime,
                 "%s: Expected dtype int32/int64 for index but got: %s", op, scalar_name(index.dtype));
}

// index_select(x, dim, index [n])
FLAMBEAU_OP(index_select) {
  const Tensor& x = call.tensor();
  const int d = wrap_dim(call.integer(), x.ndim());
  Tensor& index = call.tensor();
  check_vector(index, "index_select()");
  const Ref lifted = at_least_1d(x);
  const Ref positions = at_least_1d(index);
  if (x.ndim() == 0)
    FLAMBEAU_CHECK(index.numel == 1, Kind::Runtime, "index_select(): Index to scalar can have only 1 value, got %lld value(s)",
                   static_cast<Int>(index.numel));
  const Ref out = get(*lifted, select(*lifted, {d}, {positions.get()}, Bounds::Plain, nullptr));
  call.result(x.ndim() > 0 ? out : view_of(*out, Dims{}, Dims{}, out->offset));
}

// embedding(weight [V, D], index [..]) -> [.., D]
FLAMBEAU_OP(embedding) {
  const Tensor& weight = call.tensor();
  Tensor& index = call.tensor();
  FLAMBEAU_CHECK(weight.ndim() == 2, Kind::Runtime, "'weight' must be 2-D");
  FLAMBEAU_CHECK(index.dtype == DType::I64 || index.dtype == DType::I32, Kind::Runtime,
                 "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but "
                 "got torch.%s instead (while checking arguments for embedding)",
                 dtype_name(index.dtype));
  call.result(get(weight, select(weight, {0}, {&index}, Bounds::Plain, nullptr)));
}

// The source of index_add_ and its kin, checked against self and index: sizes equal but for the dimension.
void check_source(const Tensor& self, int dim, const Tensor& index, const Tensor& source, const char* op) {
  check_vector(index, op);
  FLAMBEAU_CHECK(self.dtype == source.dtype, Kind::Runtime,
                 "%s: self (%s) and source (%s) must have the same scalar type", op, scalar_name(self.dtype),
                 scalar_name(source.dtype));
  const int64_t n = source.ndim() == 0 ? 1 : dim < source.ndim() ? source.sizes[dim] : -1;
  FLAMBEAU_CHECK(index.numel == n, Kind::Range,
                 "%s: Number of indices (%lld) should be equal to source.size(dim): (%lld), for dim: %d", op,
                 static_cast<Int>(index.numel), static_cast<Int>(n), dim);
  bool same = source.ndim() == self.ndim() || (source.ndim() <= 1 && self.ndim() <= 1);
  for (int d = 0; same && d < self.ndim() && d < source.ndim(); d++)
    same = d == dim || self.sizes[d] == source.sizes[d];
  FLAMBEAU_CHECK(same, Kind::Runtime,
                 "%s: source tensor shape must match self tensor shape, excluding the specified dimension. Got "
                 "self.shape = %s source.shape = %s",
                 op, show(self.sizes).c_str(), show(source.sizes).c_str());
}

// index_add_(self, dim, index, source, alpha)
FLAMBEAU_OP(index_add_) {
  Tensor& self = call.tensor();
  const int d = wrap_dim(call.integer(), self.ndim());
  const Tensor& index = call.tensor();
  const Tensor& source = call.tensor();
  const Scalar alpha = call.scalar();
  check_writable(self);
  check_source(self, d, index, source, "index_add_()");
  const DType dtype = dtype_of(compute_of(self.dtype));
  Workspace work(self, dtype);
  const Ref lifted = at_least_1d(*work);
  const Ref positions = at_least_1d(index);
  const Selection s = select(*lifted, {d}, {positions.get()}, Bounds::Plain, &self);
  Ref values = source_values(source, dtype, self);
  const bool unit = alpha.re == 1 && alpha.im == 0;
  if (!unit) {
    Ref scaled = empty(values->sizes, dtype);
    by_compute(compute_of(dtype), [&](auto zero) {
      using T = decltype(zero);
      T a;
      alpha.store(dtype, &a);
      const T* from = values->as<T>();
      T* to = scaled->as<T>();
      parallel(0, values->numel, kGrain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          T x = from[i];
          meet<Meet::Multiply>(x, a);
          to[i] = x;
        }
      });
    });
    values = std::move(scaled);
  }
  combine(*lifted, s, *values, Meet::Add);
  work.finish();
  self.bump();
}

// index_copy_(self, dim, index, source)
FLAMBEAU_OP(index_copy_) {
  Tensor& self = call.tensor();
  const int d = wrap_dim(call.integer(), self.ndim());
  const Tensor& index = call.tensor();
  const Tensor& source = call.tensor();
  check_writable(self);
  check_source(self, d, index, source, "index_copy_()");
  const Ref lifted = at_least_1d(self);
  const Ref positions = at_least_1d(index);
  const Selection s = select(*lifted, {d}, {positions.get()}, Bounds::Wrapped, &self);
  assign(*lifted, s, *source_values(source, self.dtype, self));
  self.bump();
}

// index_fill_(self, dim, index, value): a number, or a tensor of no dimensions
FLAMBEAU_OP(index_fill_) {
  Tensor& self = call.tensor();
  const int d = wrap_dim(call.integer(), self.ndim());
  const Tensor& index = call.tensor();
  const Operand value = call.operand();
  check_writable(self);
  check_vector(index, "index_fill_()");
  Ref one = empty(Dims{}, self.dtype);
  if (value.tensor) {
    FLAMBEAU_CHECK(value.tensor->ndim() == 0, Kind::Runtime,
                   "index_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).",
                   value.tensor->ndim());
    copy_elements(*one, *value.tensor);
  } else {
    fill(*one, value.scalar);
  }
  const Ref lifted = at_least_1d(self);
  const Ref positions = at_least_1d(index);
  assign(*lifted, select(*lifted, {d}, {positions.get()}, Bounds::Wrapped, &self), *one);
  self.bump();
}

// index_reduce_(self, dim, index, source, mode, mean, include_self): mode is a Meet
FLAMBEAU_OP(index_reduce_) {
  Tensor& self = call.tensor();
  const int d = wrap_dim(call.integer(), self.ndim());
  const Tensor& index = call.tensor();
  const Tensor& source = call.tensor();
  const auto mode = static_cast<Meet>(call.integer());
  const bool mean = call.flag();
  const bool include_self = call.flag();
  check_writable(self);
  check_source(self, d, index, source, "index_reduce_()");
  FLAMBEAU_CHECK(!is_complex(self.dtype), Kind::Runtime, "index_reduce_(): complex tensors are not supported");
  const DType dtype = dtype_of(compute_of(self.dtype));
  Workspace work(self, dtype);
  const Ref lifted = at_least_1d(*work);
  const Ref positions = at_least_1d(index);
  const Selection s = select(*lifted, {d}, {positions.get()}, Bounds::Plain, &self);
  const Ref values = source_values(source, dtype, self);
  if (!include_self) {
    Ref start = empty(Dims{}, dtype);
    fill(*start, identity_of(mode, self.dtype));
    assign(*lifted, s, *start);
  }
  combine(*lifted, s, *values, mode);
  if (mean) {
    Ref counts = empty(lifted->sizes, DType::I64);
    fill(*counts, Scalar::of(static_cast<int64_t>(include_self)));
    Ref one = empty(Dims{}, DType::I64);
    fill(*one, Scalar::of(int64_t{1}));
    combine(*counts, s, *one, Meet::Add);
    divide_by_counts(*lifted, counts->as<int64_t>());
  }
  work.finish();
  self.bump();
}

}  // namespace
}  // namespace flambeau
