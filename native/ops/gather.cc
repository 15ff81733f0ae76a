// Moving single elements by position along one dimension: gather, scatter and its reductions; and by position in the
// whole tensor: take, put_.
#include <algorithm>
#include <atomic>

#include "kernels/kernels.h"
#include "ops/index_util.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

using Int = long long;

constexpr int64_t kGrain = 16 * 1024;

// How the elements x[.., index[i], ..] lie: i counts the index as [outer, n, inner] around the dimension.
struct Lanes {
  Around at;
  int64_t step;  // x's stride along the dimension
  Walk before;   // outer: the strides of x over the index's sizes
  Ref after;     // int64 [inner]: offsets
};

// Both have at least one dimension.
Lanes lanes_of(const Tensor& x, const Dims& sizes, int d) {
  Lanes l;
  l.at = around(sizes, d);
  l.step = x.strides[d];
  Dims before, before_strides, after, after_strides;
  for (int i = 0; i < sizes.size(); i++) {
    if (i == d) continue;
    (i < d ? before : after).push_back(sizes[i]);
    (i < d ? before_strides : after_strides).push_back(x.strides[i]);
  }
  l.before = make_walk(before, before_strides);
  l.after = offsets_of(make_walk(after, after_strides), l.at.inner);
  return l;
}

// index: row-major int64. Throws for the first position outside [0, size).
void check_positions(const Tensor& index, int dim, int64_t size) {
  const int64_t* at = index.as<int64_t>();
  std::atomic<int64_t> bad{-1};
  parallel(0, index.numel, 4 * kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      if (at[i] >= 0 && at[i] < size) continue;
      bad.store(i, std::memory_order_relaxed);
      return;
    }
  });
  FLAMBEAU_CHECK(bad < 0, Kind::Range, "index %lld is out of bounds for dimension %d with size %lld",
                 static_cast<Int>(at[bad]), dim, static_cast<Int>(size));
}

void check_same_ndim(const Tensor& index, const Tensor& other, const char* what) {
  FLAMBEAU_CHECK(std::max(index.ndim(), 1) == std::max(other.ndim(), 1), Kind::Runtime,
                 "Index tensor must have the same number of dimensions as %s tensor", what);
}

// The index may not be larger than `t` in any dimension but `d`.
void check_extent(const Tensor& index, const Tensor& t, int d, const char* op, const char* what) {
  for (int i = 0; i < index.ndim() && i < t.ndim(); i++)
    FLAMBEAU_CHECK(i == d || index.sizes[i] <= t.sizes[i], Kind::Runtime,
                   "%s: Size does not match at dimension %d expected index %s to be no larger than %s %s apart from "
                   "dimension %d",
                   op, i, show(index.sizes).c_str(), what, show(t.sizes).c_str(), d);
}

// gather(x, dim, index) -> sizes of index
FLAMBEAU_OP(gather, OnMeta::Indexed) {
  const Tensor& x = call.tensor();
  const int d = wrap_dim(call.integer(), x.ndim());
  const Tensor& index = call.tensor();
  Ref out = empty(index.sizes, x.dtype);
  if (index.numel == 0) {
    index_values(index, "gather");
    return call.result(std::move(out));
  }
  check_same_ndim(index, x, "input");
  check_extent(index, x, d, "gather", "self");
  const Ref positions = at_least_1d(*index_values(index, "gather"));
  const Ref source = at_least_1d(x);
  check_positions(*positions, d, source->sizes[d]);
  const Lanes l = lanes_of(*source, positions->sizes, d);
  const int64_t* at = positions->as<int64_t>();
  const int64_t* after = l.after->as<int64_t>();
  const int64_t n = l.at.n, inner = l.at.inner;
  by_size(item_size(x.dtype), [&](auto zero) {
    using T = decltype(zero);
    const T* from = source->as<T>();
    T* to = out->as<T>();
    parallel(0, l.at.outer * n, std::max<int64_t>(1, kGrain / inner), [&](int64_t begin, int64_t end) {
      int64_t i = begin;
      while (i < end) {
        const T* base = from + offset_at(l.before, i / n);
        const int64_t rows = std::min(end - i, n - i % n);
        if (inner == 1) {
          for (int64_t k = i; k < i + rows; k++) to[k] = base[at[k] * l.step];
        } else {
          for (int64_t r = i; r < i + rows; r++)
            for (int64_t k = 0; k < inner; k++) to[r * inner + k] = base[at[r * inner + k] * l.step + after[k]];
        }
        i += rows;
      }
    });
  });
  call.result(std::move(out));
}

