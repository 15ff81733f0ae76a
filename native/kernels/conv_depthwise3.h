// Depthwise convolutions of 3 by 3, stride one or two, where vectors have masked loads. A strip of the plane, a vector
// of columns wide, is walked downwards: each row is read once into registers, shifted by the columns of the kernel, and
// added to all the rows of results that it belongs to.
#pragma once
#include "kernels/conv_tile.h"
#include "kernels/conv_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr bool kHasMaskedLoads = FLAMBEAU_VEC_BYTES >= 32;

// The lanes of a vector whose columns lie within a row; the memory of the others is not touched.
template <class T>
struct Columns {
#if defined(__AVX512F__)
  unsigned mask;
#elif defined(__AVX2__)
  __m256i mask;
#else
  int begin, end;
#endif

  // Of the columns from `column` on, those in [0, width).
  static FLAMBEAU_INLINE Columns inside(int64_t column, int64_t width) {
    constexpr int64_t L = kLanes<T>;
    const int64_t low = column < 0 ? -column : 0, high = width - column;
    const int begin = static_cast<int>(low < L ? low : L), end = static_cast<int>(high < L ? high : L);
    Columns c;
#if defined(__AVX512F__)
    c.mask = end > begin ? ((1u << end) - 1) & ~((1u << begin) - 1) : 0;
#elif defined(__AVX2__)
    c.mask = _mm256_andnot_si256(arch::first_lanes<sizeof(T)>(begin), arch::first_lanes<sizeof(T)>(end));
#else
    c.begin = begin;
    c.end = end;
#endif
    return c;
  }

#if defined(__AVX2__)
  // What sanitizers are to see of an access at p.
  template <class P, class F>
  FLAMBEAU_INLINE void show(P* p, const F& access) const {
    if constexpr (kSeesAccesses) {
#if defined(__AVX512F__)
      const unsigned lanes = mask;
#else
      const auto lanes =
          static_cast<unsigned>(sizeof(T) == 4 ? _mm256_movemask_ps((__m256)mask) : _mm256_movemask_pd((__m256d)mask));
#endif
      if (lanes) access(p + __builtin_ctz(lanes), __builtin_popcount(lanes) * static_cast<int64_t>(sizeof(T)));
    }
  }
#endif

  // Zeros in the lanes outside. p is where lane 0 would be.
  FLAMBEAU_INLINE V<T> load(const T* p) const {
#if defined(__AVX2__)
    show(p, [](const T* from, int64_t bytes) { show_read(from, bytes); });
#endif
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) {
      return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), p);
    } else {
      return _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), p);
    }
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4) {
      return _mm256_maskload_ps(p, mask);
    } else {
      return _mm256_maskload_pd(p, mask);
    }
#else
    V<T> v{};
    for (int i = begin; i < end; i++) v[i] = p[i];
    return v;
#endif
  }

  // v with zeros in the lanes outside.
  FLAMBEAU_INLINE V<T> keep(V<T> v) const {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) {
      return _mm512_maskz_mov_ps(static_cast<__mmask16>(mask), v);
    } else {
      return _mm512_maskz_mov_pd(static_cast<__mmask8>(mask), v);
    }
#elif defined(__AVX2__)
    return (V<T>)((__m256i)v & mask);
#else
    for (int i = 0; i < kLanes<T>; i++) v[i] = i >= begin && i < end ? v[i] : T(0);
    return v;
#endif
  }

  FLAMBEAU_INLINE void store(T* p, V<T> v) const {
#if defined(__AVX2__)
    show(p, [](T* to, int64_t bytes) { show_write(to, bytes); });
#endif
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) {
      _mm512_mask_storeu_ps(p, static_cast<__mmask16>(mask), v);
    } else {
      _mm512_mask_storeu_pd(p, static_cast<__mmask8>(mask), v);
    }
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4) {
      _mm256_maskstore_ps(p, mask, v);
    } else {
      _mm256_maskstore_pd(p, mask, v);
    }
#else
    for (int i = begin; i < end; i++) p[i] = v[i];
#endif
  }
};

// A vector at p: whole, or where it reaches over the row's end (Edge) its columns.
template <bool Edge, class T>
FLAMBEAU_INLINE V<T> load_columns(const T* p, const Columns<T>& columns) {
  if constexpr (Edge) return columns.load(p);
  return load(p);
}
template <bool Edge, class T>
FLAMBEAU_INLINE void store_columns(T* p, const Columns<T>& columns, V<T> v) {
  if constexpr (Edge) {
    columns.store(p, v);
  } else {
    store(p, v);
  }
}

