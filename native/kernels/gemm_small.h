// Products that packing would slow down: tiny ones, thin ones (matrix times vector and alike), and those whose operands
// fit the first cache as they lie.
#pragma once
#include "kernels/gemm_micro.h"
#include "kernels/gemm_pack.h"
#include "kernels/gemm_place.h"
#include "parallel/pool.h"
#include "simd/half.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// The type that products of elements are added up in.
template <class T>
struct SumOf {
  using Type = T;
};
template <>
struct SumOf<BFloat16> {
  using Type = float;
};
template <class T>
using Sum = typename SumOf<T>::Type;

// Where products of halves end: C = alpha * sums + beta * C + biases, rounded once. The biases are halves too.
template <class H>
struct Rounded {
  Target<H> c;
  float alpha, beta;
  const H *row_bias, *col_bias;

  Rounded at(int64_t i, int64_t j) const {
    return {c.at(i, j), alpha, beta, row_bias ? row_bias + i : nullptr, col_bias ? col_bias + j : nullptr};
  }
};

// Finishes n sums of the first row, in place, and rounds them into C.
template <class H>
void finish_row(int64_t n, float* x, const Rounded<H>& out) {
  H* row = out.c.p;
  const int64_t step = out.c.col;
  if (out.alpha != 1.0f) {
    for (int64_t j = 0; j < n; j++) x[j] *= out.alpha;
  }
  if (out.beta != 0.0f) {
    for (int64_t j = 0; j < n; j++) x[j] += out.beta * to_float(row[j * step]);
  }
  if (out.row_bias) {
    const float bias = to_float(*out.row_bias);
    for (int64_t j = 0; j < n; j++) x[j] += bias;
  }
  if (out.col_bias) {
    for (int64_t j = 0; j < n; j++) x[j] += to_float(out.col_bias[j]);
  }
  if (step == 1) {
    convert_halves(n, x, row);
  } else {
    for (int64_t j = 0; j < n; j++) convert_halves(1, x + j, row + j * step);
  }
}

// C[m, n] = alpha A[m, k] B[k, n] + ...
template <class T>
struct Product {
  int64_t m, n, k;
  Operand<T> a, b;
  Target<Sum<T>> c;
  Epilogue<Sum<T>> e;
  const void* packed_b = nullptr;
  const Rounded<T>* rounded = nullptr;  // of bfloat16, where sums that are complete go instead of c
  Wanted<T> wanted = {};                // what the next product reads, nothing where it is not known or near
};

constexpr int64_t kParallelWork = 1 << 17;  // multiplications that are worth a second thread: about 4 us of one

template <class T>
void multiply_scalar(const Product<T>& g) {
  for (int64_t i = 0; i < g.m; i++) {
    for (int64_t j = 0; j < g.n; j++) {
      T sum = 0;
      for (int64_t p = 0; p < g.k; p++) {
        sum = mul_add(g.a.p[i * g.a.row + p * g.a.col], g.b.p[p * g.b.row + j * g.b.col], sum);
      }
      finish(sum, i, j, g.c, g.e);
    }
  }
}

// ---- B read in place, row by row ----

// R rows of C by NV vectors of columns, `last` lanes in the last vector (all of them unless Partial).
template <class T, int R, int NV, bool Partial, bool First>
FLAMBEAU_INLINE void direct_tile(int64_t k, Operand<T> a, Operand<T> b, Target<T> c, const Epilogue<T>& e, int last) {
  constexpr int L = kLanes<T>;
  V<T> acc[R][NV];
#pragma GCC unroll 8
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) acc[i][v] = V<T>{};
  }
  const T* row = b.p;
  const T* x = a.p;
  for (int64_t p = 0; p < k; p++, row += b.row, x += a.col) {
    // The columns of the next tile: rows that are far apart are no stream that a processor would foresee. The wide
    // tiles of a single row are better left to it.
    if constexpr (First && R > 1) {
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) __builtin_prefetch(row + (NV + v) * L);
    }
    V<T> y[NV];
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) y[v] = Partial && v == NV - 1 ? load_n(row + v * L, last) : load(row + v * L);
#pragma GCC unroll 8
    for (int i = 0; i < R; i++) {
      const V<T> s = splat(x[i * a.row]);
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) acc[i][v] = fma<T>(s, y[v], acc[i][v]);
    }
  }
  emit<T, R, NV, !Partial>(acc, R, Partial ? (NV - 1) * L + last : NV * L, c, e);
}