// x[.., index, ..] meets `values`, which has the sizes of index (row-major), or is one value for all. Threads share
// what lies before and behind the dimension: where an element is hit twice, the order is that of the index.
template <Meet kMeet, class T>
void put(Tensor& x, int d, const Tensor& index, const T* values, bool single) {
  const Lanes l = lanes_of(x, index.sizes, d);
  const int64_t* at = index.as<int64_t>();
  const int64_t* after = l.after->as<int64_t>();
  T* base = x.as<T>();
  const int64_t n = l.at.n, inner = l.at.inner;
  const int64_t strip = std::min(inner, std::max<int64_t>(64, kGrain / n));
  const int64_t strips = (inner + strip - 1) / strip;
  parallel(0, l.at.outer * strips, std::max<int64_t>(1, kGrain / (n * strip)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t o = i / strips, first = i % strips * strip;
      const int64_t last = std::min(inner, first + strip);
      T* to = base + offset_at(l.before, o);
      if (inner == 1) {
        for (int64_t r = o * n; r < (o + 1) * n; r++) meet<kMeet>(to[at[r] * l.step], single ? *values : values[r]);
        continue;
      }
      for (int64_t r = o * n; r < (o + 1) * n; r++)
        for (int64_t k = first; k < last; k++)
          meet<kMeet>(to[at[r * inner + k] * l.step + after[k]], single ? *values : values[r * inner + k]);
    }
  });
}

// The part of src that the index covers, row-major.
Ref covered(const Tensor& src, const Dims& sizes, DType dtype, const Tensor& changed) {
  const Ref part = view_of(src, sizes, src.strides, src.offset);
  return source_values(*part, dtype, changed);
}

// scatter_(self, dim, index, src or number, mode, mean, include_self): mode is a Meet
FLAMBEAU_OP(scatter_, OnMeta::Indexed) {
  Tensor& self = call.tensor();
  const int d = wrap_dim(call.integer(), self.ndim());
  const Tensor& index = call.tensor();
  const Operand src = call.operand();
  const auto mode = static_cast<Meet>(call.integer());
  const bool mean = call.flag();
  const bool include_self = call.flag();
  check_writable(self);
  if (src.tensor)
    FLAMBEAU_CHECK(src.tensor->dtype == self.dtype, Kind::Runtime,
                   "scatter(): Expected self.dtype to be equal to src.dtype");
  if (mode >= Meet::Max || mean)
    FLAMBEAU_CHECK(!is_complex(self.dtype), Kind::Runtime, "scatter(): this reduction has no meaning for %s",
                   scalar_name(self.dtype));
  if (index.numel == 0) {
    index_values(index, "scatter");
    return;
  }
  check_same_ndim(index, self, "self");
  check_extent(index, self, d, "scatter", "self");
  if (src.tensor) {
    check_same_ndim(index, *src.tensor, "src");
    for (int i = 0; i < index.ndim() && i < src.tensor->ndim(); i++)
      FLAMBEAU_CHECK(index.sizes[i] <= src.tensor->sizes[i], Kind::Runtime,
                     "Expected index %s to be no larger than self %s apart from dimension %d and to be no larger size "
                     "than src %s",
                     show(index.sizes).c_str(), show(self.sizes).c_str(), d, show(src.tensor->sizes).c_str());
  }
  const Ref positions = at_least_1d(*index_values(index, "scatter", &self));
  const Ref lifted = at_least_1d(self);
  check_positions(*positions, d, lifted->sizes[d]);
  const DType dtype = mode == Meet::Assign ? self.dtype : dtype_of(compute_of(self.dtype));
  Ref values;
  if (src.tensor) {
    values = covered(*at_least_1d(*src.tensor), positions->sizes, dtype, self);
  } else {
    values = empty(Dims{}, dtype);
    fill(*values, src.scalar);
  }
  const bool single = !src.tensor;
  if (mode == Meet::Assign) {
    by_size(item_size(self.dtype), [&](auto zero) {
      using T = decltype(zero);
      put<Meet::Assign, T>(*lifted, d, *positions, values->as<T>(), single);
    });
    self.bump();
    return;
  }
  // Nothing is written before all memory is there.
  const Ref counts = mean ? empty(lifted->sizes, DType::I64) : Ref();
  Workspace work(*lifted, dtype);
  by_compute(compute_of(dtype), [&](auto zero) {
    using T = decltype(zero);
    if (!include_self) {
      T start;
      identity_of(mode, self.dtype).store(dtype, &start);
      put<Meet::Assign, T>(*work, d, *positions, &start, true);
    }
    by_meet(mode, [&](auto m) { put<decltype(m)::value, T>(*work, d, *positions, values->as<T>(), single); });
  });
  if (mean) {
    fill(*counts, Scalar::of(static_cast<int64_t>(include_self)));
    const int64_t one = 1;
    put<Meet::Add, int64_t>(*counts, d, *positions, &one, true);
    divide_by_counts(*work, counts->as<int64_t>());
  }
  work.finish();
  self.bump();
}

