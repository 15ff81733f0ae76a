// The extreme of a row or column together with its first index.
#include "kernels/set.h"

#include "kernels/reduce.h"
#include "kernels/reduce_loop.h"
#include "kernels/reducers.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

template <Extreme e>
constexpr Reduce kExtremeReduce = e == Extreme::Max ? Reduce::Max : Reduce::Min;

template <Extreme e, class V>
FLAMBEAU_INLINE auto beats(V a, V b) {
  if constexpr (e == Extreme::Max)
    return a > b;
  else
    return a < b;
}

template <class T>
FLAMBEAU_INLINE bool is_nan(T v) {
  return v != v;
}

// The value first, then a search for it that stops early: both passes are vectors, and the second reads cached memory.
template <Extreme e, class T>
void arg_rows(int64_t rows, int64_t n, int64_t row_stride, const void* x, void* values, int64_t* indices) {
  using V = Vec<T>;
  using R = Reducer<kExtremeReduce<e>, V>;
  const T* p = static_cast<const T*>(x);
  for (int64_t r = 0; r < rows; r++, p += row_stride) {
    T best = R::total(reduce_range<R, V>(R{}, p, n));
    static_cast<T*>(values)[r] = best;
    int64_t i = 0;
    V wanted(best);
    if (!is_nan(best))
      while (i + V::N <= n && !any(V::load(p + i) == wanted)) i += V::N;
    else
      while (i + V::N <= n && !any(isnan(V::load(p + i)))) i += V::N;
    while (i < n - 1 && !(p[i] == best || is_nan(p[i]))) i++;
    indices[r] = i;
  }
}

// Lane indices are as wide as the lanes, so that rows beyond 2^30 are taken in turns.
template <Extreme e, class T>
void arg_cols(int64_t n, int64_t m, int64_t row_stride, const void* x, void* values, int64_t* indices) {
  using V = Vec<T>;
  using I = Vec<Bits<T>>;
  constexpr int64_t kTurn = int64_t{1} << 30;
  const T* p = static_cast<const T*>(x);
  T* out = static_cast<T*>(values);
  for (int64_t begin = 0; begin < n; begin += kTurn) {
    int64_t count = n - begin < kTurn ? n - begin : kTurn;
    for_strips<V::N>(m, [&]<int K>(int64_t j, int lanes) {
      V best[K];
      I where[K];
      auto load = [&](int64_t i, int k) __attribute__((always_inline)) {
        const T* q = p + (begin + i) * row_stride + j + k * V::N;
        return lanes == V::N ? V::load(q) : V::load(q, lanes);
      };
      for (int k = 0; k < K; k++) {
        best[k] = load(0, k);
        where[k] = I(0);
      }
      for (int64_t i = 1; i < count; i++)
        for (int k = 0; k < K; k++) {
          V v = load(i, k);
          Mask<T> better = (beats<e>(v, best[k]) | isnan(v)) & !isnan(best[k]);
          best[k] = select(better, v, best[k]);
          where[k] = select(Mask<Bits<T>>{better.v}, I(static_cast<Bits<T>>(i)), where[k]);
        }
      for (int k = 0; k < K; k++)
        for (int l = 0; l < lanes; l++) {
          T v = best[k][l];
          int64_t at = j + k * V::N + l;
          if (begin > 0 && (is_nan(out[at]) || !(beats<e>(v, out[at]) || is_nan(v)))) continue;
          out[at] = v;
          indices[at] = begin + where[k][l];
        }
    });
  }
}

template <class T>
void set(ReduceKernels& k, Compute c) {
  int i = static_cast<int>(c), max = static_cast<int>(Extreme::Max), min = static_cast<int>(Extreme::Min);
  k.arg_rows[max][i] = arg_rows<Extreme::Max, T>;
  k.arg_rows[min][i] = arg_rows<Extreme::Min, T>;
  k.arg_cols[max][i] = arg_cols<Extreme::Max, T>;
  k.arg_cols[min][i] = arg_cols<Extreme::Min, T>;
}

}  // namespace

void fill_arg(ReduceKernels& k) {
  set<float>(k, Compute::F32);
  set<double>(k, Compute::F64);
  set<int64_t>(k, Compute::I64);
}

}  // namespace flambeau::FLAMBEAU_SET
