// Blocks of C from operands as they lie: A is read by broadcast from its rows, whatever their strides, B by vectors
// from its rows or from packed panels. Nothing need be packed that a cache holds.
#pragma once
#include "kernels/gemm_micro.h"
#include "kernels/gemm_pack.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// The types whose products have tiles that read in place; those of integers are few.
template <class T>
constexpr bool kPlaced = false;
template <>
constexpr bool kPlaced<float> = true;
template <>
constexpr bool kPlaced<double> = true;

// The most rows of a tile of NV vectors: accumulators, a row of B and one element of A fill the register file. Unlike
// the height of packed panels it need not be a multiple of four, and rows are shared out evenly: 64 rows are four tiles
// of 13 and one of 12.
template <class T, int NV>
constexpr int kPlaceRows = Tile<T>::R;
#if defined(__AVX512F__)
template <>
constexpr int kPlaceRows<float, 1> = 14;
template <>
constexpr int kPlaceRows<float, 2> = 14;
template <>
constexpr int kPlaceRows<double, 1> = 14;
template <>
constexpr int kPlaceRows<double, 2> = 14;
#endif

// Those whose tiles also ask for what is read next.
template <class T>
constexpr bool kAhead = false;
template <>
constexpr bool kAhead<float> = true;

// B in panels of kCols columns, the last one as narrow as it is: row p of panel q at p[q * panel + p * row].
template <class T>
struct Panels {
  const T* p;
  int64_t row, panel;
  bool jumps;  // its rows are no stream that a processor would foresee

  static Panels packed(const T* p, int64_t k) { return {p, kCols<T>, kCols<T> * k, false}; }
  static Panels in_place(const Operand<T>& b) { return {b.p, b.row, kCols<T>, !b.spread()}; }
  const T* at(int64_t j) const { return p + j / kCols<T> * panel; }
};

// What is asked for while a tile multiplies, two lines with each step of k: none from null.
template <class T>
struct Lines {
  const T* p = nullptr;
  int64_t step = 0;
};

// R rows of C by NV vectors, `last` lanes in the last of them unless it is Full.
template <class T, int R, int NV, bool Full, bool Ahead>
__attribute__((noinline)) void place_tile(int64_t k, const Operand<T>& a, const T* b, int64_t b_row, int last,
                                          const Target<T>& c, const Epilogue<T>& e, Lines<T> ahead) {
  constexpr int L = kLanes<T>, G = (R + 2) / 3;
  V<T> acc[R][NV];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) acc[i][v] = V<T>{};
  }
  // A pointer for every three rows: an address holds one pointer and once or twice the stride.
  const T* x[G];
  const int64_t row = a.row, col = a.col;
#pragma GCC unroll 8
  for (int g = 0; g < G; g++) x[g] = a.p + 3 * g * row;
#pragma GCC unroll 4
  for (int64_t p = 0; p < k; p++) {
    if constexpr (Ahead) {
      __builtin_prefetch(ahead.p, 0, 2);
      __builtin_prefetch(ahead.p + 64 / sizeof(T), 0, 2);
      ahead.p += ahead.step;
    }
    V<T> y[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) y[v] = Full || v < NV - 1 ? load(b + v * L) : load_n(b + v * L, last);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const V<T> s = splat(x[i / 3][i % 3 * row]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) acc[i][v] = fma<T>(s, y[v], acc[i][v]);
    }
#pragma GCC unroll 8
    for (int g = 0; g < G; g++) x[g] += col;
    b += b_row;
  }
  emit<T, R, NV, Full>(acc, R, (NV - 1) * L + (Full ? L : last), c, e);
}

template <class T>
using PlaceTile = void (*)(int64_t, const Operand<T>&, const T*, int64_t, int, const Target<T>&, const Epilogue<T>&,
                           Lines<T>);

// The tile of so many rows, at most kPlaceRows.
template <class T, int NV, bool Full, bool Ahead = false, int R = 1>
FLAMBEAU_INLINE PlaceTile<T> place_tile_of(int64_t rows) {
  if constexpr (R < kPlaceRows<T, NV>) {
    if (rows > R) return place_tile_of<T, NV, Full, Ahead, R + 1>(rows);
  }
  return place_tile<T, R, NV, Full, Ahead>;
}

