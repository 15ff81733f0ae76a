// The transforms of a gradient by the weight by F(3 x 3, 2 x 2) of Winograd: channels lie side by side in vectors.
#pragma once
#include "kernels/conv_winograd.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// With the gradients y of 2 x 2 positions, the 4 x 4 elements d that these read, and
//   B' = 1  0 -1  0    H = 1  0    F' = 1  1/2  1/2  0
//        0  1  1  0        1  1         0  1/2 -1/2  0
//        0 -1  1  0        1 -1         0  1/2  1/2 -1
//        0  1  0 -1        0  1
// the square adds F' [(H y H') * (B' d B)] F to the nine taps, where * is elementwise.
template <class T>
struct WinogradTransforms {
  using X = Vec<T>;
  static constexpr int L = kLanes<T>, W = kPanel<T>;
  static constexpr int64_t kElements = 16, kTaps = 9;
  static constexpr int64_t kOutputs = 64;           // output channels of a panel
  static constexpr int64_t kLine = 64 / sizeof(T);  // elements of a cache line
  // The sums of a pair of panels for one of the 16; a cache line more, so that they do not contend for a place.
  static constexpr int64_t kSums = kOutputs * W + kLine;

  // Sums of products of larger elements might overflow.
  static FLAMBEAU_INLINE X mark(X x, X odd) { return mark_unusual<T>(x, T(0x1p80), odd); }

  static FLAMBEAU_INLINE void stage_square(const T* from, int64_t apart, int rows, int columns, T* out, int64_t step,
                                           X& odd) {
    V<T> v[L];
    if (columns == L && rows == L) {
#pragma GCC unroll 16
      for (int i = 0; i < L; i++) v[i] = load(from + i * apart);
    } else {
#pragma GCC unroll 16
      for (int i = 0; i < L; i++) v[i] = i < rows ? load_n(from + i * apart, columns) : V<T>{};
    }
    X part[4] = {odd, X(T(0)), X(T(0)), X(T(0))};  // a single sum would wait for itself
#pragma GCC unroll 16
    for (int i = 0; i < L; i++) part[i % 4] = mark(X(v[i]), part[i % 4]);
    odd = (part[0] + part[1]) + (part[2] + part[3]);
    transpose_vectors<T>(v);
#pragma GCC unroll 16
    for (int j = 0; j < L; j++) {
      if (j < columns) store(out + j * step, v[j]);
    }
  }

  // Columns [first, first + length) of a row of some channels, `apart` elements from each other, with zeros outside of
  // the row and for no row: out[column * step + channel].
  static FLAMBEAU_INLINE void stage_row(const T* row, int64_t apart, int64_t channels, int64_t width, int64_t first,
                                        int64_t length, int64_t step, T* out, X& odd) {
    const int64_t begin = row && first < 0 ? -first : 0;
    int64_t end = row ? least(width - first, length) : 0;
    if (end < begin) end = begin;
    for (int64_t v = 0; v < channels; v += L) {
      for (int64_t i = 0; i < least(begin, length); i++) store(out + i * step + v, V<T>{});
      for (int64_t i = end; i < length; i++) store(out + i * step + v, V<T>{});
      const int rows = static_cast<int>(least(channels - v, L));
      for (int64_t i = begin; i < end; i += L) {
        const int columns = static_cast<int>(least(end - i, L));
        stage_square(row + v * apart + first + i, apart, rows, columns, out + i * step + v, step, odd);
      }
    }
  }

