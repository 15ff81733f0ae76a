// Max pooling. A NaN replaces every maximum, an equal element does not.
#pragma once
#include "kernels/pool_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

template <class T>
constexpr T lowest() {
  if constexpr (static_cast<T>(0.5) == T(0)) {
    return static_cast<T>(static_cast<uint64_t>(1) << 63);
  } else {
    return -static_cast<T>(__builtin_inf());
  }
}

template <class T>
FLAMBEAU_INLINE void max_window(const PoolShape& s, const T* x, Span d, Span h, Span w, T* y, int64_t* index) {
  T best = lowest<T>();
  int64_t at = (d.begin * s.in[1] + h.begin) * s.in[2] + w.begin;
  for (int64_t i = d.begin; i < d.end; i += d.step) {
    for (int64_t j = h.begin; j < h.end; j += h.step) {
      const int64_t row = (i * s.in[1] + j) * s.in[2];
      for (int64_t k = w.begin; k < w.end; k += w.step) {
        const T v = x[row + k];
        if (v > best || v != v) {
          best = v;
          at = row + k;
        }
      }
    }
  }
  *y = best;
  if (index) *index = at;
}

// Outputs [first, first + count) of a row whose windows lie inside, a vector of them at once. What is kept for each
// lane is the place of its maximum relative to the window's first column.
template <class T>
FLAMBEAU_INLINE void max_vector(const PoolShape& s, const T* x, Span d, Span h, int64_t first, int count, T* y,
                                int64_t* index) {
  using I = Bits<T>;
  constexpr int N = Vec<T>::N;
  const int64_t column = first * s.stride[2] - s.pad[2];
  Vec<T> best(lowest<T>());
  Vec<I> place(static_cast<I>((d.begin * s.in[1] + h.begin) * s.in[2]));
  for (int64_t i = d.begin; i < d.end; i += d.step) {
    for (int64_t j = h.begin; j < h.end; j += h.step) {
      const int64_t row = (i * s.in[1] + j) * s.in[2];
      for (int64_t k = 0; k < s.kernel[2]; k++) {
        const Vec<T> v = load_lanes(x + row + column + k * s.dilation[2], s.stride[2], count);
        const Mask<T> m = (v > best) | (v != v);
        best = select(m, v, best);
        const Mask<I> wins{(typename Mask<I>::R)m.v};
        place = select(wins, Vec<I>(static_cast<I>(row + k * s.dilation[2])), place);
      }
    }
  }
  put(y, count, best);
  I places[N];
  place.store(places);
  if (count == N) {
    for (int i = 0; i < N; i++) index[i] = static_cast<int64_t>(places[i]) + column + i * s.stride[2];
  } else {
    for (int i = 0; i < count; i++) index[i] = static_cast<int64_t>(places[i]) + column + i * s.stride[2];
  }
}

template <class T>
FLAMBEAU_INLINE Vec<T> larger(Vec<T> v, Vec<T> best) {
  return select(v != v, v, max_second(v, best));
}

// The same without places. Windows of two neighbours are first joined over their rows, and shuffled once.
template <class T>
FLAMBEAU_INLINE void max_vector_values(const PoolShape& s, const T* x, Span d, Span h, int64_t first, int count, T* y) {
  constexpr int N = Vec<T>::N;
  const T* base = x + first * s.stride[2] - s.pad[2];
  Vec<T> best(lowest<T>());
  if (s.kernel[2] == 2 && s.stride[2] == 2 && s.dilation[2] == 1) {
    Vec<T> left = best, right = best;  // elements [0, N) and [N, 2 N) of the rows
    const int beyond = 2 * count - N;
    for (int64_t i = d.begin; i < d.end; i += d.step) {
      for (int64_t j = h.begin; j < h.end; j += h.step) {
        const T* p = base + (i * s.in[1] + j) * s.in[2];
        left = larger(beyond >= 0 ? Vec<T>::load(p) : Vec<T>::load(p, 2 * count), left);
        if (beyond > 0) right = larger(beyond == N ? Vec<T>::load(p + N) : Vec<T>::load(p + N, beyond), right);
      }
    }
    return put(y, count, larger(alternate_lanes<1>(left, right), alternate_lanes<0>(left, right)));
  }
  for (int64_t i = d.begin; i < d.end; i += d.step) {
    for (int64_t j = h.begin; j < h.end; j += h.step) {
      const T* p = base + (i * s.in[1] + j) * s.in[2];
      for (int64_t k = 0; k < s.kernel[2]; k++) {
        best = larger(load_lanes(p + k * s.dilation[2], s.stride[2], count), best);
      }
    }
  }
  put(y, count, best);
}

