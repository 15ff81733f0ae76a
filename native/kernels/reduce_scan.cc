// Cumulative sums, products, log-sum-exps and extremes. Floats accumulate in double, as long scans would drift.
#include "kernels/set.h"

#include "kernels/reduce.h"
#include "simd/access.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

template <class T>
struct AccumulatorOf {
  using Type = T;
};
template <>
struct AccumulatorOf<float> {
  using Type = double;
};
template <>
struct AccumulatorOf<int64_t> {
  using Type = uint64_t;  // wraps around
};
template <>
struct AccumulatorOf<Complex<float>> {
  using Type = Complex<double>;
};

template <class T>
FLAMBEAU_INLINE T widen(T x) {
  return x;
}
FLAMBEAU_INLINE double widen(float x) { return x; }
FLAMBEAU_INLINE uint64_t widen(int64_t x) { return static_cast<uint64_t>(x); }
FLAMBEAU_INLINE Complex<double> widen(Complex<float> x) { return {x.re, x.im}; }

template <class T, class A>
FLAMBEAU_INLINE T narrow_to(A a) {
  if constexpr (sizeof(T) == sizeof(A))
    return static_cast<T>(a);
  else if constexpr (sizeof(A) == 16)
    return T(static_cast<float>(a.re), static_cast<float>(a.im));
  else
    return static_cast<T>(a);
}

inline double log_add_exp(double a, double b) {
  if (a != a || b != b) return a + b;
  double low = a < b ? a : b, high = a < b ? b : a;
  if (low == high && !__builtin_isfinite(low)) return low;
  return high + __builtin_log1p(__builtin_exp(low - high));
}

template <Scan op, class A>
FLAMBEAU_INLINE A scan_start() {
  if constexpr (op == Scan::CumProd)
    return A(1);
  else if constexpr (op == Scan::LogCumSumExp)
    return -__builtin_inf();
  else
    return A(0);
}
template <Scan op, class A>
FLAMBEAU_INLINE A scan_step(A acc, A x) {
  if constexpr (op == Scan::CumProd)
    return acc * x;
  else if constexpr (op == Scan::LogCumSumExp)
    return log_add_exp(acc, x);
  else
    return acc + x;
}

template <Scan op, class T>
void scan_rows(int64_t rows, int64_t n, int64_t x_stride, const void* x, int64_t y_stride, void* y) {
  using A = typename AccumulatorOf<T>::Type;
  for (int64_t r = 0; r < rows; r++) {
    const T* p = static_cast<const T*>(x) + r * x_stride;
    T* q = static_cast<T*>(y) + r * y_stride;
    A acc = scan_start<op, A>();
    for (int64_t i = 0; i < n; i++) {
      acc = scan_step<op>(acc, widen(p[i]));
      q[i] = narrow_to<T>(acc);
    }
  }
}

// A strip of columns at a time: the compiler turns the inner loop into vectors.
constexpr int kStrip = 64;

template <Scan op, class T>
void scan_cols(int64_t n, int64_t m, int64_t x_stride, const void* x, int64_t y_stride, void* y) {
  using A = typename AccumulatorOf<T>::Type;
  for (int64_t j = 0; j < m; j += kStrip) {
    int width = static_cast<int>(m - j < kStrip ? m - j : kStrip);
    A acc[kStrip];
    for (A& a : acc) a = scan_start<op, A>();
    for (int64_t i = 0; i < n; i++) {
      const T* p = static_cast<const T*>(x) + i * x_stride + j;
      T* q = static_cast<T*>(y) + i * y_stride + j;
      for (int k = 0; k < width; k++) {
        acc[k] = scan_step<op>(acc[k], widen(p[k]));
        q[k] = narrow_to<T>(acc[k]);
      }
    }
  }
}

template <Extreme e, class T>
FLAMBEAU_INLINE bool replaces(T x, T best) {
  bool wins = e == Extreme::Max ? x >= best : x <= best;
  return x != x || (best == best && wins);
}

template <Extreme e, class T>
void scan_arg_rows(int64_t rows, int64_t n, int64_t x_stride, const void* x, int64_t y_stride, void* values,
                   int64_t* indices) {
  for (int64_t r = 0; r < rows && n > 0; r++) {
    const T* p = static_cast<const T*>(x) + r * x_stride;
    T* v = static_cast<T*>(values) + r * y_stride;
    int64_t* index = indices + r * y_stride;
    T best = p[0];
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++) {
      T next = p[i];
      if (replaces<e>(next, best)) {
        best = next;
        at = i;
      }
      v[i] = best;
      index[i] = at;
    }
  }
}

template <Extreme e, class T>
void scan_arg_cols(int64_t n, int64_t m, int64_t x_stride, const void* x, int64_t y_stride, void* values,
                   int64_t* indices) {
  for (int64_t j = 0; j < m && n > 0; j += kStrip) {
    int width = static_cast<int>(m - j < kStrip ? m - j : kStrip);
    T best[kStrip] = {};
    int64_t at[kStrip] = {};
    for (int k = 0; k < width; k++) best[k] = static_cast<const T*>(x)[j + k];
    for (int64_t i = 0; i < n; i++) {
      const T* p = static_cast<const T*>(x) + i * x_stride + j;
      T* v = static_cast<T*>(values) + i * y_stride + j;
      int64_t* index = indices + i * y_stride + j;
      for (int k = 0; k < width; k++) {
        T next = p[k];
        bool take = replaces<e>(next, best[k]);
        best[k] = take ? next : best[k];
        at[k] = take ? i : at[k];
        v[k] = best[k];
        index[k] = at[k];
      }
    }
  }
}

template <Scan op, class T>
void set(ReduceKernels& k, Compute c) {
  k.scan_rows[static_cast<int>(op)][static_cast<int>(c)] = scan_rows<op, T>;
  k.scan_cols[static_cast<int>(op)][static_cast<int>(c)] = scan_cols<op, T>;
}
template <Scan op>
void set_all(ReduceKernels& k) {
  set<op, float>(k, Compute::F32);
  set<op, double>(k, Compute::F64);
  set<op, int64_t>(k, Compute::I64);
  set<op, Complex<float>>(k, Compute::C64);
  set<op, Complex<double>>(k, Compute::C128);
}
template <Extreme e, class T>
void set_arg(ReduceKernels& k, Compute c) {
  k.scan_arg_rows[static_cast<int>(e)][static_cast<int>(c)] = scan_arg_rows<e, T>;
  k.scan_arg_cols[static_cast<int>(e)][static_cast<int>(c)] = scan_arg_cols<e, T>;
}

}  // namespace

void fill_scan(ReduceKernels& k) {
  set_all<Scan::CumSum>(k);
  set_all<Scan::CumProd>(k);
  set<Scan::LogCumSumExp, float>(k, Compute::F32);
  set<Scan::LogCumSumExp, double>(k, Compute::F64);
  set_arg<Extreme::Max, float>(k, Compute::F32);
  set_arg<Extreme::Max, double>(k, Compute::F64);
  set_arg<Extreme::Max, int64_t>(k, Compute::I64);
  set_arg<Extreme::Min, float>(k, Compute::F32);
  set_arg<Extreme::Min, double>(k, Compute::F64);
  set_arg<Extreme::Min, int64_t>(k, Compute::I64);
}

}  // namespace flambeau::FLAMBEAU_SET
