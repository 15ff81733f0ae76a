#include "kernels/softmax.h"

#include "kernels/set.h"
#include "parallel/pool.h"
#include "simd/exp_log.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t kGrain = 8192;  // elements that are worth a second thread

// Calls f(i, count) for the vectors of a row; count is below Vec::N in the last one only.
template <class T, class F>
FLAMBEAU_INLINE void each_vector(int64_t n, const F& f) {
  constexpr int N = Vec<T>::N;
  int64_t i = 0;
  for (; i + N <= n; i += N) f(i, N);
  if (i < n) f(i, static_cast<int>(n - i));
}

template <class T>
FLAMBEAU_INLINE Vec<T> get(const T* p, int count) {
  return count == Vec<T>::N ? Vec<T>::load(p) : Vec<T>::load(p, count);
}
template <class T>
FLAMBEAU_INLINE void put(T* p, int count, Vec<T> v) {
  if (count == Vec<T>::N) {
    v.store(p);
  } else {
    v.store(p, count);
  }
}
// v in the first count lanes, zero in the others.
template <class T>
FLAMBEAU_INLINE Vec<T> keep(Vec<T> v, int count) {
  return count == Vec<T>::N ? v : select(first_lanes<T>(count), v, Vec<T>(0));
}

// The largest element of a row; NaN may be passed over, which the sums that follow do not.
template <class T>
FLAMBEAU_INLINE T row_max(const T* x, int64_t n) {
  const T low = -static_cast<T>(__builtin_inf());
  Vec<T> top(low);
  each_vector<T>(n, [&](int64_t i, int count) {
    Vec<T> v = get(x + i, count);
    if (count < Vec<T>::N) v = select(first_lanes<T>(count), v, Vec<T>(low));
    top = max_second(v, top);
  });
  return max(top);
}

template <class T>
void softmax_row(int64_t n, const T* x, T* y) {
  const Vec<T> top(row_max(x, n));
  Vec<T> total(0);
  each_vector<T>(n, [&](int64_t i, int count) {
    const Vec<T> e = exp(get(x + i, count) - top);
    put(y + i, count, e);
    total += keep(e, count);
  });
  const Vec<T> scale(1 / sum(total));
  each_vector<T>(n, [&](int64_t i, int count) { put(y + i, count, get(y + i, count) * scale); });
}

// x - (max + log(sum(exp(x - max))))
template <class T>
void log_softmax_row(int64_t n, const T* x, T* y) {
  const T high = row_max(x, n);
  const Vec<T> top(high);
  Vec<T> total(0);
  each_vector<T>(n, [&](int64_t i, int count) { total += keep(exp(get(x + i, count) - top), count); });
  const Vec<T> shift(log(Vec<T>(sum(total)))[0]);
  each_vector<T>(n, [&](int64_t i, int count) { put(y + i, count, get(x + i, count) - top - shift); });
}

template <class T>
void softmax_backward_row(int64_t n, const T* gy, const T* y, T* gx) {
  Vec<T> total(0);
  each_vector<T>(n, [&](int64_t i, int count) { total = fma(get(gy + i, count), get(y + i, count), total); });
  const Vec<T> dot(sum(total));
  each_vector<T>(n, [&](int64_t i, int count) {
    put(gx + i, count, get(y + i, count) * (get(gy + i, count) - dot));
  });
}

template <class T>
void log_softmax_backward_row(int64_t n, const T* gy, const T* y, T* gx) {
  Vec<T> total(0);
  each_vector<T>(n, [&](int64_t i, int count) { total += get(gy + i, count); });
  const Vec<T> all(sum(total));
  each_vector<T>(n, [&](int64_t i, int count) {
    put(gx + i, count, get(gy + i, count) - exp(get(y + i, count)) * all);
  });
}

template <class F>
void each_row(int64_t rows, int64_t n, const F& f) {
  if (n <= 0) return;
  parallel(0, rows, kGrain / n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) f(r * n);
  });
}

// A table entry for both types from the function of a row.
#define FLAMBEAU_FORWARD(name)                                                            \
  void name(DType type, int64_t rows, int64_t n, const void* x, void* y) {                \
    each_row(rows, n, [&](int64_t at) {                                                   \
      if (type == DType::F32) {                                                           \
        name##_row(n, static_cast<const float*>(x) + at, static_cast<float*>(y) + at);    \
      } else {                                                                            \
        name##_row(n, static_cast<const double*>(x) + at, static_cast<double*>(y) + at);  \
      }                                                                                   \
    });                                                                                   \
  }
#define FLAMBEAU_BACKWARD(name)                                                                      \
  void name(DType type, int64_t rows, int64_t n, const void* gy, const void* y, void* gx) {          \
    each_row(rows, n, [&](int64_t at) {                                                              \
      if (type == DType::F32) {                                                                      \
        name##_row(n, static_cast<const float*>(gy) + at, static_cast<const float*>(y) + at,         \
                   static_cast<float*>(gx) + at);                                                    \
      } else {                                                                                       \
        name##_row(n, static_cast<const double*>(gy) + at, static_cast<const double*>(y) + at,       \
                   static_cast<double*>(gx) + at);                                                   \
      }                                                                                              \
    });                                                                                              \
  }
FLAMBEAU_FORWARD(softmax)
FLAMBEAU_FORWARD(log_softmax)
FLAMBEAU_BACKWARD(softmax_backward)
FLAMBEAU_BACKWARD(log_softmax_backward)
#undef FLAMBEAU_FORWARD
#undef FLAMBEAU_BACKWARD

}  // namespace

void fill(SoftmaxKernels& k) {
  k.softmax = softmax;
  k.log_softmax = log_softmax;
  k.softmax_backward = softmax_backward;
  k.log_softmax_backward = log_softmax_backward;
}

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
