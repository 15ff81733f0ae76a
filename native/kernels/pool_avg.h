// Average pooling.
#pragma once
#include "kernels/pool_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// How many elements window o of dimension d counts for the divisor: those of the padded input, or those of the input.
FLAMBEAU_INLINE int64_t counted(const PoolShape& s, int d, int64_t o) {
  if (!s.count_include_pad) return window(s, d, o, 1).count();
  const int64_t begin = o * s.stride[d] - s.pad[d], end = begin + s.kernel[d], limit = s.in[d] + s.pad[d];
  return (end < limit ? end : limit) - begin;
}

// a * b, or the largest number: three sides of padding need not have a product.
FLAMBEAU_INLINE int64_t times(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

// What the windows (d, h, ...) of a row are divided by, with `columns` elements counted in the last dimension.
FLAMBEAU_INLINE int64_t divisor(const PoolShape& s, int64_t rows, int64_t columns) {
  return s.divisor != 0 ? s.divisor : times(rows, columns);
}

template <class T>
constexpr bool kIntegers = static_cast<T>(0.5) == T(0);

// sum / count; the one quotient of integers that overflows wraps, where the instruction would trap.
template <class T>
FLAMBEAU_INLINE T quotient(typename WrappingOf<T>::Type sum, int64_t count) {
  if constexpr (kIntegers<T>) {
    if (count == -1) return static_cast<T>(0 - sum);
  }
  return static_cast<T>(sum) / static_cast<T>(count);
}

template <class T>
FLAMBEAU_INLINE T average_window(const PoolShape& s, const T* x, Span d, Span h, Span w, int64_t count) {
  using W = typename WrappingOf<T>::Type;
  W sum = 0;
  for (int64_t i = d.begin; i < d.end; i++) {
    for (int64_t j = h.begin; j < h.end; j++) {
      const T* row = x + (i * s.in[1] + j) * s.in[2];
      for (int64_t k = w.begin; k < w.end; k++) sum += static_cast<W>(row[k]);
    }
  }
  return quotient<T>(sum, count);
}

template <class T>
FLAMBEAU_INLINE void average_vector(const PoolShape& s, const T* x, Span d, Span h, int64_t first, int count,
                                    Vec<T> divide, T* y) {
  Vec<T> sum(0);
  for (int64_t i = d.begin; i < d.end; i++) {
    for (int64_t j = h.begin; j < h.end; j++) {
      const T* row = x + (i * s.in[1] + j) * s.in[2] + first * s.stride[2] - s.pad[2];
      for (int64_t k = 0; k < s.kernel[2]; k++) sum += load_lanes(row + k, s.stride[2], count);
    }
  }
  put(y, count, sum / divide);
}

template <class T>
void avg_forward_as(const PoolShape& s, const T* x, T* y) {
  constexpr int N = Vec<T>::N;
  Span inner = inner_columns(s, 1);
  if (s.stride[2] > 2 || kIntegers<T>) inner.end = inner.begin;
  each_output_row(s, elements_read(s), [&](int64_t p, int64_t z, int64_t row) {
    const T* plane = x + p * volume(s.in);
    T* out = y + ((p * s.out[0] + z) * s.out[1] + row) * s.out[2];
    const Span d = window(s, 0, z, 1), h = window(s, 1, row, 1);
    const int64_t rows = times(counted(s, 0, z), counted(s, 1, row));
    const auto single = [&](int64_t o) {
      const Span w = window(s, 2, o, 1);
      const bool empty = d.count() == 0 || h.count() == 0 || w.count() == 0;
      out[o] = empty ? T(0) : average_window(s, plane, d, h, w, divisor(s, rows, counted(s, 2, o)));
    };
    const bool none = d.count() == 0 || h.count() == 0;
    const int64_t end = none ? inner.begin : inner.end;
    for (int64_t o = 0; o < inner.begin; o++) single(o);
    int64_t o = inner.begin;
    if (o < end) {
      const Vec<T> divide(static_cast<T>(divisor(s, rows, s.kernel[2])));
      for (; o + N <= end; o += N) average_vector(s, plane, d, h, o, N, divide, out + o);
      if (o < end) average_vector(s, plane, d, h, o, static_cast<int>(end - o), divide, out + o);
    }
    for (o = end; o < s.out[2]; o++) single(o);
  });
}

// gx of a window is g / divisor, added to what other windows gave.
template <class T>
FLAMBEAU_INLINE void spread_window(const PoolShape& s, T g, Span d, Span h, Span w, T* gx) {
  for (int64_t i = d.begin; i < d.end; i++) {
    for (int64_t j = h.begin; j < h.end; j++) {
      T* row = gx + (i * s.in[1] + j) * s.in[2];
      for (int64_t k = w.begin; k < w.end; k++) row[k] += g;
    }
  }
}

// `count` windows of a row that lie inside, from column `first` of gx on, all divided by the same number.
template <class T>
void spread_inner(const PoolShape& s, const T* g, int64_t count, Vec<T> divide, Span d, Span h, int64_t first, T* gx) {
  constexpr int N = Vec<T>::N;
  const int64_t kernel = s.kernel[2], stride = s.stride[2];
  for (int64_t i = d.begin; i < d.end; i++) {
    for (int64_t j = h.begin; j < h.end; j++) {
      T* row = gx + (i * s.in[1] + j) * s.in[2] + first;
      int64_t o = 0;
      for (; o < count; o += N) {
        const int lanes = count - o < N ? static_cast<int>(count - o) : N;
        const Vec<T> v = get(g + o, lanes) / divide;
        if (stride == 1) {
          for (int64_t k = 0; k < kernel; k++) put(row + o + k, lanes, get(row + o + k, lanes) + v);
        } else if (stride == 2 && kernel == 2 && lanes == N) {
          add_twice(row + 2 * o, v);
        } else {
          T values[N];
          v.store(values);
          for (int l = 0; l < lanes; l++) {
            for (int64_t k = 0; k < kernel; k++) row[(o + l) * stride + k] += values[l];
          }
        }
      }
    }
  }
}

template <class T>
void avg_backward_as(const PoolShape& s, const T* gy, T* gx) {
  const Span inner = inner_columns(s, 1);
  parallel(0, s.planes, kPoolGrain / (volume(s.in) + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      T* plane = gx + p * volume(s.in);
      const T* in = gy + p * volume(s.out);
      for (int64_t i = 0; i < volume(s.in); i++) plane[i] = T(0);
      for (int64_t z = 0; z < s.out[0]; z++) {
        for (int64_t row = 0; row < s.out[1]; row++, in += s.out[2]) {
          const Span d = window(s, 0, z, 1), h = window(s, 1, row, 1);
          const int64_t rows = times(counted(s, 0, z), counted(s, 1, row));
          for (int64_t o = 0; o < s.out[2]; o++) {
            if (o == inner.begin && inner.count() > 0) {
              const Vec<T> divide(static_cast<T>(divisor(s, rows, s.kernel[2])));
              const int64_t first = o * s.stride[2] - s.pad[2];
              spread_inner(s, in + o, inner.count(), divide, d, h, first, plane);
              o = inner.end - 1;
              continue;
            }
            const int64_t count = divisor(s, rows, counted(s, 2, o));
            if (count != 0) spread_window(s, in[o] / static_cast<T>(count), d, h, window(s, 2, o, 1), plane);
          }
        }
      }
    }
  });
}