// A row without places where windows share columns or are large: first the maxima of the columns, with the padding,
// then those of their windows.
template <class T>
__attribute__((noinline)) void max_columns(const PoolShape& s, const T* x, Span d, Span h, T* y) {
  constexpr int N = Vec<T>::N;
  constexpr int64_t kRoom = 512;
  T columns[kRoom];
  const int64_t stride = s.stride[2], reach = (s.kernel[2] - 1) * s.dilation[2] + 1;
  const int64_t most = ((kRoom - reach) / stride + 1) / N * N;
  for (int64_t first = 0; first < s.out[2]; first += most) {
    const int64_t count = s.out[2] - first < most ? s.out[2] - first : most, width = (count - 1) * stride + reach;
    const int64_t from = first * stride - s.pad[2], begin = from < 0 ? -from : 0;
    const int64_t end = from + width < s.in[2] ? width : s.in[2] - from;
    for (int64_t w = 0; w < begin; w++) columns[w] = lowest<T>();
    for (int64_t w = begin; w < end; w += N) {
      const int lanes = static_cast<int>(end - w < N ? end - w : N);
      Vec<T> best(lowest<T>());
      for (int64_t i = d.begin; i < d.end; i += d.step) {
        for (int64_t j = h.begin; j < h.end; j += h.step) {
          best = larger(get(x + (i * s.in[1] + j) * s.in[2] + from + w, lanes), best);
        }
      }
      put(columns + w, lanes, best);
    }
    for (int64_t w = end; w < width; w++) columns[w] = lowest<T>();
    for (int64_t o = 0; o < count; o += N) {
      const int lanes = static_cast<int>(count - o < N ? count - o : N);
      Vec<T> best(lowest<T>());
      for (int64_t k = 0; k < s.kernel[2]; k++) {
        best = larger(load_lanes(columns + o * stride + k * s.dilation[2], stride, lanes), best);
      }
      put(y + first + o, lanes, best);
    }
  }
}

// Whether max_columns reads less than max_vector_values, and has the room.
FLAMBEAU_INLINE bool shares_columns(const PoolShape& s) {
  if (s.stride[2] > 2 || s.kernel[2] == 1 || (s.kernel[2] == 2 && s.stride[2] == 2)) return false;
  return s.kernel[0] * s.kernel[1] > 1 && (s.kernel[2] - 1) * s.dilation[2] < 256;
}

template <class T>
FLAMBEAU_INLINE void max_row(const PoolShape& s, Span inner, const T* x, Span d, Span h, T* y, int64_t* index) {
  constexpr int N = Vec<T>::N;
  const auto single = [&](int64_t o) {
    max_window(s, x, d, h, window(s, 2, o, s.dilation[2]), y + o, index ? index + o : nullptr);
  };
  for (int64_t o = 0; o < inner.begin; o++) single(o);
  int64_t o = inner.begin;
  const auto vector = [&](int count) FLAMBEAU_LAMBDA {
    if (index) {
      max_vector(s, x, d, h, o, count, y + o, index + o);
    } else {
      max_vector_values(s, x, d, h, o, count, y + o);
    }
  };
  for (; o + N <= inner.end; o += N) vector(N);
  if (o < inner.end) vector(static_cast<int>(inner.end - o));
  for (o = inner.end; o < s.out[2]; o++) single(o);
}

template <class T>
void max_forward_as(const PoolShape& s, const T* x, T* y, int64_t* indices) {
  Span inner = inner_columns(s, s.dilation[2]);
  // Lanes hold places in 32 bits where the elements have 32.
  if (s.stride[2] > 2 || volume(s.in) > INT32_MAX) inner.end = inner.begin;
  const int64_t work = elements_read(s);
  const auto row_of = [&](int64_t p, int64_t d, int64_t h) { return ((p * s.out[0] + d) * s.out[1] + h) * s.out[2]; };
  if (!indices && shares_columns(s)) {
    return each_output_row(s, work, [&](int64_t p, int64_t d, int64_t h) {
      max_columns(s, x + p * volume(s.in), window(s, 0, d, s.dilation[0]), window(s, 1, h, s.dilation[1]),
                  y + row_of(p, d, h));
    });
  }
  each_output_row(s, work, [&](int64_t p, int64_t d, int64_t h) {
    const int64_t row = row_of(p, d, h);
    max_row(s, inner, x + p * volume(s.in), window(s, 0, d, s.dilation[0]), window(s, 1, h, s.dilation[1]), y + row,
            indices ? indices + row : nullptr);
  });
}

template <class T>
void adaptive_max_forward_as(const PoolShape& s, const T* x, T* y, int64_t* indices) {
  each_output_row(s, volume(s.in), [&](int64_t p, int64_t d, int64_t h) {
    const int64_t row = ((p * s.out[0] + d) * s.out[1] + h) * s.out[2];
    const T* plane = x + p * volume(s.in);
    for (int64_t w = 0; w < s.out[2]; w++) {
      max_window(s, plane, adaptive_window(s, 0, d), adaptive_window(s, 1, h), adaptive_window(s, 2, w), y + row + w,
                 indices ? indices + row + w : nullptr);
    }
  });
}

// Whether all indices point inside; one that does not is passed over, not written through.
template <class T>
bool max_backward_as(int64_t planes, int64_t in_size, int64_t out_size, const T* gy, const int64_t* indices, T* gx) {
  bool outside = false;
  parallel(0, planes, kPoolGrain / (in_size + out_size + 1) + 1, [&](int64_t begin, int64_t end) {
    bool wrong = false;
    for (int64_t p = begin; p < end; p++) {
      T* plane = gx + p * in_size;
      for (int64_t i = 0; i < in_size; i++) plane[i] = T(0);
      for (int64_t i = p * out_size; i < (p + 1) * out_size; i++) {
        if (static_cast<uint64_t>(indices[i]) < static_cast<uint64_t>(in_size)) {
          plane[indices[i]] += gy[i];
        } else {
          wrong = true;
        }
      }
    }
    if (wrong) __atomic_store_n(&outside, true, __ATOMIC_RELAXED);
  });
  return !outside;
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
