// sort, and what it is made of: a stable radix sort of keys for long rows, merging for short ones.
#include "ops/sort_keys.h"

namespace flambeau {
namespace {

// Below this the passes over all bytes of a key cost more than comparing.
constexpr int64_t kRadixFrom = 256;

// Least significant byte first; a byte that all keys share needs no pass.
template <class Key>
void radix_sort(Entry<Key>* entries, Entry<Key>* other, int64_t n) {
  constexpr int kBytes = sizeof(Key);
  int64_t counts[kBytes][256] = {};
  for (int64_t i = 0; i < n; i++)
    for (int b = 0; b < kBytes; b++) counts[b][entries[i].key >> (8 * b) & 255]++;
  Entry<Key>* from = entries;
  Entry<Key>* to = other;
  for (int b = 0; b < kBytes; b++) {
    if (counts[b][from[0].key >> (8 * b) & 255] == n) continue;
    int64_t start = 0;
    for (int64_t& c : counts[b]) {
      const int64_t count = c;
      c = start;
      start += count;
    }
    for (int64_t i = 0; i < n; i++) to[counts[b][from[i].key >> (8 * b) & 255]++] = from[i];
    std::swap(from, to);
  }
  if (from != entries) std::memcpy(entries, from, sizeof(Entry<Key>) * static_cast<size_t>(n));
}

// Runs of 16 by insertion, then merged pairwise.
template <class Key>
void merge_sort(Entry<Key>* entries, Entry<Key>* other, int64_t n) {
  constexpr int64_t kRun = 16;
  for (int64_t begin = 0; begin < n; begin += kRun) {
    const int64_t end = std::min(n, begin + kRun);
    for (int64_t i = begin + 1; i < end; i++) {
      const Entry<Key> x = entries[i];
      int64_t j = i;
      for (; j > begin && x.key < entries[j - 1].key; j--) entries[j] = entries[j - 1];
      entries[j] = x;
    }
  }
  Entry<Key>* from = entries;
  Entry<Key>* to = other;
  for (int64_t width = kRun; width < n; width *= 2) {
    for (int64_t begin = 0; begin < n; begin += 2 * width) {
      const int64_t middle = std::min(n, begin + width), end = std::min(n, begin + 2 * width);
      std::merge(from + begin, from + middle, from + middle, from + end, to + begin,
                 [](const Entry<Key>& a, const Entry<Key>& b) { return a.key < b.key; });
    }
    std::swap(from, to);
  }
  if (from != entries) std::memcpy(entries, from, sizeof(Entry<Key>) * static_cast<size_t>(n));
}

template <class Key>
void sort_any(Entry<Key>* entries, Entry<Key>* other, int64_t n) {
  if (n >= kRadixFrom)
    radix_sort(entries, other, n);
  else
    merge_sort(entries, other, n);
}

}  // namespace

void sort_entries(Entry<uint32_t>* entries, Entry<uint32_t>* other, int64_t n) { sort_any(entries, other, n); }
void sort_entries(Entry<uint64_t>* entries, Entry<uint64_t>* other, int64_t n) { sort_any(entries, other, n); }

DType key_dtype(DType t, int64_t n) {
  const bool wide = n > int64_t{UINT32_MAX};
  if (t == DType::F64 || (is_float(t) && wide)) return DType::F64;
  if (is_float(t)) return DType::F32;
  return t == DType::I64 || wide ? DType::I64 : DType::I32;
}

KeyRows::KeyRows(const Tensor& t, int d, const char* op)
    : dim(d), rows(1), n(t.ndim() ? t.sizes[d] : 1), sizes(t.sizes) {
  FLAMBEAU_CHECK(!is_complex(t.dtype), Kind::Runtime, "%s(): Sort does not support complex dtypes on CPU", op);
  Dims order, strides;
  for (int i = 0; i < t.ndim(); i++) {
    if (i == d) continue;
    order.push_back(t.sizes[i]);
    strides.push_back(t.strides[i]);
    rows *= t.sizes[i];
  }
  order.push_back(n);
  strides.push_back(t.ndim() ? t.strides[d] : 1);
  values = contiguous(*view_of(t, order, strides, t.offset));
  source = contiguous(*values, key_dtype(t.dtype, n));
}

Ref KeyRows::restore(const Ref& result, int64_t m) const {
  if (sizes.size() == 0) return view_of(*result, Dims{}, Dims{}, result->offset);
  Dims moved;
  for (int i = 0; i < sizes.size(); i++)
    if (i != dim) moved.push_back(sizes[i]);
  moved.push_back(m);
  const Dims steps = contiguous_strides(moved);
  Dims out, strides;
  for (int i = 0, k = 0; i < sizes.size(); i++) {
    out.push_back(i == dim ? m : sizes[i]);
    strides.push_back(i == dim ? steps[moved.size() - 1] : steps[k++]);
  }
  return contiguous(*view_of(*result, out, strides, result->offset));
}

Ref KeyRows::restore_reduced(const Ref& result, bool keepdim) const {
  Dims out;
  for (int i = 0; i < sizes.size(); i++)
    if (i != dim)
      out.push_back(sizes[i]);
    else if (keepdim)
      out.push_back(1);
  return view_of(*result, out, contiguous_strides(out), result->offset);
}

Ref pick(const KeyRows& rows, const Tensor& at, int64_t m) {
  Ref out = empty(Dims{rows.rows, m}, rows.values->dtype);
  by_size(item_size(out->dtype), [&](auto zero) {
    using T = decltype(zero);
    const T* from = rows.values->as<T>();
    const int64_t* index = at.as<int64_t>();
    T* to = out->as<T>();
    parallel(0, rows.rows, std::max<int64_t>(1, 16 * 1024 / std::max<int64_t>(m, 1)), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++)
        for (int64_t j = 0; j < m; j++) to[r * m + j] = from[r * rows.n + index[r * m + j]];
    });
  });
  return out;
}

