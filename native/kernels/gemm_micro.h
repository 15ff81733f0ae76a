// The register tile of the matrix product: R rows by NV vectors of C, held in registers while k runs.
#pragma once
#include "kernels/gemm_vec.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// The tile's shape fills the register file with accumulators, one row of B and one element of A: 24 + 2 + 1 of 32
// registers, 12 + 3 + 1 of 16, and 8 + 2 + 1 of 16 where the product needs a register of its own before it is added. R
// is a multiple of 4 so that packing can transpose 4 by 4. 64-bit integer products are emulated below AVX-512, in many
// registers.
#if defined(__AVX512F__)
template <class T>
struct Tile {
  static constexpr int R = 12, NV = 2;
};
#elif defined(__AVX2__)
template <class T>
struct Tile {
  static constexpr int R = 4, NV = 3;
};
template <>
struct Tile<int64_t> {
  static constexpr int R = 4, NV = 1;
};
#elif defined(__aarch64__)
template <class T>
struct Tile {
  static constexpr int R = 8, NV = 3;
};
template <>
struct Tile<int64_t> {
  static constexpr int R = 4, NV = 1;
};
#else
template <class T>
struct Tile {
  static constexpr int R = 4, NV = 2;
};
template <>
struct Tile<int64_t> {
  static constexpr int R = 4, NV = 1;
};
#endif
template <class T>
constexpr int kRows = Tile<T>::R;
template <class T>
constexpr int kCols = Tile<T>::NV * kLanes<T>;

// What happens to a finished tile: C = alpha * tile + beta * C + biases. The bias pointers are those of the tile's own
// rows and columns, or null.
template <class T>
struct Epilogue {
  T alpha = 1, beta = 0;
  const T* row_bias = nullptr;
  const T* col_bias = nullptr;

  Epilogue at(int64_t i, int64_t j) const {
    return {alpha, beta, row_bias ? row_bias + i : nullptr, col_bias ? col_bias + j : nullptr};
  }
};

// Where C lies: element (i, j) at p[i * row + j * col].
template <class T>
struct Target {
  T* p;
  int64_t row, col;

  Target at(int64_t i, int64_t j) const { return {p + i * row + j * col, row, col}; }
};

// One element of C from its finished sum. A factor of one is left out, because a complex one makes NaN of infinity.
template <class T>
FLAMBEAU_INLINE void finish(T sum, int64_t i, int64_t j, const Target<T>& c, const Epilogue<T>& e) {
  T* p = c.p + i * c.row + j * c.col;
  T x = e.alpha == T(1) ? sum : mul_add(e.alpha, sum, T(0));
  if (!(e.beta == T(0))) x = e.beta == T(1) ? plus(*p, x) : mul_add(e.beta, *p, x);
  if (e.row_bias) x = plus(e.row_bias[i], x);
  if (e.col_bias) x = plus(e.col_bias[j], x);
  *p = x;
}

template <class T>
FLAMBEAU_INLINE V<T> finish_vec(V<T> x, V<T> old, T bias, V<T> biases, const Epilogue<T>& e) {
  x = fma<T>(splat(e.alpha), x, V<T>{});
  if (e.beta != T(0)) x = fma<T>(splat(e.beta), old, x);
  if (e.row_bias) x = add<T>(splat(bias), x);
  if (e.col_bias) x = add<T>(biases, x);
  return x;
}

// The general way out of a tile, through memory: tile is [rows, width].
template <class T>
__attribute__((noinline)) void emit_tile(const T* tile, int64_t width, int64_t rows, int64_t cols, const Target<T>& c,
                                         const Epilogue<T>& e) {
  constexpr int L = kLanes<T>;
  for (int64_t i = 0; i < rows; i++, tile += width) {
    if (c.col != 1) {
      for (int64_t j = 0; j < cols; j++) finish(tile[j], i, j, c, e);
      continue;
    }
    const T bias = e.row_bias ? e.row_bias[i] : T(0);
    for (int64_t j = 0; j < cols; j += L) {
      T* p = c.p + i * c.row + j;
      const int left = static_cast<int>(cols - j);
      if (left >= L) {
        const V<T> old = e.beta != T(0) ? load(p) : V<T>{};
        store(p, finish_vec<T>(load(tile + j), old, bias, e.col_bias ? load(e.col_bias + j) : V<T>{}, e));
      } else {
        const V<T> old = e.beta != T(0) ? load_n(p, left) : V<T>{};
        const V<T> biases = e.col_bias ? load_n(e.col_bias + j, left) : V<T>{};
        store_n(p, finish_vec<T>(load(tile + j), old, bias, biases, e), left);
      }
    }
  }
}

