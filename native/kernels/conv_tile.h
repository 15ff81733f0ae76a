// The register tile of a direct convolution: positions by vectors of output channels. Weights are packed with the
// output channels of a panel side by side, an element of the image is spread over a vector, and so the image is read
// where it lies, without a copy for every tap.
#pragma once
#include "kernels/conv_lower.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Positions of a tile of two vectors of channels: accumulators, two vectors of weights and a spread element fill the
// registers.
#if defined(__AVX512F__)
constexpr int kTilePositions = 14;
#elif defined(__AVX2__)
constexpr int kTilePositions = 6;
#elif defined(__aarch64__)
constexpr int kTilePositions = 12;
#else
constexpr int kTilePositions = 5;
#endif
constexpr int kTileVectors = 2;
// Those of a tile of so many vectors: with one there is room for more, and a vector of weights is loaded less often.
constexpr int tile_positions(int vectors) { return kTilePositions * kTileVectors / vectors; }

template <class T>
constexpr int kPanel = kTileVectors * kLanes<T>;  // output channels of a panel

// Where a tap reads from a position, and where its weights lie in a channel of the panel.
struct Tap {
  int64_t x, w;
};

template <class T>
struct TileWork {
  const T* x;  // what tap place 0 of the first channel reads at the tile's first position; the next ones follow it
  const T* w;  // the panel from the first channel on
  const Tap* taps;
  int64_t count, channels, x_channel, w_channel;
  T* out;  // kPanel sums of each position, out_step apart
  int64_t out_step;
  bool add;
  // What is asked for meanwhile, some lines with every channel: weights that come later, from afar.
  const T* ahead;
  int64_t ahead_lines;
};

template <class T, int P, int NV>
__attribute__((noinline)) void convolve_tile(const TileWork<T>& work) {
  constexpr int L = kLanes<T>;
  V<T> acc[P][NV];
#pragma GCC unroll 32
  for (int p = 0; p < P; p++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) acc[p][v] = V<T>{};
  }
  const T *image = work.x, *panel = work.w;
  const Tap *const taps = work.taps, *const end = taps + work.count;
  const T* ahead = work.ahead;
  for (int64_t c = 0; c < work.channels; c++, image += work.x_channel, panel += work.w_channel) {
    for (int64_t i = 0; i < work.ahead_lines; i++, ahead += 64 / sizeof(T)) __builtin_prefetch(ahead, 0, 2);
    for (const Tap* tap = taps; tap < end; tap++) {
      const T *x = image + tap->x, *w = panel + tap->w;
      V<T> weights[NV];
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) weights[v] = load(w + v * L);
#pragma GCC unroll 32
      for (int p = 0; p < P; p++) {
        const V<T> at = splat(x[p]);
#pragma GCC unroll 4
        for (int v = 0; v < NV; v++) acc[p][v] = fma<T>(at, weights[v], acc[p][v]);
      }
    }
  }
  T* out = work.out;
#pragma GCC unroll 32
  for (int p = 0; p < P; p++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      T* to = out + p * work.out_step + v * L;
      store(to, work.add ? add<T>(load(to), acc[p][v]) : acc[p][v]);
    }
  }
}

template <class T, int NV, int P = tile_positions(NV)>
FLAMBEAU_INLINE void convolve_positions(int64_t positions, const TileWork<T>& work) {
  if constexpr (P > 1) {
    if (positions < P) return convolve_positions<T, NV, P - 1>(positions, work);
  }
  convolve_tile<T, P, NV>(work);
}

// a[F] b[F] a[F + 1] b[F + 1] ... from the lower halves of two vectors (First = 0) or the upper ones (half the lanes).
template <class T, int First>
FLAMBEAU_INLINE V<T> riffle(V<T> a, V<T> b) {
  constexpr int N = kLanes<T>, F = First, G = First + N;
  if constexpr (N == 16) {
    return __builtin_shufflevector(a, b, F, G, F + 1, G + 1, F + 2, G + 2, F + 3, G + 3, F + 4, G + 4, F + 5, G + 5,
                                   F + 6, G + 6, F + 7, G + 7);
  } else if constexpr (N == 8) {
    return __builtin_shufflevector(a, b, F, G, F + 1, G + 1, F + 2, G + 2, F + 3, G + 3);
  } else if constexpr (N == 4) {
    return __builtin_shufflevector(a, b, F, G, F + 1, G + 1);
  } else {
    return __builtin_shufflevector(a, b, F, G);
  }
}

// The square of as many vectors as a vector has lanes, transposed: as many rounds of riffling the first half of them
// with the second as halve their number to one.
template <class T>
FLAMBEAU_INLINE void transpose_vectors(V<T> (&v)[kLanes<T>]) {
  constexpr int L = kLanes<T>;
#pragma GCC unroll 4
  for (int round = 1; round < L; round *= 2) {
    V<T> next[L];
#pragma GCC unroll 16
    for (int i = 0; i < L / 2; i++) {
      next[2 * i] = riffle<T, 0>(v[i], v[i + L / 2]);
      next[2 * i + 1] = riffle<T, L / 2>(v[i], v[i + L / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < L; i++) v[i] = next[i];
  }
}

// A square of at most kLanes rows, `stride` apart, and columns, transposed: dst[j * step + i] = src[i * stride + j].
template <class T>
FLAMBEAU_INLINE void transpose_part(const T* src, int64_t stride, int rows, int columns, T* dst, int64_t step) {
  constexpr int L = kLanes<T>;
  V<T> v[L];
  if (columns == L && rows == L) {
#pragma GCC unroll 16
    for (int i = 0; i < L; i++) v[i] = load(src + i * stride);
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < L; i++) v[i] = i < rows ? load_n(src + i * stride, columns) : V<T>{};
  }
  transpose_vectors<T>(v);
#pragma GCC unroll 16
  for (int j = 0; j < L; j++) {
    if (j < columns) store(dst + j * step, v[j]);
  }
}

// y[o * y_channel + p] = stage[p * stride + o] + bias[o] for p < positions and o < channels <= kPanel, or 0 where that
// is less and only positive ones are asked for.
template <class T>
__attribute__((noinline)) void emit_channels(const T* stage, int64_t stride, int64_t positions, int64_t channels,
                                             const T* bias, T* y, int64_t y_channel, bool positive = false) {
  constexpr int L = kLanes<T>;
  for (int64_t o = 0; o < channels; o += L) {
    const int64_t rows = channels - o < L ? channels - o : L;
    for (int64_t p = 0; p < positions; p += L) {
      const int count = static_cast<int>(positions - p < L ? positions - p : L);
      const T* from = stage + p * stride + o;
      V<T> v[L];
#pragma GCC unroll 16
      for (int i = 0; i < L; i++) v[i] = i < count ? load(from + i * stride) : V<T>{};
      transpose_vectors<T>(v);
      T* to = y + o * y_channel + p;
#pragma GCC unroll 16
      for (int r = 0; r < L; r++, to += y_channel) {
        if (r >= rows) break;
        V<T> x = bias ? add<T>(splat(bias[o + r]), v[r]) : v[r];
        if (positive) x = max_second(Vec<T>(T(0)), Vec<T>(x)).v;  // -0 and NaN stay
        if (count == L) {
          store(to, x);
        } else {
          store_n(to, x, count);
        }
      }
    }
  }
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
