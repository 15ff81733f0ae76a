// Reductions of rows and columns to one value each.
#include "kernels/set.h"

#include "kernels/reduce.h"
#include "kernels/reduce_loop.h"
#include "kernels/reducers.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

template <Reduce op, class V>
void reduce_rows(int64_t rows, int64_t n, int64_t row_stride, const void* x, void* out) {
  using R = Reducer<op, V>;
  const auto* p = static_cast<const typename Access<V>::Memory*>(x);
  auto* o = static_cast<typename R::Out*>(out);
  for (int64_t r = 0; r < rows; r++) o[r] = R::total(reduce_range<R, V>(R{}, p + r * row_stride, n));
}

template <Reduce op, class V>
void reduce_cols(int64_t n, int64_t m, int64_t row_stride, const void* x, void* out) {
  using R = Reducer<op, V>;
  constexpr int N = Access<V>::N;
  const auto* p = static_cast<const typename Access<V>::Memory*>(x);
  auto* o = static_cast<typename R::Out*>(out);
  int64_t done = 0;
  if (m >= 8 * N) {
    typename R::Acc acc[kWide];
    while (m - done >= N) {
      const int vectors = m - done < kWide * N ? static_cast<int>((m - done) / N) : kWide;
      reduce_wide<R, V>(R{}, n, p + done, row_stride, vectors, acc);
      for (int k = 0; k < vectors; k++) R::store_lanes(acc[k], o + done + k * N, N);
      done += vectors * N;
    }
  }
  p += done;
  o += done;
  for_strips<N>(m - done, [&]<int K>(int64_t j, int lanes) {
    R reducers[K];
    typename R::Acc acc[K];
    reduce_strip<K, R, V>(reducers, n, p + j, row_stride, lanes, acc);
    for (int k = 0; k < K; k++) R::store_lanes(acc[k], o + j + k * N, lanes);
  });
}

template <Reduce op, class V>
void set(ReduceKernels& k, Compute c) {
  k.rows[static_cast<int>(op)][static_cast<int>(c)] = reduce_rows<op, V>;
  k.cols[static_cast<int>(op)][static_cast<int>(c)] = reduce_cols<op, V>;
}
template <Reduce op>
void set_real(ReduceKernels& k) {
  set<op, Vec<float>>(k, Compute::F32);
  set<op, Vec<double>>(k, Compute::F64);
  set<op, Vec<int64_t>>(k, Compute::I64);
}
template <Reduce op>
void set_all(ReduceKernels& k) {
  set_real<op>(k);
  set<op, Complex<float>>(k, Compute::C64);
  set<op, Complex<double>>(k, Compute::C128);
}

}  // namespace

void fill_moments(ReduceKernels&);
void fill_arg(ReduceKernels&);
void fill_scan(ReduceKernels&);

void fill(ReduceKernels& k) {
  k = ReduceKernels{};
  set_all<Reduce::Sum>(k);
  set_all<Reduce::Prod>(k);
  set_real<Reduce::Max>(k);
  set_real<Reduce::Min>(k);
  set_all<Reduce::Any>(k);
  set_all<Reduce::All>(k);
  set_all<Reduce::SumSquares>(k);
  set_all<Reduce::SumAbs>(k);
  set_real<Reduce::MaxAbs>(k);
  set_all<Reduce::NanSum>(k);
  set_all<Reduce::CountNonzero>(k);
  fill_moments(k);
  fill_arg(k);
  fill_scan(k);
}

}  // namespace flambeau::FLAMBEAU_SET