// Operands that are wanted next and lie in one piece each; and how far they have been asked for.
template <class T>
struct Wanted {
  const T* p[2] = {nullptr, nullptr};
  int64_t left[2] = {0, 0};  // elements

  bool any() const { return left[0] > 0 || left[1] > 0; }
  // The lines for a tile that takes k steps.
  Lines<T> take(int64_t k) {
    constexpr int64_t step = 128 / sizeof(T);
    for (int i = 0; i < 2; i++) {
      if (left[i] <= 0) continue;
      const Lines<T> lines{p[i], step};
      p[i] += k * step;
      left[i] -= k * step;
      return lines;
    }
    return {};
  }
};

// Rows [i, i + next) of tiles that share m rows out evenly.
struct EvenRows {
  int64_t left, tiles;
  EvenRows(int64_t m, int64_t most) : left(m), tiles((m + most - 1) / most) {}
  int64_t next() {
    const int64_t rows = (left + tiles - 1) / tiles;
    left -= rows;
    tiles--;
    return rows;
  }
};

// Columns [from, to), in tiles of NV vectors, the last one partial where there are fewer.
template <class T, int NV>
__attribute__((noinline)) void place_edge(int64_t m, int64_t cols, int64_t k, Operand<T> a, const T* b, int64_t b_row,
                                          Target<T> c, Epilogue<T> e) {
  const int last = static_cast<int>(cols - (NV - 1) * kLanes<T>);
  EvenRows tiles(m, kPlaceRows<T, NV>);
  for (int64_t i = 0; i < m;) {
    const int64_t rows = tiles.next();
    place_tile_of<T, NV, false>(rows)(k, a.at(i, 0), b, b_row, last, c.at(i, 0), e.at(i, 0), {});
    i += rows;
  }
}

// Tiles of whole panels: C [m, whole].
template <class T>
__attribute__((noinline)) void place_tiles(int64_t m, int64_t whole, int64_t k, const Operand<T>& a, const Panels<T>& b,
                                           const Target<T>& c, const Epilogue<T>& e, Wanted<T>* wanted) {
  constexpr int NV = Tile<T>::NV;
  constexpr int64_t C = kCols<T>;
  const auto tile = [&](int64_t i, int64_t j, int64_t rows) {
    Lines<T> ahead;
    if constexpr (kAhead<T>) {
      if (wanted) {
        ahead = wanted->take(k);
      } else if (b.jumps && i == 0 && j + C < whole) {
        ahead = {b.at(j + C), b.row};
      }
    }
    const auto run = ahead.p ? place_tile_of<T, NV, true, kAhead<T>>(rows) : place_tile_of<T, NV, true>(rows);
    run(k, a.at(i, 0), b.at(j), b.row, 0, c.at(i, j), e.at(i, j), ahead);
  };
  // A panel that leaves room for others in the first cache passes by with them, row by row of tiles: C is written in
  // longer runs.
  const bool by_rows = k * C * static_cast<int64_t>(sizeof(T)) <= (16 << 10);
  for (int64_t j = 0; j < whole; j += by_rows ? whole : C) {
    EvenRows tiles(m, kPlaceRows<T, NV>);
    for (int64_t i = 0; i < m;) {
      const int64_t rows = tiles.next();
      for (int64_t q = j; q < (by_rows ? whole : j + C); q += C) tile(i, q, rows);
      i += rows;
    }
  }
}

// C [m, n] (+)= A B. `wanted`: what the next product reads, if it is known and far.
template <class T>
void place_block(int64_t m, int64_t n, int64_t k, const Operand<T>& a, const Panels<T>& b, const Target<T>& c,
                 const Epilogue<T>& e, Wanted<T>* wanted = nullptr) {
  const int64_t whole = n / kCols<T> * kCols<T>;
  if (whole > 0) place_tiles(m, whole, k, a, b, c, e, wanted);
  if (whole == n) return;
  with_vectors<T>(n - whole, [&](auto vectors) {
    place_edge<T, decltype(vectors)::value>(m, n - whole, k, a, b.at(whole), b.row, c.at(0, whole), e.at(0, whole));
  });
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