  // B' d B of squares side by side, whose elements are rows[row][column * W + v]: out[e * next + square * W].
  static FLAMBEAU_INLINE void transform_elements(const T* const (&rows)[4], int64_t v, int64_t count, T* out,
                                                 int64_t next) {
    const T *row0 = rows[0] + v, *row1 = rows[1] + v, *row2 = rows[2] + v, *row3 = rows[3] + v;
    // B' d a column at a time; a square's last two are the next one's first.
    const auto column = [&](X(&to)[4]) FLAMBEAU_LAMBDA {
      const X d0 = X::load(row0), d1 = X::load(row1), d2 = X::load(row2), d3 = X::load(row3);
      to[0] = d0 - d2;
      to[1] = d1 + d2;
      to[2] = d2 - d1;
      to[3] = d1 - d3;
      row0 += W, row1 += W, row2 += W, row3 += W;
    };
    X h[4][4];
    column(h[0]);
    column(h[1]);
    for (int64_t t = 0; t < count; t++, out += W) {
      column(h[2]);
      column(h[3]);
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        T* to = out + 4 * i * next;
        (h[0][i] - h[2][i]).store(to);
        (h[1][i] + h[2][i]).store(to + next);
        (h[2][i] - h[1][i]).store(to + 2 * next);
        (h[1][i] - h[3][i]).store(to + 3 * next);
        h[0][i] = h[2][i];
        h[1][i] = h[3][i];
      }
    }
  }

  // H y H' likewise, of gradients that are upper[column * kOutputs], and `line` further on in the lower row.
  static FLAMBEAU_INLINE void transform_gradients(const T* upper, int64_t line, int64_t count, T* out, int64_t next) {
    for (int64_t t = 0; t < count; t++, upper += 2 * kOutputs, out += kOutputs) {
      const T* lower = upper + line;
      X h[2][4];
#pragma GCC unroll 2
      for (int j = 0; j < 2; j++) {
        const X a = X::load(upper + j * kOutputs), b = X::load(lower + j * kOutputs);
        h[j][0] = a;
        h[j][1] = a + b;
        h[j][2] = a - b;
        h[j][3] = b;
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        T* to = out + 4 * i * next;
        h[0][i].store(to);
        (h[0][i] + h[1][i]).store(to + next);
        (h[0][i] - h[1][i]).store(to + 2 * next);
        h[1][i].store(to + 3 * next);
      }
    }
  }

  // F' s F: taps[tap * L + channel].
  static FLAMBEAU_INLINE void join_taps(const T* s, T* taps) {
    const X half(T(0.5));
    X h[3][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++, s += kSums) {
      const X a = X::load(s), b = X::load(s + 4 * kSums), c = X::load(s + 8 * kSums), d = X::load(s + 12 * kSums);
      const X mean = half * (b + c);
      h[0][j] = a + mean;
      h[1][j] = half * (b - c);
      h[2][j] = mean - d;
    }
#pragma GCC unroll 3
    for (int i = 0; i < 3; i++, taps += 3 * L) {
      const X mean = half * (h[i][1] + h[i][2]);
      (h[i][0] + mean).store(taps);
      (half * (h[i][1] - h[i][2])).store(taps + L);
      (mean - h[i][3]).store(taps + 2 * L);
    }
  }

  // From [tap][channel] to [channel][tap].
  static FLAMBEAU_INLINE void store_taps(const T* taps, int64_t channels, T* out) {
    // Whole vectors as far as they go; where one has room for more than the taps, what is too much is overwritten next.
    constexpr int kWhole = L < kTaps ? kTaps / L * L : kTaps;
    for (int64_t t = 0; t < kWhole; t += L) {
      V<T> v[L];
#pragma GCC unroll 16
      for (int i = 0; i < L; i++) v[i] = i < kTaps ? load(taps + (t + i) * L) : V<T>{};
      transpose_vectors<T>(v);
#pragma GCC unroll 16
      for (int i = 0; i < L; i++) {
        if (i < channels - (L > kTaps)) store(out + i * kTaps + t, v[i]);
        if (L > kTaps && i == channels - 1) store_n(out + i * kTaps, v[i], kTaps);
      }
    }
    for (int64_t t = kWhole; t < kTaps; t++) {
      for (int64_t i = 0; i < channels; i++) out[i * kTaps + t] = taps[t * L + i];
    }
  }
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