// Writes the first `rows` rows and `cols` columns of a tile; unless it is Full, its last vector is partial. What is
// added, and in what order, is the same on all ways out.
template <class T, int R, int NV, bool Full = true>
FLAMBEAU_INLINE void emit(V<T> (&acc)[R][NV], int64_t rows, int64_t cols, const Target<T>& c, const Epilogue<T>& e) {
  constexpr int L = kLanes<T>;
  const bool whole = rows == R && (Full ? cols == NV * L : cols > (NV - 1) * L);
  if (whole && c.col == 1 && e.alpha == T(1) && (e.beta == T(0) || e.beta == T(1))) {
    const int last = static_cast<int>(cols - (NV - 1) * L);
    if (e.beta == T(1)) {
      const T* p = c.p;
#pragma GCC unroll 16
      for (int i = 0; i < R; i++, p += c.row) {
#pragma GCC unroll 8
        for (int v = 0; v < NV; v++) {
          acc[i][v] = add<T>(Full || v < NV - 1 ? load(p + v * L) : load_n(p + v * L, last), acc[i][v]);
        }
      }
    }
    if (e.row_bias) {
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
        for (int v = 0; v < NV; v++) acc[i][v] = add<T>(splat(e.row_bias[i]), acc[i][v]);
      }
    }
    if (e.col_bias) {
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) {
        const V<T> bias = Full || v < NV - 1 ? load(e.col_bias + v * L) : load_n(e.col_bias + v * L, last);
#pragma GCC unroll 16
        for (int i = 0; i < R; i++) acc[i][v] = add<T>(bias, acc[i][v]);
      }
    }
    T* p = c.p;
#pragma GCC unroll 16
    for (int i = 0; i < R; i++, p += c.row) {
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) {
        if (Full || v < NV - 1) {
          store(p + v * L, acc[i][v]);
        } else {
          store_n(p + v * L, acc[i][v], last);
        }
      }
    }
    return;
  }
  T tile[R][NV * L];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) store(tile[i] + v * L, acc[i][v]);
  }
  emit_tile(tile[0], NV * L, rows, cols, c, e);
}

// Rows of a packed panel of A, and of a matrix in place with `stride` elements from row to row.
template <class T>
struct PackedRows {
  const T* p;

  FLAMBEAU_INLINE T at(int i) const { return p[i]; }
  FLAMBEAU_INLINE void next() { p += kRows<T>; }
};
template <class T, int R>
struct RowsInPlace {
  // A pointer for every three rows: an address holds one pointer and once or twice the stride.
  const T* p[(R + 2) / 3];
  int64_t stride;

  FLAMBEAU_INLINE RowsInPlace(const T* a, int64_t row_stride) : stride(row_stride) {
    for (int g = 0; g < (R + 2) / 3; g++) p[g] = a + 3 * g * stride;
  }
  FLAMBEAU_INLINE T at(int i) const { return p[i / 3][i % 3 * stride]; }
  FLAMBEAU_INLINE void next() {
    for (int g = 0; g < (R + 2) / 3; g++) p[g]++;
  }
};

// What a tile asks the second-level cache for while it multiplies: the elements from p on, a row of a
// panel of B every four steps of k.
template <class T>
struct Ahead {
  const T* p;

  static constexpr int kStep = kCols<T>, kLine = 64 / static_cast<int>(sizeof(T));
  FLAMBEAU_INLINE void next() {
    for (int i = 0; i < kStep; i += kLine) __builtin_prefetch(p + i, 0, 2);
    p += kStep;
  }
};
struct NothingAhead {
  FLAMBEAU_INLINE void next() {}
};

// acc = A panel * B panel, of which the first R rows and NV vectors. b: [k, kCols], packed.
template <class T, int R, int NV, class A, class Next = NothingAhead>
FLAMBEAU_INLINE void multiply_panels(int64_t k, A a, const T* b, V<T> (&acc)[R][NV], Next ahead = {}) {
  constexpr int L = kLanes<T>;
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) acc[i][v] = V<T>{};
  }
#pragma GCC unroll 4
  for (int64_t p = 0; p < k; p++) {
    if (p % 4 == 0) ahead.next();
    V<T> row[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) row[v] = load(b + v * L);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const V<T> x = splat(a.at(i));
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) acc[i][v] = fma<T>(x, row[v], acc[i][v]);
    }
    a.next();
    b += kCols<T>;
  }
}

template <class T, int R, int NV, class A, class Next = NothingAhead>
FLAMBEAU_INLINE void multiply_tile(int64_t rows, int64_t cols, int64_t k, A a, const T* b, const Target<T>& c,
                                   const Epilogue<T>& e, Next ahead = {}) {
  V<T> acc[R][NV];
  multiply_panels<T, R, NV>(k, a, b, acc, ahead);
  emit(acc, rows, cols, c, e);
}

template <int N>
struct Vectors {
  static constexpr int value = N;
};

// The vectors of a tile for so many columns.
template <class T, class F>
FLAMBEAU_INLINE void with_vectors(int64_t cols, const F& f) {
  constexpr int L = kLanes<T>, NV = Tile<T>::NV;
  if constexpr (NV > 2) {
    if (cols > L && cols <= 2 * L) return f(Vectors<2>());
  }
  if (cols <= L) return f(Vectors<1>());
  f(Vectors<NV>());
}