// The mean of all of a plane.
template <class T>
void global_avg_forward(const PoolShape& s, const T* x, T* y) {
  const int64_t n = volume(s.in);
  parallel(0, s.planes, kPoolGrain / (n + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      Total<T> total;
      each_vector<T>(n, [&](int64_t k, int lanes) FLAMBEAU_LAMBDA { total.add(get(x + p * n + k, lanes)); });
      y[p] = static_cast<T>(total.value() / static_cast<double>(n));
    }
  });
}
template <class T>
void global_avg_backward(const PoolShape& s, const T* gy, T* gx) {
  const int64_t n = volume(s.in);
  parallel(0, s.planes, kPoolGrain / (n + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      const Vec<T> g(gy[p] / static_cast<T>(n));
      each_vector<T>(n, [&](int64_t k, int lanes) FLAMBEAU_LAMBDA { put(gx + p * n + k, lanes, g); });
    }
  });
}

template <class T>
void adaptive_avg_forward_as(const PoolShape& s, const T* x, T* y) {
  if (volume(s.out) == 1) return global_avg_forward(s, x, y);
  each_output_row(s, volume(s.in), [&](int64_t p, int64_t z, int64_t row) {
    const T* plane = x + p * volume(s.in);
    T* out = y + ((p * s.out[0] + z) * s.out[1] + row) * s.out[2];
    const Span d = adaptive_window(s, 0, z), h = adaptive_window(s, 1, row);
    for (int64_t o = 0; o < s.out[2]; o++) {
      const Span w = adaptive_window(s, 2, o);
      const int64_t count = d.count() * h.count() * w.count();
      if (s.out[2] > 1) {
        out[o] = average_window(s, plane, d, h, w, count);
        continue;
      }
      // Whole rows follow one another without a gap.
      Total<T> total;
      for (int64_t i = d.begin; i < d.end; i++) {
        const T* run = plane + (i * s.in[1] + h.begin) * s.in[2];
        each_vector<T>(h.count() * s.in[2],
                       [&](int64_t k, int lanes) FLAMBEAU_LAMBDA { total.add(get(run + k, lanes)); });
      }
      out[o] = static_cast<T>(total.value() / static_cast<double>(count));
    }
  });
}

template <class T>
void adaptive_avg_backward_as(const PoolShape& s, const T* gy, T* gx) {
  if (volume(s.out) == 1) return global_avg_backward(s, gy, gx);
  parallel(0, s.planes, kPoolGrain / (volume(s.in) + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      T* plane = gx + p * volume(s.in);
      const T* in = gy + p * volume(s.out);
      for (int64_t i = 0; i < volume(s.in); i++) plane[i] = T(0);
      for (int64_t z = 0; z < s.out[0]; z++) {
        for (int64_t row = 0; row < s.out[1]; row++, in += s.out[2]) {
          const Span d = adaptive_window(s, 0, z), h = adaptive_window(s, 1, row);
          for (int64_t o = 0; o < s.out[2]; o++) {
            const Span w = adaptive_window(s, 2, o);
            spread_window(s, in[o] / static_cast<T>(d.count() * h.count() * w.count()), d, h, w, plane);
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