// `first`, then all lanes of v but the last.
template <class T>
FLAMBEAU_INLINE V<T> shift_in(V<T> first, V<T> v) {
  constexpr int N = kLanes<T>;
  if constexpr (N == 16) {
    return __builtin_shufflevector(first, v, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
  } else if constexpr (N == 8) {
    return __builtin_shufflevector(first, v, 7, 8, 9, 10, 11, 12, 13, 14);
  } else if constexpr (N == 4) {
    return __builtin_shufflevector(first, v, 3, 4, 5, 6);
  } else {
    return __builtin_shufflevector(first, v, 1, 2);
  }
}

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
  int64_t x_next, y_next;  // from this plane to the one after it

  // How far ahead of a place in x and y a strip asks for what comes later: going down a plane, the processor does not
  // expect the columns of the next strip. Of small planes, it is the plane after this one.
  static constexpr int64_t kSmall = 32768;
  int64_t x_ahead(int64_t strip) const { return height * width <= kSmall ? x_next : 2 * strip; }
  int64_t y_ahead(int64_t strip) const { return rows * columns <= kSmall ? y_next : 2 * strip; }
};

// What the kernel's columns read of a row for the vector of positions from q on.
template <class T, int Stride, bool Edge>
struct Taps3 {
  static constexpr int L = kLanes<T>;
  Columns<T> part[3];
  bool before;  // stride two: the column before `part` is inside

  FLAMBEAU_INLINE Taps3(int64_t column, int64_t width) {
    if constexpr (!Edge) return;
    if constexpr (Stride == 1) {
      for (int k = 0; k < 3; k++) part[k] = Columns<T>::inside(column + k, width);
    } else {
      for (int k = 0; k < 2; k++) part[k] = Columns<T>::inside(column + 1 + k * L, width);
      before = column >= 0 && column < width;
    }
  }

  // p: the column of tap 0 for the first position.
  FLAMBEAU_INLINE void load(const T* p, V<T> (&taps)[3]) const {
    if constexpr (Stride == 1) {
      for (int k = 0; k < 3; k++) taps[k] = load_columns<Edge>(p + k, part[k]);
    } else {
      const Vec<T> a = load_columns<Edge>(p + 1, part[0]), b = load_columns<Edge>(p + 1 + L, part[1]);
      taps[1] = alternate_lanes<0>(a, b).v;
      taps[2] = alternate_lanes<1>(a, b).v;
      taps[0] = shift_in<T>(!Edge || before ? splat(*p) : V<T>{}, taps[2]);
    }
  }

  // Whether this needs no masks.
  static bool whole(int64_t column, int64_t width) { return column >= 0 && column + L * Stride + 2 <= width; }
};

// acc + a row of the kernel times what its columns read
template <class T>
FLAMBEAU_INLINE V<T> add_row3(V<T> acc, const V<T>* weights, const V<T> (&taps)[3]) {
#pragma GCC unroll 4
  for (int k = 0; k < 3; k++) acc = fma<T>(weights[k], taps[k], acc);
  return acc;
}

// Rows [from, to) of results, the vector of positions from q on.
template <class T, int Stride, bool Edge>
__attribute__((noinline)) void convolve_strip3(const Plane3<T>& s, int64_t from, int64_t to, int64_t q) {
  const Taps3<T, Stride, Edge> taps(q * Stride + s.left, s.width);
  const auto out = Columns<T>::inside(q, s.columns);
  constexpr int L = kLanes<T>;
  V<T> w[9];
#pragma GCC unroll 16
  for (int i = 0; i < 9; i++) w[i] = splat(s.weights[i]);
  const V<T> bias = splat(s.bias);
  const int64_t width = s.width, columns = s.columns;
  const auto height = static_cast<uint64_t>(s.height);
  const bool accumulate = s.add;
  const int64_t x_ahead = s.x_ahead(L * Stride), y_ahead = s.y_ahead(L);
  int64_t r = from * Stride + s.top;
  const T* x = s.x + r * width + q * Stride + s.left;
  T* y = s.y + from * columns + q;
  const auto start = [&](int64_t h) FLAMBEAU_LAMBDA {
    return accumulate && h < to ? load_columns<Edge>(s.y + h * columns + q, out) : bias;
  };
  V<T> t[3];
  V<T> a = start(from);
  if constexpr (Stride == 1) {
    // Of the rows of results under way, a is the one that x's row completes, b the next.
    V<T> b = start(from + 1);
    if (static_cast<uint64_t>(r) < height) {
      taps.load(x, t);
      a = add_row3<T>(a, w, t);
    }
    r++, x += width;
    if (static_cast<uint64_t>(r) < height) {
      taps.load(x, t);
      a = add_row3<T>(a, w + 3, t);
      b = add_row3<T>(b, w, t);
    }
    r++, x += width;
    for (int64_t h = from; h < to; h++, r++, x += width, y += columns) {
      __builtin_prefetch(x + x_ahead, 0, 2);
      __builtin_prefetch(y + y_ahead, 0, 2);
      V<T> c = start(h + 2);
      if (static_cast<uint64_t>(r) < height) {
        taps.load(x, t);
        a = add_row3<T>(a, w + 6, t);
        b = add_row3<T>(b, w + 3, t);
        c = add_row3<T>(c, w, t);
      }
      store_columns<Edge>(y, out, a);
      a = b;
      b = c;
    }
  } else {
    if (static_cast<uint64_t>(r) < height) {
      taps.load(x, t);
      a = add_row3<T>(a, w, t);
    }
    r++, x += width;
    for (int64_t h = from; h < to; h++, r += 2, x += 2 * width, y += columns) {
      __builtin_prefetch(x + x_ahead, 0, 2);
      __builtin_prefetch(x + x_ahead + L, 0, 2);
      __builtin_prefetch(x + x_ahead + width, 0, 2);
      __builtin_prefetch(x + x_ahead + width + L, 0, 2);
      __builtin_prefetch(y + y_ahead, 0, 2);
      V<T> b = start(h + 1);
      if (static_cast<uint64_t>(r) < height) {
        taps.load(x, t);
        a = add_row3<T>(a, w + 3, t);
      }
      if (static_cast<uint64_t>(r + 1) < height) {
        taps.load(x + width, t);
        a = add_row3<T>(a, w + 6, t);
        b = add_row3<T>(b, w, t);
      }
      store_columns<Edge>(y, out, a);
      a = b;
    }
  }
}

