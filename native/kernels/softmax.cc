#include "kernels/softmax.h"

#include "kernels/rows.h"
#include "kernels/set.h"
#include "parallel/pool.h"
#include "simd/exp_log.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t kGrain = 8192;  // elements that are worth a second thread

// The largest element of a row. NaN may be passed over here; the sums that follow do not.
template <class T>
FLAMBEAU_INLINE T row_max(const T* x, int64_t n) {
  const T low = -static_cast<T>(__builtin_inf());
  Vec<T> top(low);
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
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
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
    const Vec<T> e = exp(get(x + i, count) - top);
    put(y + i, count, e);
    total += keep(e, count);
  });
  const Vec<T> scale(1 / sum(total));
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA { put(y + i, count, get(y + i, count) * scale); });
}

// x - max - log(sum(exp(x - max)))
template <class T>
void log_softmax_row(int64_t n, const T* x, T* y) {
  const Vec<T> top(row_max(x, n));
  Vec<T> total(0);
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA { total += keep(exp(get(x + i, count) - top), count); });
  const Vec<T> shift(log(Vec<T>(sum(total)))[0]);
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA { put(y + i, count, get(x + i, count) - top - shift); });
}

template <class T>
void softmax_backward_row(int64_t n, const T* gy, const T* y, T* gx) {
  Vec<T> total(0);
  each_vector<T>(
      n, [&](int64_t i, int count) FLAMBEAU_LAMBDA { total = fma(get(gy + i, count), get(y + i, count), total); });
  const Vec<T> dot(sum(total));
  each_vector<T>(n, [&](int64_t i, int count)
                        FLAMBEAU_LAMBDA { put(gx + i, count, get(y + i, count) * (get(gy + i, count) - dot)); });
}

template <class T>
void log_softmax_backward_row(int64_t n, const T* gy, const T* y, T* gx) {
  Vec<T> total(0);
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA { total += get(gy + i, count); });
  const Vec<T> all(sum(total));
  each_vector<T>(n, [&](int64_t i, int count)
                        FLAMBEAU_LAMBDA { put(gx + i, count, get(gy + i, count) - exp(get(y + i, count)) * all); });
}

template <class T>
using Forward = void (*)(int64_t, const T*, T*);
template <class T>
using Backward = void (*)(int64_t, const T*, const T*, T*);

template <class F>
void each_row(int64_t rows, int64_t n, const F& f) {
  if (n <= 0) return;
  parallel(0, rows, kGrain / n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) f(r * n);
  });
}

template <Forward<float> Row32, Forward<double> Row64>
void forward(DType type, int64_t rows, int64_t n, const void* x, void* y) {
  if (type == DType::F32) {
    each_row(rows, n, [&](int64_t i) { Row32(n, static_cast<const float*>(x) + i, static_cast<float*>(y) + i); });
  } else if (type == DType::F64) {
    each_row(rows, n, [&](int64_t i) { Row64(n, static_cast<const double*>(x) + i, static_cast<double*>(y) + i); });
  }
}

template <Backward<float> Row32, Backward<double> Row64>
void backward(DType type, int64_t rows, int64_t n, const void* gy, const void* y, void* gx) {
  if (type == DType::F32) {
    each_row(rows, n, [&](int64_t i) {
      Row32(n, static_cast<const float*>(gy) + i, static_cast<const float*>(y) + i, static_cast<float*>(gx) + i);
    });
  } else if (type == DType::F64) {
    each_row(rows, n, [&](int64_t i) {
      Row64(n, static_cast<const double*>(gy) + i, static_cast<const double*>(y) + i, static_cast<double*>(gx) + i);
    });
  }
}

}  // namespace

void fill(SoftmaxKernels& k) {
  k.softmax = forward<softmax_row<float>, softmax_row<double>>;
  k.log_softmax = forward<log_softmax_row<float>, log_softmax_row<double>>;
  k.softmax_backward = backward<softmax_backward_row<float>, softmax_backward_row<double>>;
  k.log_softmax_backward = backward<log_softmax_backward_row<float>, log_softmax_backward_row<double>>;
}

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