namespace {

// sort(x, dim, descending) -> values, indices; always stable
FLAMBEAU_OP(sort, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int d = wrap_dim(call.integer(), x.ndim());
  const bool descending = call.flag();
  const KeyRows rows(x, d, "sort");
  Ref indices = empty(Dims{rows.rows, rows.n}, DType::I64);
  by_key_dtype(rows.source->dtype, [&](auto zero) {
    using T = decltype(zero);
    over_rows<KeyOf<T>>(rows.rows, rows.n, [&](int64_t r, Entry<KeyOf<T>>* room) {
      fill_entries(rows.source->as<T>() + r * rows.n, rows.n, descending, room);
      sort_entries(room, room + rows.n, rows.n);
      int64_t* to = indices->as<int64_t>() + r * rows.n;
      for (int64_t i = 0; i < rows.n; i++) to[i] = static_cast<int64_t>(room[i].at);
    });
  });
  call.result(rows.restore(pick(rows, *indices, rows.n), rows.n));
  call.result(rows.restore(indices, rows.n));
}

// topk(x, k, dim, largest, sorted) -> values, indices
FLAMBEAU_OP(topk, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int64_t asked = call.integer();
  const int d = wrap_dim(call.integer(), x.ndim());
  const bool largest = call.flag();
  const bool sorted = call.flag();
  FLAMBEAU_CHECK(asked >= 0 && asked <= (x.ndim() ? x.sizes[d] : 1), Kind::Runtime, "selected index k out of range");
  // Of a 0-d tensor the one element is given even for k = 0, as PyTorch does.
  const int64_t k = x.ndim() ? asked : 1;
  const KeyRows rows(x, d, "topk");
  Ref indices = empty(Dims{rows.rows, k}, DType::I64);
  by_key_dtype(rows.source->dtype, [&](auto zero) {
    using T = decltype(zero);
    using E = Entry<KeyOf<T>>;
    over_rows<KeyOf<T>>(rows.rows, rows.n, [&](int64_t r, E* room) {
      if (k == 0) return;
      const auto before = [](const E& a, const E& b) { return a.key < b.key; };
      fill_entries(rows.source->as<T>() + r * rows.n, rows.n, largest, room);
      if (k * 64 <= rows.n) {
        std::partial_sort(room, room + k, room + rows.n, before);
      } else {
        std::nth_element(room, room + k - 1, room + rows.n, before);
        if (sorted) std::sort(room, room + k - 1, before);
      }
      for (int64_t i = 0; i < k; i++) indices->as<int64_t>()[r * k + i] = static_cast<int64_t>(room[i].at);
    });
  });
  call.result(rows.restore(pick(rows, *indices, k), k));
  call.result(rows.restore(indices, k));
}

}  // namespace
}  // namespace flambeau