constexpr int64_t kStripRows = 128;  // so many lines of a strip stay in the first-level cache

template <class T, int Stride>
void convolve_plane3(const Plane3<T>& s) {
  constexpr int L = kLanes<T>;
  for (int64_t from = 0; from < s.rows; from += kStripRows) {
    const int64_t to = from + kStripRows < s.rows ? from + kStripRows : s.rows;
    for (int64_t q = 0; q < s.columns; q += L) {
      if (q + L <= s.columns && Taps3<T, Stride, false>::whole(q * Stride + s.left, s.width)) {
        convolve_strip3<T, Stride, false>(s, from, to, q);
      } else {
        convolve_strip3<T, Stride, true>(s, from, to, q);
      }
    }
  }
}

// ---- stride two, by the input ----

// a[0] b[0] a[1] b[1] ...
template <class T>
FLAMBEAU_INLINE void interleave(V<T> a, V<T> b, V<T>& low, V<T>& high) {
  low = riffle<T, 0>(a, b);
  high = riffle<T, kLanes<T> / 2>(a, b);
}

// The gradient by the input of a convolution with stride two. Element u of gx with its padding sums w[k] gy[j] over
// u = 2 j + k: odd ones are w[1] gy[m], even ones w[0] gy[m] + w[2] gy[m - 1]. Here x is gy, y is gx, and top and left
// are the padding. A strip makes a vector of even and one of odd columns, which lie side by side in gx then. Its first
// column is odd with its padding where the padding is (Odd), so that a strip of gx starts with a row.
template <class T, bool Odd, bool Edge>
__attribute__((noinline)) void spread_strip3(const Plane3<T>& s, int64_t from, int64_t to, int64_t q) {
  constexpr int L = kLanes<T>;
  const int64_t width = s.width, columns = s.columns, left = s.left / 2 + q / 2, other = Odd ? 1 : -1;
  const auto near = Columns<T>::inside(left, width), far = Columns<T>::inside(left + other, width);
  const Columns<T> out[2] = {Columns<T>::inside(q, columns), Columns<T>::inside(q + L, columns)};
  V<T> w[9];  // of each row: for the odd columns, for the even ones from the same column of gy and from the other one
#pragma GCC unroll 4
  for (int i = 0; i < 3; i++) {
    w[3 * i] = splat(s.weights[3 * i + 1]);
    w[3 * i + 1] = splat(s.weights[3 * i + (Odd ? 2 : 0)]);
    w[3 * i + 2] = splat(s.weights[3 * i + (Odd ? 0 : 2)]);
  }
  const V<T> bias = splat(s.bias);
  const int64_t x_ahead = s.x_ahead(L), y_ahead = s.y_ahead(2 * L);
  const auto put = [&](int64_t row, V<T> odd, V<T> even) FLAMBEAU_LAMBDA {
    if (row < from || row >= to) return;
    T* y = s.y + row * columns + q;
    V<T> v[2];
    interleave<T>(Odd ? odd : even, Odd ? even : odd, v[0], v[1]);
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
      __builtin_prefetch(y + y_ahead + i * L, 0, 2);
      const V<T> base = s.add ? load_columns<Edge>(y + i * L, out[i]) : bias;
      store_columns<Edge>(y + i * L, out[i], add<T>(v[i], base));
    }
  };
  V<T> odd{}, even{};  // what the row of gy before adds to the next even row of gx
  for (int64_t m = (s.top + from) / 2 - 1, row = 2 * m - s.top; row < to; m++, row += 2) {
    V<T> a{}, b{};
    if (m >= 0 && m < s.height) {
      const T* x = s.x + m * width + left;
      __builtin_prefetch(x + x_ahead, 0, 2);
      a = load_columns<Edge>(x, near);
      b = load_columns<Edge>(x + other, far);
    }
    put(row, fma<T>(w[0], a, odd), fma<T>(w[2], b, fma<T>(w[1], a, even)));
    put(row + 1, w[3] * a, fma<T>(w[5], b, w[4] * a));
    odd = w[6] * a;
    even = fma<T>(w[8], b, w[7] * a);
  }
}