// Positions in a tensor of n elements, negative ones from the end: row-major int64, all in [0, n).
Ref flat_positions(const Tensor& index, int64_t n, const char* op, const char* action, const Tensor* changed) {
  FLAMBEAU_CHECK(index.dtype == DType::I64, Kind::Runtime, "%s(): Expected a long tensor for index, but got %s", op,
                 scalar_name(index.dtype));
  const Ref given = index_values(index, op, changed);
  Ref out = empty(index.sizes, DType::I64);
  FLAMBEAU_CHECK(n > 0 || index.numel == 0, Kind::Range, "%s(): tried to %s an empty tensor", op, action);
  for (int64_t i = 0; i < index.numel && !dry_run(); i++) {
    const int64_t at = given->as<int64_t>()[i];
    FLAMBEAU_CHECK(at >= -n && at < n, Kind::Range,
                   "out of range: tried to access index %lld on a tensor of %lld elements.", static_cast<Int>(at),
                   static_cast<Int>(n));
    out->as<int64_t>()[i] = at < 0 ? at + n : at;
  }
  return out;
}

// take(x, index) -> sizes of index
FLAMBEAU_OP(take, OnMeta::Indexed) {
  const Tensor& x = call.tensor();
  const Tensor& index = call.tensor();
  const Ref positions = flat_positions(index, x.numel, "take", "take from", nullptr);
  const Ref from = contiguous(x);
  Ref out = empty(index.sizes, x.dtype);
  by_size(item_size(x.dtype), [&](auto zero) {
    using T = decltype(zero);
    const int64_t* at = positions->as<int64_t>();
    const T* source = from->as<T>();
    T* to = out->as<T>();
    parallel(0, index.numel, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) to[i] = source[at[i]];
    });
  });
  call.result(std::move(out));
}

// put_(self, index, source, accumulate)
FLAMBEAU_OP(put_, OnMeta::Indexed) {
  Tensor& self = call.tensor();
  const Tensor& index = call.tensor();
  const Tensor& source = call.tensor();
  const bool accumulate = call.flag();
  FLAMBEAU_CHECK(self.dtype == source.dtype, Kind::Runtime,
                 "put_(): self and source expected to have the same dtype, but got self.dtype = %s and source.dtype "
                 "= %s",
                 scalar_name(self.dtype), scalar_name(source.dtype));
  FLAMBEAU_CHECK(index.numel == source.numel, Kind::Range,
                 "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
                 "%lld, index.numel() = %lld",
                 static_cast<Int>(source.numel), static_cast<Int>(index.numel));
  check_writable(self);
  const Ref positions = flat_positions(index, self.numel, "put_", "put elements into", &self);
  const int64_t* at = positions->as<int64_t>();
  const DType dtype = accumulate ? dtype_of(compute_of(self.dtype)) : self.dtype;
  const Ref values = source_values(source, dtype, self);
  Workspace work(self, dtype);
  const int64_t moved = dry_run() ? 0 : index.numel;
  if (accumulate) {
    by_compute(compute_of(dtype), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t i = 0; i < moved; i++) meet<Meet::Add>(work->as<T>()[at[i]], values->as<T>()[i]);
    });
  } else {
    by_size(item_size(dtype), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t i = 0; i < moved; i++) work->as<T>()[at[i]] = values->as<T>()[i];
    });
  }
  work.finish();
  self.bump();
}

}  // namespace
}  // namespace flambeau