// All columns for R rows. Few rows take wide tiles, so that enough sums are under way to hide the adder's latency.
// The first rows bring B into the caches for the others.
template <class T, int R, bool First>
__attribute__((noinline)) void direct_rows(int64_t n, int64_t k, Operand<T> a, Operand<T> b, Target<T> c,
                                           const Epilogue<T>& e) {
  constexpr int L = kLanes<T>;
  constexpr int NV = R == 1 ? 8 : R == 2 ? 4 : 2;
  int64_t j = 0;
  for (; j + NV * L <= n; j += NV * L) direct_tile<T, R, NV, false, First>(k, a, b.at(0, j), c.at(0, j), e.at(0, j), 0);
  for (; j + L <= n; j += L) direct_tile<T, R, 1, false, false>(k, a, b.at(0, j), c.at(0, j), e.at(0, j), 0);
  if (j < n) direct_tile<T, R, 1, true, false>(k, a, b.at(0, j), c.at(0, j), e.at(0, j), static_cast<int>(n - j));
}

// As many rows as registers hold the sums of, with two vectors each. Where tiles read operands in place, they take all
// but a single row.
constexpr int kDirectRows = FLAMBEAU_VEC_BYTES == 64 ? 8 : 6;

template <class T, bool First>
void direct_group(int64_t r, int64_t n, int64_t k, Operand<T> a, Operand<T> b, Target<T> c, const Epilogue<T>& e) {
  if constexpr (!kPlaced<T>) {
    switch (r) {
      case 2: return direct_rows<T, 2, First>(n, k, a, b, c, e);
      case 3: return direct_rows<T, 3, First>(n, k, a, b, c, e);
      case 4: return direct_rows<T, 4, First>(n, k, a, b, c, e);
      case 5: return direct_rows<T, 5, First>(n, k, a, b, c, e);
      case 6: return direct_rows<T, 6, First>(n, k, a, b, c, e);
      default: break;
    }
    if constexpr (kDirectRows == 8) {
      if (r == 7) return direct_rows<T, 7, First>(n, k, a, b, c, e);
      if (r == 8) return direct_rows<T, 8, First>(n, k, a, b, c, e);
    }
  }
  direct_rows<T, 1, First>(n, k, a, b, c, e);
}

template <class T>
void direct_block(int64_t m, int64_t n, int64_t k, Operand<T> a, Operand<T> b, Target<T> c, const Epilogue<T>& e,
                  Wanted<T> wanted = {}) {
  if constexpr (kPlaced<T>) {
    if (m > 1) return place_block(m, n, k, a, Panels<T>::in_place(b), c, e, wanted.any() ? &wanted : nullptr);
  }
  for (int64_t i = 0; i < m;) {
    const int64_t left = m - i;
    const int64_t r = left <= kDirectRows ? left : left < 2 * kDirectRows ? (left + 1) / 2 : kDirectRows;
    const auto group = i == 0 ? direct_group<T, true> : direct_group<T, false>;
    group(r, n, k, a.at(i, 0), b, c.at(i, 0), e.at(i, 0));
    i += r;
  }
}

// b.col must be 1. The blocks keep the piece of B that several groups of rows share within the second cache, and the
// number of its pages that are in use at a time within the first address cache. Tiles in place manage without them, but
// where rows of B share a set of the caches.
template <class T>
void multiply_direct(const Product<T>& g) {
  constexpr int64_t kK = 256, kN = 512 / sizeof(T) * 2;
  if (g.n <= kN || g.k <= 16 || (kPlaced<T> && g.m > 1 && g.b.spread())) {
    direct_block(g.m, g.n, g.k, g.a, g.b, g.c, g.e, g.wanted);
    return;
  }
  for (int64_t p = 0; p < g.k; p += kK) {
    const int64_t depth = g.k - p < kK ? g.k - p : kK;
    Epilogue<T> e = g.e;
    if (p > 0) e.beta = 1;
    if (p + depth < g.k) e.row_bias = e.col_bias = nullptr;
    for (int64_t j = 0; j < g.n; j += kN) {
      direct_block(g.m, g.n - j < kN ? g.n - j : kN, depth, g.a.at(0, p), g.b.at(p, j), g.c.at(0, j), e.at(0, j));
    }
  }
}

// ---- both operands read along k ----