constexpr int64_t kSpreadRows = 16;  // of gx: lines that follow one another are written better

template <class T, bool Odd>
void spread_plane3(const Plane3<T>& s) {
  constexpr int L = kLanes<T>;
  for (int64_t from = 0; from < s.rows; from += kSpreadRows) {
    const int64_t to = from + kSpreadRows < s.rows ? from + kSpreadRows : s.rows;
    for (int64_t q = 0; q < s.columns; q += 2 * L) {
      const int64_t left = s.left / 2 + q / 2 - (Odd ? 0 : 1);
      if (q + 2 * L <= s.columns && left >= 0 && left + L + 1 <= s.width) {
        spread_strip3<T, Odd, false>(s, from, to, q);
      } else {
        spread_strip3<T, Odd, true>(s, from, to, q);
      }
    }
  }
}

// ---- by the weight ----

// Adds to sums[3 i + k], lane by lane, the products of gy, in the place of y, and what tap (i, k) reads.
template <class T, int Stride, bool Edge>
__attribute__((noinline)) void correlate_strip3(const Plane3<T>& s, const T* gy, int64_t q, T* sums) {
  constexpr int L = kLanes<T>;
  const Taps3<T, Stride, Edge> taps(q * Stride + s.left, s.width);
  const auto in = Columns<T>::inside(q, s.columns);
  V<T> acc[9] = {}, t[3];
  const int64_t width = s.width, columns = s.columns, rows = s.rows;
  const int64_t x_ahead = s.x_ahead(L * Stride), y_ahead = s.y_ahead(L);
  const auto height = static_cast<uint64_t>(s.height);
  // Products with a zero in the place of what gy has not would make a NaN of what is not finite.
  const auto read = [&](const T* p) FLAMBEAU_LAMBDA {
    taps.load(p, t);
    for (int k = 0; Edge && k < 3; k++) t[k] = in.keep(t[k]);
  };
  const auto row = [&](int i, int64_t h, V<T> g) FLAMBEAU_LAMBDA {
    if (h < 0 || h >= rows) return;
#pragma GCC unroll 4
    for (int k = 0; k < 3; k++) acc[3 * i + k] = fma<T>(g, t[k], acc[3 * i + k]);
  };
  int64_t r = s.top;
  const T* x = s.x + r * width + q * Stride + s.left;
  const T* y = gy + q;
  V<T> before{}, last{};  // the rows of gy above
  for (int64_t h = 0; h < rows + (Stride == 1 ? 2 : 1); h++, r += Stride, x += Stride * width, y += columns) {
    const V<T> g = h < rows ? load_columns<Edge>(y, in) : V<T>{};
    __builtin_prefetch(x + x_ahead, 0, 2);
    __builtin_prefetch(y + y_ahead, 0, 2);
    if (static_cast<uint64_t>(r) < height) {
      read(x);
      row(0, h, g);
      if constexpr (Stride == 1) row(1, h - 1, before);
      row(2, h - (Stride == 1 ? 2 : 1), Stride == 1 ? last : before);
    }
    if constexpr (Stride == 2) {
      __builtin_prefetch(x + x_ahead + L, 0, 2);
      __builtin_prefetch(x + x_ahead + width, 0, 2);
      __builtin_prefetch(x + x_ahead + width + L, 0, 2);
      if (static_cast<uint64_t>(r + 1) < height) {
        read(x + width);
        row(1, h, g);
      }
    }
    last = before;
    before = g;
  }
#pragma GCC unroll 16
  for (int i = 0; i < 9; i++) store(sums + i * L, add<T>(load(sums + i * L), acc[i]));
}

// sums: nine vectors.
template <class T, int Stride>
void correlate_plane3(const Plane3<T>& s, const T* gy, T* sums) {
  constexpr int L = kLanes<T>;
  for (int64_t q = 0; q < s.columns; q += L) {
    if (q + L <= s.columns && Taps3<T, Stride, false>::whole(q * Stride + s.left, s.width)) {
      correlate_strip3<T, Stride, false>(s, gy, q, sums);
    } else {
      correlate_strip3<T, Stride, true>(s, gy, q, sums);
    }
  }
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
