// Sorting by keys: every element becomes an unsigned integer whose order is that of the elements, so that one sort
// serves all types. NaN is greater than all numbers, and the two zeros are equal.
#pragma once
#include <algorithm>
#include <cstring>

#include "ops/index_util.h"
#include "parallel/pool.h"

namespace flambeau {

inline uint32_t key_of(float x) {
  if (x != x) return ~uint32_t{0};
  x += 0.0f;  // -0 becomes +0
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits ^ (bits >> 31 ? ~uint32_t{0} : uint32_t{1} << 31);
}
inline uint64_t key_of(double x) {
  if (x != x) return ~uint64_t{0};
  x += 0.0;
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits ^ (bits >> 63 ? ~uint64_t{0} : uint64_t{1} << 63);
}
inline uint32_t key_of(int32_t x) {
  return static_cast<uint32_t>(x) ^ uint32_t { 1 } << 31;
}
inline uint64_t key_of(int64_t x) {
  return static_cast<uint64_t>(x) ^ uint64_t { 1 } << 63;
}

template <class T>
using KeyOf = decltype(key_of(T{}));

// Calls f with a value of the element type that keys of `dtype` (see KeyRows) are made from.
template <class F>
void by_key_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::F32: return f(float{});
    case DType::F64: return f(double{});
    case DType::I64: return f(int64_t{});
    default: return f(int32_t{});
  }
}

template <class Key>
struct Entry {
  Key key;
  Key at;  // position in the row
};

// Fills entries with the keys of n elements; descending order is the ascending order of complements.
template <class T>
void fill_entries(const T* x, int64_t n, bool descending, Entry<KeyOf<T>>* out) {
  const KeyOf<T> flip = descending ? ~KeyOf<T>{0} : KeyOf<T>{0};
  for (int64_t i = 0; i < n; i++) out[i] = {static_cast<KeyOf<T>>(key_of(x[i]) ^ flip), static_cast<KeyOf<T>>(i)};
}

// Sorts by key, stably; `other` is room for n more. The result is in `entries`.
void sort_entries(Entry<uint32_t>* entries, Entry<uint32_t>* other, int64_t n);
void sort_entries(Entry<uint64_t>* entries, Entry<uint64_t>* other, int64_t n);

// The type that elements are read in when they become keys: float32 and int32 give keys of 32 bits, float64 and int64
// of 64. Rows too long for positions of 32 bits take 64.
DType key_dtype(DType t, int64_t n);

// A tensor as rows along one dimension: [rows, n] contiguous.
struct KeyRows {
  KeyRows(const Tensor& t, int dim, const char* op);
  int dim;
  int64_t rows, n;
  Ref values;  // in the tensor's own type
  Ref source;  // in its key type
  Dims sizes;  // of the tensor

  // Results [rows, m] back in the order of the dimensions, or without the dimension (m is 1 then).
  Ref restore(const Ref& result, int64_t m) const;
  Ref restore_reduced(const Ref& result, bool keepdim) const;
};

// Calls body(row, room) for all rows on several threads; `room` has 2 n entries.
template <class Key, class F>
void over_rows(int64_t rows, int64_t n, const F& body) {
  if (rows == 0) return;
  const int64_t parts = std::min<int64_t>(rows, rows * n < 4096 ? 1 : num_threads());
  const int64_t bytes = 2 * std::max<int64_t>(n, 1) * static_cast<int64_t>(sizeof(Entry<Key>));
  const Ref rooms = empty(Dims{parts, bytes}, DType::U8);
  parallel(0, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      auto* room = reinterpret_cast<Entry<Key>*>(rooms->data() + p * bytes);
      for (int64_t r = rows * p / parts; r < rows * (p + 1) / parts; r++) body(r, room);
    }
  });
}

// values[r, j] = rows.values[r, at[r, j]], [rows, m].
Ref pick(const KeyRows& rows, const Tensor& at, int64_t m);

}  // namespace flambeau
