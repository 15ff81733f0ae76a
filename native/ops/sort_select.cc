// Order statistics along a dimension: kthvalue, median, nanmedian, mode. Each gives values and their positions.
#include "ops/sort_keys.h"

namespace flambeau {
namespace {

using Int = long long;

// Quickselect with the median of three as the pivot: afterwards entries[k] is in its place.
template <class E>
void select_kth(E* x, int64_t n, int64_t k) {
  int64_t left = 0, right = n - 1;
  while (right > left) {
    if (right == left + 1) {
      if (x[left].key > x[right].key) std::swap(x[left], x[right]);
      return;
    }
    std::swap(x[left + (right - left) / 2], x[left + 1]);
    if (x[left + 1].key > x[right].key) std::swap(x[left + 1], x[right]);
    if (x[left].key > x[right].key) std::swap(x[left], x[right]);
    if (x[left + 1].key > x[left].key) std::swap(x[left + 1], x[left]);
    int64_t i = left + 1, j = right;
    const auto pivot = x[left].key;
    for (;;) {
      do i++;
      while (x[i].key < pivot);
      do j--;
      while (x[j].key > pivot);
      if (j < i) break;
      std::swap(x[i], x[j]);
    }
    std::swap(x[left], x[j]);
    if (j <= k) left = i;
    if (j >= k) right = j - 1;
  }
}

// Runs choose(entries, n, nans) -> position for every row; the entries are in order of position, and `nans` of them
// have the highest key because they are NaN.
template <class F>
void reduce_rows(Call& call, const Tensor& x, int d, bool keepdim, const char* op, const F& choose) {
  FLAMBEAU_CHECK(x.ndim() == 0 || x.sizes[d] > 0, Kind::Range, "%s(): Expected reduction dim %d to have non-zero size.",
                 op, d);
  const KeyRows rows(x, d, op);
  Ref indices = empty(Dims{rows.rows, 1}, DType::I64);
  by_key_dtype(rows.source->dtype, [&](auto zero) {
    using T = decltype(zero);
    over_rows<KeyOf<T>>(rows.rows, rows.n, [&](int64_t r, Entry<KeyOf<T>>* room) {
      const T* from = rows.source->as<T>() + r * rows.n;
      fill_entries(from, rows.n, false, room);
      int64_t nans = 0;
      if constexpr (std::is_floating_point_v<T>)
        for (int64_t i = 0; i < rows.n; i++) nans += from[i] != from[i];
      indices->as<int64_t>()[r] = choose(room, rows.n, nans);
    });
  });
  call.result(rows.restore_reduced(pick(rows, *indices, 1), keepdim));
  call.result(rows.restore_reduced(indices, keepdim));
}

// kthvalue(x, k, dim, keepdim)
FLAMBEAU_OP(kthvalue, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int64_t k = call.integer();
  const int d = wrap_dim(call.integer(), x.ndim());
  const bool keepdim = call.flag();
  const int64_t n = x.ndim() ? x.sizes[d] : 1;
  FLAMBEAU_CHECK(n > 0, Kind::Range, "kthvalue(): Expected reduction dim %d to have non-zero size.", d);
  FLAMBEAU_CHECK(k >= 1 && k <= n, Kind::Runtime, "kthvalue(): selected number k out of range for dimension %d", d);
  reduce_rows(call, x, d, keepdim, "kthvalue", [k](auto* room, int64_t count, int64_t) {
    select_kth(room, count, k - 1);
    return static_cast<int64_t>(room[k - 1].at);
  });
}

// median(x, dim, keepdim), nanmedian(...): the lower of the two middle ones
void median(Call& call) {
  const Tensor& x = call.tensor();
  const int d = wrap_dim(call.integer(), x.ndim());
  const bool keepdim = call.flag();
  const bool skip_nan = call.row == 1;
  reduce_rows(call, x, d, keepdim, "median", [skip_nan](auto* room, int64_t n, int64_t nans) {
    if (nans > 0 && !skip_nan) {
      int64_t first = 0;
      while (room[first].key != static_cast<decltype(room->key)>(-1)) first++;
      return first;
    }
    const int64_t kth = nans == n ? (n - 1) / 2 : (n - nans - 1) / 2;
    // Of equal elements the one that comes first in a stable sort.
    std::nth_element(room, room + kth, room + n,
                     [](const auto& a, const auto& b) { return a.key < b.key || (a.key == b.key && a.at < b.at); });
    return static_cast<int64_t>(room[kth].at);
  });
}

const Register median_{"median", median, 0, OnMeta::Serve};
const Register nanmedian_{"nanmedian", median, 1, OnMeta::Serve};

// mode(x, dim, keepdim): the commonest value, the smallest of several
FLAMBEAU_OP(mode, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int d = wrap_dim(call.integer(), x.ndim());
  const bool keepdim = call.flag();
  reduce_rows(call, x, d, keepdim, "mode", [](auto* room, int64_t n, int64_t) {
    std::sort(room, room + n, [](const auto& a, const auto& b) { return a.key < b.key; });
    int64_t best = 0, most = 0, run = 0;
    for (int64_t i = 0; i < n; i++) {
      run++;
      if (i + 1 < n && room[i].key == room[i + 1].key) continue;
      if (run > most) {
        most = run;
        best = i;
      }
      run = 0;
    }
    return static_cast<int64_t>(room[best].at);
  });
}

}  // namespace
}  // namespace flambeau
