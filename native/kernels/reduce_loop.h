// The loops under the reductions: over one contiguous range, and down a strip of columns. A reducer R says what is
// accumulated: `Acc identity()`, `Acc add(Acc, V)`, `Acc join(Acc, Acc)` and `Acc choose(mask, Acc, Acc)`.
// Included by the reduce*.cc files only.
#pragma once
#include "simd/access.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

// Up to this many steps go into one accumulator; beyond it partial results are joined in a tree, so that the error of a
// float sum grows with the logarithm of its length.
constexpr int64_t kSerialSteps = 32;

template <class V>
constexpr bool kIsVector = Access<V>::N > 1 || sizeof(V) == FLAMBEAU_VEC_BYTES;
template <class T>
constexpr bool kIsVector<Complex<T>> = false;

// The accumulated first n < N elements.
template <class R, class V>
FLAMBEAU_INLINE typename R::Acc add_part(const R& reducer, typename R::Acc acc, const typename Access<V>::Memory* x,
                                         int n) {
  return R::choose(first_lanes<typename V::Lane>(n), reducer.add(acc, V::load(x, n)), acc);
}

template <class R, class V>
typename R::Acc reduce_range(const R& reducer, const typename Access<V>::Memory* x, int64_t n) {
  using Acc = typename R::Acc;
  constexpr int N = Access<V>::N;
  constexpr int kWays = 8;
  constexpr int64_t kBlock = kSerialSteps * kWays * N;
  if (n > kBlock) {
    int64_t half = (n / 2 + kBlock - 1) / kBlock * kBlock;
    // One after the other: as arguments they might go backwards through memory, which no prefetcher follows.
    const Acc left = reduce_range<R, V>(reducer, x, half);
    return R::join(left, reduce_range<R, V>(reducer, x + half, n - half));
  }
  int64_t i = 0;
  Acc first = R::identity();
  if (n >= kWays * N) {
    Acc acc[kWays];
    for (Acc& a : acc) a = R::identity();
    for (; i + kWays * N <= n; i += kWays * N) FLAMBEAU_UNROLL(8)
    for (int k = 0; k < kWays; k++) acc[k] = reducer.add(acc[k], Access<V>::load(x + i + k * N));
    for (int w = kWays / 2; w > 0; w /= 2)
      for (int k = 0; k < w; k++) acc[k] = R::join(acc[k], acc[k + w]);
    first = acc[0];
  }
  FLAMBEAU_UNROLL(1)
  for (; i + N <= n; i += N) first = reducer.add(first, Access<V>::load(x + i));
  if constexpr (kIsVector<V>)
    if (i < n) first = add_part<R, V>(reducer, first, x + i, static_cast<int>(n - i));
  return first;
}

// K neighbouring vectors of columns, n rows; with `lanes` < N only the first lanes of one vector exist (K = 1).
template <int K, class R, class V>
void reduce_strip(const R* reducers, int64_t n, const typename Access<V>::Memory* x, int64_t row_stride, int lanes,
                  typename R::Acc* out) {
  using Acc = typename R::Acc;
  constexpr int N = Access<V>::N;
  constexpr int64_t kBlock = 2 * kSerialSteps;
  if (n > kBlock) {
    int64_t half = (n / 2 + kBlock - 1) / kBlock * kBlock;
    Acc rest[K];
    reduce_strip<K, R, V>(reducers, half, x, row_stride, lanes, out);
    reduce_strip<K, R, V>(reducers, n - half, x + half * row_stride, row_stride, lanes, rest);
    for (int k = 0; k < K; k++) out[k] = R::join(out[k], rest[k]);
    return;
  }
  Acc acc[K];
  for (Acc& a : acc) a = R::identity();
  if (lanes == N) {
    for (int64_t i = 0; i < n; i++) FLAMBEAU_UNROLL(4)
    for (int k = 0; k < K; k++) acc[k] = reducers[k].add(acc[k], Access<V>::load(x + i * row_stride + k * N));
  } else if constexpr (kIsVector<V> && K == 1) {
    for (int64_t i = 0; i < n; i++) acc[0] = add_part<R, V>(reducers[0], acc[0], x + i * row_stride, lanes);
  }
  for (int k = 0; k < K; k++) out[k] = acc[k];
}

// So many neighbouring vectors of columns have their accumulators in the first-level cache.
constexpr int kWide = 64;

// `vectors` (at most kWide) neighbouring vectors of columns, n rows, walked along the rows, of which four are read at a
// time: strips of a few vectors would touch a page for every row. Each column is accumulated as in reduce_strip.
template <class R, class V>
void reduce_wide(const R& reducer, int64_t n, const typename Access<V>::Memory* x, int64_t row_stride, int vectors,
                 typename R::Acc* out) {
  using Acc = typename R::Acc;
  constexpr int N = Access<V>::N, kRows = 4;
  constexpr int64_t kBlock = 2 * kSerialSteps;
  if (n > kBlock) {
    int64_t half = (n / 2 + kBlock - 1) / kBlock * kBlock;
    Acc rest[kWide];
    reduce_wide<R, V>(reducer, half, x, row_stride, vectors, out);
    reduce_wide<R, V>(reducer, n - half, x + half * row_stride, row_stride, vectors, rest);
    for (int k = 0; k < vectors; k++) out[k] = R::join(out[k], rest[k]);
    return;
  }
  for (int k = 0; k < vectors; k++) out[k] = R::identity();
  int64_t i = 0;
  for (; i + kRows <= n; i += kRows) {
    const auto* row = x + i * row_stride;
    for (int k = 0; k < vectors; k++) {
      Acc acc = out[k];
      FLAMBEAU_UNROLL(4)
      for (int r = 0; r < kRows; r++) acc = reducer.add(acc, Access<V>::load(row + r * row_stride + k * N));
      out[k] = acc;
    }
  }
  for (; i < n; i++)
    for (int k = 0; k < vectors; k++) out[k] = reducer.add(out[k], Access<V>::load(x + i * row_stride + k * N));
}

// Calls f(j, width, lanes) for strips of `width` (4 or 1) vectors that cover m columns.
template <int N, class F>
FLAMBEAU_INLINE void for_strips(int64_t m, F f) {
  int64_t j = 0;
  for (; j + 4 * N <= m; j += 4 * N) f.template operator()<4>(j, N);
  for (; j + N <= m; j += N) f.template operator()<1>(j, N);
  if (j < m) f.template operator()<1>(j, static_cast<int>(m - j));
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
