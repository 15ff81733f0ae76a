#include "ops/index_selection.h"

#include <algorithm>
#include <atomic>

#include "parallel/pool.h"

namespace flambeau {
namespace {

using Int = long long;

constexpr int64_t kGrain = 16 * 1024;

[[noreturn]] void out_of_bounds(Bounds bounds, int64_t value, int dim, int64_t size) {
  if (bounds == Bounds::Plain) fail(Kind::Range, "index out of range in self");
  fail(Kind::Range, "index %lld is out of bounds for dimension %d with size %lld", static_cast<Int>(value), dim,
       static_cast<Int>(size));
}

// Adds stride * position to all offsets; every position is checked.
void add_offsets(int64_t* offsets, const int64_t* index, int64_t n, int64_t size, int64_t stride, Bounds bounds,
                 int dim) {
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

}  // namespace

Selection select(const Tensor& x, const std::vector<int64_t>& dims, const std::vector<Tensor*>& indices, Bounds bounds,
                 const Tensor* changed) {
  FLAMBEAU_CHECK(!dims.empty() && dims.size() == indices.size(), Kind::Type,
                 "index(): one tensor per indexed dimension");
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
      fail(Kind::Range, "shape mismatch: indexing tensors could not be broadcast together with shapes %s",
           shapes.c_str());
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
  if (dry_run()) return s;
  std::fill_n(s.offsets->as<int64_t>(), s.count, int64_t{0});
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

namespace {

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

}  // namespace

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

}  // namespace flambeau
