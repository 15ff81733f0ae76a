#include "kernels/softmax.h"

#include "kernels/row_stream.h"
#include "kernels/set.h"
#include "parallel/pool.h"
#include "simd/exp_log.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t kGrain = 8192;  // elements that are worth a second thread
// A row up to this size is kept in the first-level cache until it is finished.
constexpr int64_t kRowBytes = 16 * 1024;

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
void softmax_row(int64_t n, const T* x, T* y, bool stream) {
  alignas(64) T room[kRowBytes / sizeof(T)];
  if (n * static_cast<int64_t>(sizeof(T)) > kRowBytes) stream = false;
  T* exps = stream ? room : y;
  const Vec<T> top(row_max(x, n));
  Vec<T> total(0);
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
    prefetch(x + n + i);  // the next row
    const Vec<T> e = exp(get(x + i, count) - top);
    put(exps + i, count, e);
    total += keep(e, count);
  });
  const Vec<T> scale(1 / sum(total));
  each_vector<T>(
      n, [&](int64_t i, int count) FLAMBEAU_LAMBDA { put(y + i, count, get(exps + i, count) * scale, stream); });
}

// x - max - log(sum(exp(x - max)))
template <class T>
void log_softmax_row(int64_t n, const T* x, T* y, bool stream) {
  const Vec<T> top(row_max(x, n));
  Vec<T> total(0);
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
    prefetch(x + n + i);
    total += keep(exp(get(x + i, count) - top), count);
  });
  const Vec<T> shift(log(Vec<T>(sum(total)))[0]);
  each_vector<T>(
      n, [&](int64_t i, int count) FLAMBEAU_LAMBDA { put(y + i, count, get(x + i, count) - top - shift, stream); });
}

template <class T>
void softmax_backward_row(int64_t n, const T* gy, const T* y, T* gx, bool stream) {
  Vec<T> total(0);
  each_vector<T>(
      n, [&](int64_t i, int count) FLAMBEAU_LAMBDA { total = fma(get(gy + i, count), get(y + i, count), total); });
  const Vec<T> dot(sum(total));
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
    put(gx + i, count, get(y + i, count) * (get(gy + i, count) - dot), stream);
  });
}

template <class T>
void log_softmax_backward_row(int64_t n, const T* gy, const T* y, T* gx, bool stream) {
  Vec<T> total(0);
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA { total += get(gy + i, count); });
  const Vec<T> all(sum(total));
  each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
    put(gx + i, count, get(gy + i, count) - exp(get(y + i, count)) * all, stream);
  });
}

template <class T>
using Forward = void (*)(int64_t, const T*, T*, bool);
template <class T>
using Backward = void (*)(int64_t, const T*, const T*, T*, bool);

// Calls f(start, stream) for the rows. What overwrites its operand finds it in a cache, and is not streamed.
template <class T, class F>
void each_row(int64_t rows, int64_t n, const T* in, const T* out, const F& f) {
  if (n <= 0) return;
  const bool stream = in != out && streams_runs(out, rows * n, n);
  parallel(0, rows, kGrain / n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) f(r * n, stream);
    if (stream) arch::stream_end();
  });
}

template <class T, Forward<T> Row>
void forward_as(int64_t rows, int64_t n, const void* in, void* out) {
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  each_row(rows, n, x, y, [&](int64_t i, bool stream) { Row(n, x + i, y + i, stream); });
}

template <class T, Backward<T> Row>
void backward_as(int64_t rows, int64_t n, const void* grad, const void* result, void* out) {
  const T *gy = static_cast<const T*>(grad), *y = static_cast<const T*>(result);
  T* gx = static_cast<T*>(out);
  each_row(rows, n, gy, gx, [&](int64_t i, bool stream) { Row(n, gy + i, y + i, gx + i, stream); });
}

template <Forward<float> Row32, Forward<double> Row64>
void forward(DType type, int64_t rows, int64_t n, const void* x, void* y) {
  if (type == DType::F32) {
    forward_as<float, Row32>(rows, n, x, y);
  } else if (type == DType::F64) {
    forward_as<double, Row64>(rows, n, x, y);
  }
}

template <Backward<float> Row32, Backward<double> Row64>
void backward(DType type, int64_t rows, int64_t n, const void* gy, const void* y, void* gx) {
  if (type == DType::F32) {
    backward_as<float, Row32>(rows, n, gy, y, gx);
  } else if (type == DType::F64) {
    backward_as<double, Row64>(rows, n, gy, y, gx);
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
