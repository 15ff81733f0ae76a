// Mean and sum of squared deviations. Two passes; the second also sums the plain deviations d, which would be zero for
// an exact mean, and corrects both results with them: mean + sum(d) / n, m2 - sum(d)^2 / n.
#include "kernels/set.h"

#include "kernels/reduce.h"
#include "kernels/reduce_loop.h"
#include "kernels/reducers.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

template <class V>
struct Deviations {
  struct Acc {
    V d, square;
  };
  V mean;

  static FLAMBEAU_INLINE Acc identity() { return {V(0), V(0)}; }
  FLAMBEAU_INLINE Acc add(Acc acc, V x) const {
    V d = x - mean;
    return {acc.d + d, fma(d, d, acc.square)};
  }
  static FLAMBEAU_INLINE Acc join(Acc a, Acc b) { return {a.d + b.d, a.square + b.square}; }
  template <class M>
  static FLAMBEAU_INLINE Acc choose(M m, Acc a, Acc b) {
    return {select(m, a.d, b.d), select(m, a.square, b.square)};
  }
};

template <class T>
void moments_rows(int64_t rows, int64_t n, int64_t row_stride, const void* x, void* mean, void* m2) {
  using V = Vec<T>;
  using Sum = Reducer<Reduce::Sum, V>;
  const T* p = static_cast<const T*>(x);
  T count = static_cast<T>(n);
  for (int64_t r = 0; r < rows; r++, p += row_stride) {
    T guess = Sum::total(reduce_range<Sum, V>(Sum{}, p, n)) / count;
    auto acc = reduce_range<Deviations<V>, V>(Deviations<V>{V(guess)}, p, n);
    T d = sum(acc.d), square = sum(acc.square);
    static_cast<T*>(mean)[r] = guess + d / count;
    static_cast<T*>(m2)[r] = n == 0 ? 0 : square - d * d / count;
  }
}

template <class T>
void moments_cols(int64_t n, int64_t m, int64_t row_stride, const void* x, void* mean, void* m2) {
  using V = Vec<T>;
  using Sum = Reducer<Reduce::Sum, V>;
  const T* p = static_cast<const T*>(x);
  V count(static_cast<T>(n));
  for_strips<V::N>(m, [&]<int K>(int64_t j, int lanes) {
    Sum sums[K];
    V total[K];
    reduce_strip<K, Sum, V>(sums, n, p + j, row_stride, lanes, total);
    Deviations<V> deviations[K];
    typename Deviations<V>::Acc acc[K];
    for (int k = 0; k < K; k++) deviations[k].mean = total[k] / count;
    reduce_strip<K, Deviations<V>, V>(deviations, n, p + j, row_stride, lanes, acc);
    for (int k = 0; k < K; k++) {
      V d = acc[k].d, square = n == 0 ? V(0) : acc[k].square - d * d / count;
      Sum::store_lanes(deviations[k].mean + d / count, static_cast<T*>(mean) + j + k * V::N, lanes);
      Sum::store_lanes(square, static_cast<T*>(m2) + j + k * V::N, lanes);
    }
  });
}

}  // namespace

void fill_moments(ReduceKernels& k) {
  k.moments_rows[static_cast<int>(Compute::F32)] = moments_rows<float>;
  k.moments_rows[static_cast<int>(Compute::F64)] = moments_rows<double>;
  k.moments_cols[static_cast<int>(Compute::F32)] = moments_cols<float>;
  k.moments_cols[static_cast<int>(Compute::F64)] = moments_cols<double>;
}

}  // namespace flambeau::FLAMBEAU_SET
