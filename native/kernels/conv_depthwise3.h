// Depthwise convolutions of 3 by 3, stride one or two, where vectors have masked loads: the rows of the image are read
// once into registers, shifted by the columns of the kernel, and used for all the rows of results above and below.
#pragma once
#include "kernels/conv_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr bool kHasMaskedLoads = FLAMBEAU_VEC_BYTES >= 32;

// One plane: position (h, q) of y reads x from row top + h * stride, column left + q * stride on.
template <class T>
struct Plane3 {
  const T* x;
  int64_t height, width, top, left;
  T weights[9];
  T bias;
  bool add;  // to what y has
  T* y;
  int64_t rows, columns;
};

// Elements [column, column + kLanes) of a row, zeros for those outside.
template <bool Edge, class T>
FLAMBEAU_INLINE V<T> load_columns(const T* row, int64_t column, int64_t width) {
  constexpr int L = kLanes<T>;
  if constexpr (!Edge) {
    return load(row + column);
  } else {
    const int64_t begin = column < 0 ? -column : 0, end = width - column < L ? width - column : L;
    if (begin >= end) return V<T>{};
    return Lanes<T>{static_cast<int>(begin), static_cast<int>(end - begin)}.load(row + column);
  }
}

// What the kernel's columns read for a vector of positions that starts at `column`.
template <int Stride, bool Edge, class T>
FLAMBEAU_INLINE void load_taps(const T* row, int64_t column, int64_t width, V<T> (&taps)[3]) {
  constexpr int L = kLanes<T>;
  if constexpr (Stride == 1) {
    for (int k = 0; k < 3; k++) taps[k] = load_columns<Edge>(row, column + k, width);
  } else {
    const Vec<T> a = load_columns<Edge>(row, column, width), b = load_columns<Edge>(row, column + L, width);
    taps[0] = alternate_lanes<0>(a, b).v;
    taps[1] = alternate_lanes<1>(a, b).v;
    const Vec<T> c = load_columns<Edge>(row, column + 2, width), d = load_columns<Edge>(row, column + L + 2, width);
    taps[2] = alternate_lanes<0>(c, d).v;
  }
}

// U rows of results from h on, `count` positions from q on.
template <class T, int Stride, int U, bool Edge>
FLAMBEAU_INLINE void convolve_rows3(const Plane3<T>& s, int64_t h, int64_t q, int count) {
  V<T> acc[U];
  T* y = s.y + h * s.columns + q;
#pragma GCC unroll 4
  for (int u = 0; u < U; u++) acc[u] = s.add ? load_n(y + u * s.columns, count) : splat(s.bias);
#pragma GCC unroll 16
  for (int r = 0; r < (U - 1) * Stride + 3; r++) {
    const int64_t at = h * Stride + s.top + r;
    if (at < 0 || at >= s.height) continue;
    V<T> taps[3];
    load_taps<Stride, Edge>(s.x + at * s.width, q * Stride + s.left, s.width, taps);
#pragma GCC unroll 4
    for (int u = 0; u < U; u++) {
      const int i = r - u * Stride;
      if (i < 0 || i > 2) continue;
#pragma GCC unroll 4
      for (int k = 0; k < 3; k++) acc[u] = fma<T>(splat(s.weights[3 * i + k]), taps[k], acc[u]);
    }
  }
#pragma GCC unroll 4
  for (int u = 0; u < U; u++) {
    if (Edge && count < kLanes<T>) {
      store_n(y + u * s.columns, acc[u], count);
    } else {
      store(y + u * s.columns, acc[u]);
    }
  }
}

// U rows of results from h on, whole.
template <class T, int Stride, int U>
__attribute__((noinline)) void convolve_band3(const Plane3<T>& s, int64_t h) {
  constexpr int L = kLanes<T>;
  for (int64_t q = 0; q < s.columns; q += L) {
    const int count = static_cast<int>(s.columns - q < L ? s.columns - q : L);
    const int64_t first = q * Stride + s.left, end = first + L * Stride + 2;  // of what is read
    // The rows below, which the next band is the first to read.
    const T* below = s.x + ((h + U - 1) * Stride + s.top + 3) * s.width + q * Stride;
    for (int r = 0; r < U * Stride; r++, below += s.width) {
      for (int i = 0; i < Stride; i++) __builtin_prefetch(below + i * L);
    }
    if (count == L && first >= 0 && end <= s.width) {
      convolve_rows3<T, Stride, U, false>(s, h, q, count);
    } else {
      convolve_rows3<T, Stride, U, true>(s, h, q, count);
    }
  }
}

template <class T, int Stride>
void convolve_plane3(const Plane3<T>& s) {
  int64_t h = 0;
  for (; h + 4 <= s.rows; h += 4) convolve_band3<T, Stride, 4>(s, h);
  if (s.rows - h == 3) convolve_band3<T, Stride, 3>(s, h);
  if (s.rows - h == 2) convolve_band3<T, Stride, 2>(s, h);
  if (s.rows - h == 1) convolve_band3<T, Stride, 1>(s, h);
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