template <class T, int R, int C>
FLAMBEAU_INLINE void dot_tile(int64_t k, Operand<T> a, Operand<T> b, Target<T> c, const Epilogue<T>& e) {
  constexpr int L = kLanes<T>;
  constexpr int U = R * C >= 8 ? 1 : 2;  // two sums an element where there are too few to hide the adder's latency
  V<T> acc[U][R][C];
#pragma GCC unroll 2
  for (int u = 0; u < U; u++) {
#pragma GCC unroll 4
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
      for (int j = 0; j < C; j++) acc[u][i][j] = V<T>{};
    }
  }
  int64_t p = 0;
  for (; p + U * L <= k; p += U * L) {
#pragma GCC unroll 2
    for (int u = 0; u < U; u++) {
      V<T> y[C];
#pragma GCC unroll 4
      for (int j = 0; j < C; j++) y[j] = load(b.p + j * b.col + p + u * L);
#pragma GCC unroll 4
      for (int i = 0; i < R; i++) {
        const V<T> x = load(a.p + i * a.row + p + u * L);
#pragma GCC unroll 4
        for (int j = 0; j < C; j++) acc[u][i][j] = fma<T>(x, y[j], acc[u][i][j]);
      }
    }
  }
  for (; p < k; p += L) {
    const int left = k - p < L ? static_cast<int>(k - p) : L;
    for (int i = 0; i < R; i++) {
      const V<T> x = left == L ? load(a.p + i * a.row + p) : load_n(a.p + i * a.row + p, left);
      for (int j = 0; j < C; j++) {
        const V<T> y = left == L ? load(b.p + j * b.col + p) : load_n(b.p + j * b.col + p, left);
        acc[0][i][j] = fma<T>(x, y, acc[0][i][j]);
      }
    }
  }
  T sums[R][C];
#pragma GCC unroll 4
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < C; j++) {
      V<T> total = acc[0][i][j];
      if constexpr (U == 2) total = add<T>(total, acc[1][i][j]);
      sums[i][j] = sum_lanes<T>(total);
    }
  }
  for (int i = 0; i < R; i++) {
    for (int j = 0; j < C; j++) finish(sums[i][j], i, j, c, e);
  }
}

template <class T, int C>
FLAMBEAU_INLINE void dot_column(int64_t m, int64_t k, Operand<T> a, Operand<T> b, Target<T> c, const Epilogue<T>& e) {
  int64_t i = 0;
  for (; i + 4 <= m; i += 4) dot_tile<T, 4, C>(k, a.at(i, 0), b, c.at(i, 0), e.at(i, 0));
  for (; i < m; i++) dot_tile<T, 1, C>(k, a.at(i, 0), b, c.at(i, 0), e.at(i, 0));
}

// a.col and b.row must be 1.
template <class T>
__attribute__((noinline)) void multiply_dots(const Product<T>& g) {
  int64_t j = 0;
  for (; j + 4 <= g.n; j += 4) dot_column<T, 4>(g.m, g.k, g.a, g.b.at(0, j), g.c.at(0, j), g.e.at(0, j));
  for (; j < g.n; j++) dot_column<T, 1>(g.m, g.k, g.a, g.b.at(0, j), g.c.at(0, j), g.e.at(0, j));
}

// ---- over threads ----

template <class T>
Product<T> columns(const Product<T>& g, int64_t j, int64_t n) {
  return {g.m, n, g.k, g.a, g.b.at(0, j), g.c.at(0, j), g.e.at(0, j)};
}

template <class T>
Product<T> rows(const Product<T>& g, int64_t i, int64_t m) {
  return {m, g.n, g.k, g.a.at(i, 0), g.b, g.c.at(i, 0), g.e.at(i, 0)};
}

// Splits the longer side of a thin product over the threads, in multiples of 16 rows or columns.
template <class T, class F>
void split(const Product<T>& g, F run) {
  const int64_t longer = g.m > g.n ? g.m : g.n;
  const int64_t units = (longer + 15) / 16;
  const int64_t work = g.m * g.n * g.k / units + 1;  // of one unit
  auto body = [&](int64_t begin, int64_t end) {
    const int64_t first = begin * 16, last = end * 16 < longer ? end * 16 : longer;
    run(g.m > g.n ? rows(g, first, last - first) : columns(g, first, last - first));
  };
  parallel(0, units, kParallelWork / work + 1, body);
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
