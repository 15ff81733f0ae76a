// Equal elements: unique values or slices, and membership in a set.
#include <numeric>

#include "ops/promotion.h"
#include "ops/sort_keys.h"

namespace flambeau {
namespace {

// Groups n items that `order` lists so that equal ones are neighbours: leaves the first of each group, the group of
// each item, and the sizes of the groups, all int64.
template <class Same>
void emit_groups(Call& call, const int64_t* order, int64_t n, const Same& same) {
  Ref inverse = empty(Dims{n}, DType::I64);
  int64_t* group = inverse->as<int64_t>();
  int64_t groups = 0;
  for (int64_t i = 0; i < n; i++) {
    if (i == 0 || !same(order[i - 1], order[i])) groups++;
    group[order[i]] = groups - 1;
  }
  Ref first = empty(Dims{groups}, DType::I64);
  Ref counts = empty(Dims{groups}, DType::I64);
  fill(*counts, Scalar::of(int64_t{0}));
  for (int64_t i = n - 1; i >= 0; i--) {
    first->as<int64_t>()[group[order[i]]] = order[i];
    counts->as<int64_t>()[group[order[i]]]++;
  }
  call.result(std::move(first));
  call.result(std::move(inverse));
  call.result(std::move(counts));
}

Ref identity_order(int64_t n) {
  Ref order = empty(Dims{n}, DType::I64);
  std::iota(order->as<int64_t>(), order->as<int64_t>() + n, int64_t{0});
  return order;
}

// unique(x [n], consecutive) -> positions of the first of each group, group of each element, sizes. Groups are in
// ascending order, or of neighbours if `consecutive`. NaN equals nothing.
FLAMBEAU_OP(unique) {
  const Tensor& x = call.tensor();
  const bool consecutive = call.flag();
  FLAMBEAU_CHECK(x.ndim() == 1, Kind::Runtime, "unique(): expected a vector");
  const KeyRows rows(x, 0, "unique");
  const int64_t n = rows.n;
  const Ref order = identity_order(n);
  int64_t* at = order->as<int64_t>();
  by_key_dtype(rows.source->dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* from = rows.source->as<T>();
    if (!consecutive)
      over_rows<KeyOf<T>>(1, n, [&](int64_t, Entry<KeyOf<T>>* room) {
        fill_entries(from, n, false, room);
        sort_entries(room, room + n, n);
        for (int64_t i = 0; i < n; i++) at[i] = static_cast<int64_t>(room[i].at);
      });
    emit_groups(call, at, n, [from](int64_t a, int64_t b) { return from[a] == from[b]; });
  });
}

// unique_dim(x, dim, consecutive): as unique, of the slices along a dimension, in lexicographic order
FLAMBEAU_OP(unique_dim) {
  const Tensor& x = call.tensor();
  const int d = wrap_dim(call.integer(), x.ndim());
  const bool consecutive = call.flag();
  FLAMBEAU_CHECK(!is_complex(x.dtype), Kind::Runtime, "\"unique\" not implemented for '%s'", scalar_name(x.dtype));
  const Ref lifted = at_least_1d(x);
  Dims sizes = lifted->sizes, strides = lifted->strides;
  const int64_t n = sizes[d], step = strides[d];
  sizes.erase(d);
  strides.erase(d);
  sizes.insert(0, n);
  strides.insert(0, step);
  const Ref slices = contiguous(*view_of(*lifted, sizes, strides, lifted->offset), key_dtype(x.dtype, 0));
  const int64_t m = n > 0 ? slices->numel / n : 0;
  FLAMBEAU_CHECK(m > 0 || n == 0, Kind::Runtime,
                 "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
  const Ref order = identity_order(n);
  int64_t* at = order->as<int64_t>();
  by_key_dtype(slices->dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* from = slices->as<T>();
    if (!consecutive)
      std::stable_sort(at, at + n, [from, m](int64_t a, int64_t b) {
        return std::lexicographical_compare(from + a * m, from + (a + 1) * m, from + b * m, from + (b + 1) * m,
                                            [](T x, T y) { return key_of(x) < key_of(y); });
      });
    emit_groups(call, at, n,
                [from, m](int64_t a, int64_t b) { return std::equal(from + a * m, from + (a + 1) * m, from + b * m); });
  });
}

// isin(elements, test_elements) -> bool, of the sizes of `elements`
FLAMBEAU_OP(isin, OnMeta::Serve) {
  const Tensor& elements = call.tensor();
  const Tensor& tests = call.tensor();
  ResultType common;
  common.add(elements);
  common.add(tests);
  const DType dtype = key_dtype(common.get(), 0);
  FLAMBEAU_CHECK(!is_complex(common.get()), Kind::Runtime, "\"isin\" not implemented for '%s'",
                 scalar_name(common.get()));
  const Ref x = contiguous(elements, dtype);
  const Ref set = clone(*contiguous(tests, dtype));
  Ref out = empty(elements.sizes, DType::Bool);
  if (dry_run()) return call.result(std::move(out));
  by_key_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    T* begin = set->as<T>();
    T* end = begin + set->numel;
    // NaN is in no set, and would not sort.
    end = std::remove_if(begin, end, [](T v) { return v != v; });
    std::sort(begin, end);
    const T* from = x->as<T>();
    uint8_t* to = out->as<uint8_t>();
    parallel(0, x->numel, 4096, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; i++) to[i] = from[i] == from[i] && std::binary_search(begin, end, from[i]);
    });
  });
  call.result(std::move(out));
}

}  // namespace
}  // namespace flambeau
