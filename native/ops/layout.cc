#include "ops/layout.h"

#include <algorithm>

namespace flambeau {
namespace {

template <class T, bool kGather>
void move_run(char* memory, int64_t stride, int64_t n, char* packed) {
  T* m = reinterpret_cast<T*>(memory);
  T* p = reinterpret_cast<T*>(packed);
  if (stride == 1) {
    if constexpr (kGather)
      std::memcpy(p, m, sizeof(T) * static_cast<size_t>(n));
    else
      std::memcpy(m, p, sizeof(T) * static_cast<size_t>(n));
  } else if (stride == 0 && kGather) {
    for (int64_t i = 0; i < n; i++) p[i] = m[0];
  } else {
    for (int64_t i = 0; i < n; i++) {
      if constexpr (kGather)
        p[i] = m[i * stride];
      else
        m[i * stride] = p[i];
    }
  }
}

struct Sixteen {
  uint64_t a, b;
};

template <class T, bool kGather>
void move(const Walk& w, char* base, int64_t begin, int64_t n, char* packed) {
  if (n <= 0) return;
  int64_t index[kMaxDims];
  int64_t offset = 0;
  int64_t rest = begin;
  for (int d = w.ndim - 1; d >= 0; d--) {
    index[d] = rest % w.size[d];
    rest /= w.size[d];
    offset += index[d] * w.stride[d];
  }
  const int last = w.ndim - 1;
  while (n > 0) {
    const int64_t run = std::min(n, w.size[last] - index[last]);
    move_run<T, kGather>(base + offset * static_cast<int64_t>(sizeof(T)), w.stride[last], run, packed);
    packed += run * static_cast<int64_t>(sizeof(T));
    n -= run;
    index[last] += run;
    offset += run * w.stride[last];
    for (int d = last; d > 0 && index[d] == w.size[d]; d--) {
      offset -= index[d] * w.stride[d];
      index[d] = 0;
      index[d - 1]++;
      offset += w.stride[d - 1];
    }
  }
}

template <bool kGather>
void dispatch(const Walk& w, char* base, int item, int64_t begin, int64_t n, char* packed) {
  switch (item) {
    case 1: return move<uint8_t, kGather>(w, base, begin, n, packed);
    case 2: return move<uint16_t, kGather>(w, base, begin, n, packed);
    case 4: return move<uint32_t, kGather>(w, base, begin, n, packed);
    case 8: return move<uint64_t, kGather>(w, base, begin, n, packed);
    default: return move<Sixteen, kGather>(w, base, begin, n, packed);
  }
}

}  // namespace

void Walk::gather(const char* base, int item, int64_t begin, int64_t n, void* out) const {
  dispatch<true>(*this, const_cast<char*>(base), item, begin, n, static_cast<char*>(out));
}

void Walk::scatter(char* base, int item, int64_t begin, int64_t n, const void* in) const {
  dispatch<false>(*this, base, item, begin, n, const_cast<char*>(static_cast<const char*>(in)));
}

Walk make_walk(const Dims& sizes, const Dims& strides) {
  Walk w;
  w.constant = true;
  for (int d = 0; d < sizes.size(); d++) {
    if (sizes[d] == 1) continue;
    if (strides[d] != 0) w.constant = false;
    if (w.ndim > 0 && w.stride[w.ndim - 1] == strides[d] * sizes[d]) {
      w.size[w.ndim - 1] *= sizes[d];
      w.stride[w.ndim - 1] = strides[d];
    } else {
      w.size[w.ndim] = sizes[d];
      w.stride[w.ndim++] = strides[d];
    }
  }
  if (w.ndim == 0) {
    w.size[0] = 1;
    w.stride[0] = 1;
    w.ndim = 1;
    w.constant = false;  // a single element: direct access is simplest
  }
  w.contiguous = w.ndim == 1 && w.stride[0] == 1;
  return w;
}

Dims broadcast_sizes(const Dims& a, const Dims& b) {
  if (a == b) return a;
  const int n = std::max(a.size(), b.size());
  Dims out(n);
  for (int d = n - 1; d >= 0; d--) {
    const int da = d - (n - a.size());
    const int db = d - (n - b.size());
    const int64_t x = da >= 0 ? a[da] : 1;
    const int64_t y = db >= 0 ? b[db] : 1;
    FLAMBEAU_CHECK(x == y || x == 1 || y == 1, Kind::Runtime,
                   "The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension %d",
                   static_cast<long long>(x), static_cast<long long>(y), d);
    out[d] = x == 1 ? y : x;
  }
  return out;
}

Dims broadcast_strides(const Tensor& t, const Dims& sizes) {
  Dims out(sizes.size());
  const int shift = sizes.size() - t.ndim();
  for (int d = 0; d < sizes.size(); d++) {
    const int own = d - shift;
    out[d] = own < 0 || (t.sizes[own] == 1 && sizes[d] != 1) ? 0 : t.strides[own];
  }
  return out;
}

Ref expanded(const Tensor& t, Dims sizes) {
  using Int = long long;
  const int shift = sizes.size() - t.ndim();
  FLAMBEAU_CHECK(shift >= 0, Kind::Runtime,
                 "expand(torch.%sTensor{%s}, size=%s): the number of sizes provided (%d) must be greater or equal to "
                 "the number of dimensions in the tensor (%d)",
                 scalar_name(t.dtype), show(t.sizes).c_str(), show(sizes).c_str(), sizes.size(), t.ndim());
  Dims strides(sizes.size());
  const Dims asked = sizes;
  for (int d = sizes.size() - 1; d >= 0; d--) {
    const int own = d - shift;
    if (own < 0) {
      FLAMBEAU_CHECK(sizes[d] >= 0, Kind::Runtime,
                     "The expanded size of the tensor (%lld) isn't allowed in a leading, non-existing dimension %d",
                     static_cast<Int>(sizes[d]), d);
      strides[d] = 0;
      continue;
    }
    if (sizes[d] == -1) sizes[d] = t.sizes[own];
    strides[d] = t.strides[own];
    if (t.sizes[own] == sizes[d]) continue;
    FLAMBEAU_CHECK(t.sizes[own] == 1, Kind::Runtime,
                   "The expanded size of the tensor (%lld) must match the existing size (%lld) at non-singleton "
                   "dimension %d.  Target sizes: %s.  Tensor sizes: %s",
                   static_cast<Int>(sizes[d]), static_cast<Int>(t.sizes[own]), d, show(asked).c_str(),
                   show(t.sizes).c_str());
    strides[d] = 0;
  }
  return view_of(t, sizes, strides, t.offset);
}

void memory_order(const Dims& sizes, const Dims& strides, int* order) {
  const int n = sizes.size();
  for (int i = 0; i < n; i++) order[i] = i;
  // Insertion sort that moves a dimension outwards past those with smaller strides; dimensions that say nothing about
  // the layout (broadcast, or of one element) are neither moved nor passed over.
  const auto silent = [&](int d) { return strides[d] == 0 || sizes[d] == 1; };
  for (int i = 1; i < n; i++) {
    if (silent(order[i])) continue;
    int at = i;
    for (int j = i - 1; j >= 0; j--) {
      if (silent(order[j])) continue;
      if (strides[order[j]] >= strides[order[at]]) break;
      std::swap(order[j], order[at]);
      at = j;
    }
  }
}

Dims permuted(const Dims& d, const int* order) {
  Dims out(d.size());
  for (int i = 0; i < d.size(); i++) out[i] = d[order[i]];
  return out;
}

}  // namespace flambeau