// A tile at the edge, with no more rows and vectors than it needs: 64 rows in panels of 12 end with 4, 14 x 14
// positions in panels of 32 with 4.
template <class T, int NV>
__attribute__((noinline)) void multiply_edge(int64_t rows, int64_t cols, int64_t k, PackedRows<T> a, const T* b,
                                             const Target<T>& c, const Epilogue<T>& e) {
  if constexpr (kRows < T >> 4) {
    if (rows <= 4) return multiply_tile<T, 4, NV>(rows, cols, k, a, b, c, e);
  }
  if constexpr (kRows < T >> 8) {
    if (rows <= 8) return multiply_tile<T, 8, NV>(rows, cols, k, a, b, c, e);
  }
  multiply_tile<T, kRows<T>, NV>(rows, cols, k, a, b, c, e);
}

// A tile of which there are `rows` rows in place.
template <class T, int NV>
__attribute__((noinline)) void multiply_in_place(int64_t rows, int64_t cols, int64_t k, const T* a, int64_t stride,
                                                 const T* b, const Target<T>& c, const Epilogue<T>& e) {
  if (rows == kRows<T>) {
    return multiply_tile<T, kRows<T>, NV>(rows, cols, k, RowsInPlace<T, kRows<T>>(a, stride), b, c, e);
  }
  // Rows that are missing may not be read.
  int64_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    multiply_tile<T, 4, NV>(4, cols, k, RowsInPlace<T, 4>(a + i * stride, stride), b, c.at(i, 0), e.at(i, 0));
  }
  for (; i < rows; i++) {
    multiply_tile<T, 1, NV>(1, cols, k, RowsInPlace<T, 1>(a + i * stride, stride), b, c.at(i, 0), e.at(i, 0));
  }
}

// A block of C where B is packed and A, used for few columns only, is not worth it: a has `stride` elements from row to
// row. A row of tiles reads its rows of A once from afar, while the next rows are asked for.
template <class T>
__attribute__((noinline)) void multiply_unpacked(int64_t m, int64_t n, int64_t k, const T* a, int64_t stride,
                                                 const T* b, const Target<T>& c, const Epilogue<T>& e) {
  constexpr int R = kRows<T>, C = kCols<T>, kLine = 64 / static_cast<int>(sizeof(T));
  for (int64_t i = 0; i < m; i += R) {
    const int64_t rows = m - i < R ? m - i : R, next = m - i - rows < R ? m - i - rows : R;
    for (int64_t j = 0; j < n; j += C) {
      const int64_t from = k * j / n, to = k * (j + C < n ? j + C : n) / n;
      for (int64_t r = 0; r < next; r++) {
        const T* line = a + (i + R + r) * stride;
        for (int64_t p = from; p < to; p += kLine) __builtin_prefetch(line + p);
      }
      const int64_t cols = n - j < C ? n - j : C;
      with_vectors<T>(cols, [&](auto vectors) {
        multiply_in_place<T, decltype(vectors)::value>(rows, cols, k, a + i * stride, stride, b + j * k, c.at(i, j),
                                                       e.at(i, j));
      });
    }
  }
}

// A block of C from packed panels: a holds panels of [k, kRows] for the block's rows, b panels of [k, kCols] for its
// columns. While the panels of A pass by one panel of B, the next one comes from the last-level cache or from memory.
template <class T>
__attribute__((noinline)) void multiply_block(int64_t m, int64_t n, int64_t k, const T* a, const T* b, Target<T> c,
                                              const Epilogue<T>& e) {
  constexpr int R = kRows<T>, C = kCols<T>, L = kLanes<T>;
  for (int64_t j = 0; j < n; j += C, b += C * k) {
    const T* panel = a;
    const int64_t cols = n - j < C ? n - j : C;
    // A tile asks for a quarter of the next panel: even few rows of tiles bring all of it.
    const T* const quarters = j + C < n ? b + C * k : b;
    int quarter = 0;
    for (int64_t i = 0; i < m; i += R, panel += R * k) {
      const Target<T> tile = c.at(i, j);
      const int64_t rows = m - i < R ? m - i : R;
      if (c.col == 1) {
        // The tile's lines of C are asked for before the long loop, which hides their way from memory.
        for (int r = 0; r < rows; r++) {
          for (int s = 0; s < C; s += 64 / static_cast<int>(sizeof(T))) __builtin_prefetch(tile.p + r * c.row + s, 1);
        }
      }
      const PackedRows<T> packed{panel};
      if (rows == R && cols > (Tile<T>::NV - 1) * L) {
        multiply_tile<T, R, Tile<T>::NV>(R, cols, k, packed, b, tile, e.at(i, j),
                                         Ahead<T>{quarters + quarter * C * (k / 4)});
        quarter = quarter < 3 ? quarter + 1 : 3;
      } else {
        with_vectors<T>(cols, [&](auto vectors) {
          multiply_edge<T, decltype(vectors)::value>(rows, cols, k, packed, b, tile, e.at(i, j));
        });
      }
    }
  }
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
