// Layer norm and group norm: every row by its own statistics.
#pragma once
#include "kernels/norm.h"
#include "kernels/row_stream.h"
#include "parallel/pool.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t kNormGrain = 8192;  // elements that are worth a second thread

struct Moments {
  double mean, var;
};

// Mean and biased variance of `runs` runs of `length` elements, `step` apart, in one pass but for the first elements,
// whose mean is taken away from all: it is at most some standard deviations off, so that nothing is lost.
template <class T>
FLAMBEAU_INLINE Moments moments(const T* x, int64_t runs, int64_t step, int64_t length) {
  constexpr int64_t kHead = 16 * Vec<T>::N;
  const int64_t part = length / 16 < kHead ? kHead : length / 16, head = length < part ? length : part;
  Total<T> first;
  each_vector<T>(head, [&](int64_t i, int count) FLAMBEAU_LAMBDA { first.add(get(x + i, count)); });
  const T guess = static_cast<T>(first.value() / static_cast<double>(head));
  const T shift = guess - guess == 0 ? guess : 0;  // neither infinite nor NaN
  const Vec<T> center(shift);
  Total<T> sum, squares;
  for (int64_t r = 0; r < runs; r++) {
    each_vector<T>(length, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
      const Vec<T> d = keep(get(x + r * step + i, count) - center, count);
      sum.add(d);
      squares.add(d, d);
    });
  }
  const double n = static_cast<double>(runs * length), off = sum.value() / n, var = squares.value() / n - off * off;
  return {static_cast<double>(shift) + off, var < 0 ? 0 : var};
}

// y = (x - mean) * rstd * weight + bias with one weight and bias for all n elements.
template <class T>
FLAMBEAU_INLINE void normalize_run(int64_t n, const T* x, T mean, T rstd, T weight, T bias, T* y, bool stream) {
  const Vec<T> center(mean), scale(rstd * weight), shift(bias);
  each_vector<T>(n, [&](int64_t i, int count)
                        FLAMBEAU_LAMBDA { put(y + i, count, fma(get(x + i, count) - center, scale, shift), stream); });
}

template <class T>
void row_forward_as(const RowNorm& s, const T* x, const T* weight, const T* bias, double eps, T* y, T* means,
                    T* rstds) {
  if (s.n <= 0) return;
  const int64_t channels = s.n / s.inner;
  const bool stream = streams_runs(y, s.rows * s.n, s.inner > 1 ? s.inner : s.n);
  parallel(0, s.rows, kNormGrain / s.n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const T* in = x + r * s.n;
      T* out = y + r * s.n;
      const Moments m = moments(in, 1, 0, s.n);
      const T mean = static_cast<T>(m.mean), rstd = static_cast<T>(1 / __builtin_sqrt(m.var + eps));
      if (means) means[r] = mean;
      if (rstds) rstds[r] = rstd;
      const int64_t first = r % s.groups * channels;
      if (!weight && !bias) {
        normalize_run(s.n, in, mean, rstd, T(1), T(0), out, stream);
      } else if (s.inner > 1) {
        for (int64_t c = 0; c < channels; c++) {
          normalize_run(s.inner, in + c * s.inner, mean, rstd, weight ? weight[first + c] : T(1),
                        bias ? bias[first + c] : T(0), out + c * s.inner, stream);
        }
      } else {
        const Vec<T> center(mean), scale(rstd);
        each_vector<T>(s.n, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
          prefetch(in + s.n + i);  // the next row
          Vec<T> v = (get(in + i, count) - center) * scale;
          if (weight) v *= get(weight + first + i, count);
          if (bias) v += get(bias + first + i, count);
          put(out + i, count, v, stream);
        });
      }
    }
    if (stream) arch::stream_end();
  });
}

// Sums of gy and of gy xhat for the channels of a group.
struct AffineSums {
  double* gy;
  double* product;
};

// With xhat = (x - mean) rstd and g = gy weight: gx = rstd (g - mean(g) - xhat mean(g xhat)). Rows `begin` to `end`.
// Where a channel is a run, its sums fall off on the way: they are added to `sums` if there are any.
template <class T>
void input_gradients(const RowNorm& s, int64_t begin, int64_t end, const T* gy, const T* x, const T* means,
                     const T* rstds, const T* weight, T* gx, bool stream, AffineSums sums = {}) {
  const int64_t channels = s.n / s.inner;
  for (int64_t r = begin; r < end; r++) {
    const T *g = gy + r * s.n, *in = x + r * s.n;
    T* out = gx + r * s.n;
    const T* w = weight ? weight + r % s.groups * channels : nullptr;
    const Vec<T> center(means[r]);
    const double rstd = static_cast<double>(rstds[r]), n = static_cast<double>(s.n);
    double sum = 0, dot = 0;  // of g, and of g (x - mean)
    const bool by_run = w && s.inner > 1, by_element = w && !by_run;
    const int64_t runs = by_run ? channels : 1, length = s.n / runs;
    for (int64_t c = 0; c < runs; c++) {
      Total<T> total, product;
      each_vector<T>(length, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
        Vec<T> v = get(g + c * length + i, count);
        if (by_element) v *= get(w + i, count);
        total.add(v);
        product.add(v, keep(get(in + c * length + i, count) - center, count));
      });
      const double factor = by_run ? static_cast<double>(w[c]) : 1;
      sum += total.value() * factor;
      dot += product.value() * factor;
      if (by_run && sums.gy) {
        sums.gy[c] += total.value();
        sums.product[c] += product.value() * rstd;
      }
    }
    const Vec<T> mean_g(static_cast<T>(sum / n)), slope(static_cast<T>(dot * rstd * rstd / n)), scale(rstds[r]);
    for (int64_t c = 0; c < runs; c++) {
      const Vec<T> factor(by_run ? w[c] : T(1));
      each_vector<T>(length, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
        const int64_t at = c * length + i;
        const Vec<T> v = get(g + at, count) * (by_element ? get(w + i, count) : factor);
        put(out + at, count, (v - mean_g - (get(in + at, count) - center) * slope) * scale, stream);
      });
    }
  }
}

template <class T>
bool input_streams(const RowNorm& s, const T* gx) {
  return streams_runs(gx, s.rows * s.n, s.inner > 1 ? s.inner : s.n);
}

template <class T>
void row_backward_input(const RowNorm& s, const T* gy, const T* x, const T* means, const T* rstds, const T* weight,
                        T* gx) {
  const bool stream = input_streams(s, gx);
  parallel(0, s.rows, kNormGrain / s.n + 1, [&](int64_t begin, int64_t end) {
    input_gradients(s, begin, end, gy, x, means, rstds, weight, gx, stream);
    if (stream) arch::stream_end();
  });
}

constexpr int64_t kAffineColumns = 512;

// Adds gy and gy xhat of the rows r, r + groups ... (kRows of them), columns `first` to `first` + width, to their sums.
template <int kRows, class T>
FLAMBEAU_INLINE void add_rows(const RowNorm& s, int64_t r, int64_t first, int64_t width, const T* gy, const T* x,
                              const T* means, const T* rstds, Total<T>* total, Total<T>* product) {
  Vec<T> center[kRows], scale[kRows];
  const T *g[kRows], *in[kRows];
  for (int k = 0; k < kRows; k++) {
    const int64_t row = r + k * s.groups;
    center[k] = Vec<T>(means[row]);
    scale[k] = Vec<T>(rstds[row]);
    g[k] = gy + row * s.n + first;
    in[k] = x + row * s.n + first;
  }
  each_vector<T>(width, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
    Total<T> sum = total[i / Vec<T>::N], dot = product[i / Vec<T>::N];
    FLAMBEAU_UNROLL(4)
    for (int k = 0; k < kRows; k++) {
      const Vec<T> value = get(g[k] + i, count);
      sum.add(value);
      dot.add(value, keep((get(in[k] + i, count) - center[k]) * scale[k], count));
    }
    total[i / Vec<T>::N] = sum;
    product[i / Vec<T>::N] = dot;
  });
}

// Stores the sums of `width` channels.
template <class T>
void store_affine(int64_t width, const Total<T>* total, const Total<T>* product, T* gweight, T* gbias) {
  constexpr int N = Vec<T>::N;
  for (int64_t v = 0; v * N < width; v++) {
    double sums[N], dots[N];
    total[v].lanes(sums);
    product[v].lanes(dots);
    for (int64_t i = 0; i < N && v * N + i < width; i++) {
      if (gweight) gweight[v * N + i] = static_cast<T>(dots[i]);
      if (gbias) gbias[v * N + i] = static_cast<T>(sums[i]);
    }
  }
}

// gweight = sum of gy xhat and gbias = sum of gy over the rows of a group, channel by channel.
template <class T>
void row_backward_affine(const RowNorm& s, const T* gy, const T* x, const T* means, const T* rstds, T* gweight,
                         T* gbias) {
  const int64_t channels = s.n / s.inner;
  if (s.inner > 1) {
    const int64_t work = s.rows / s.groups * s.inner;
    parallel(0, s.groups * channels, kNormGrain / (work + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; c++) {
        double sum = 0, dot = 0;
        for (int64_t r = c / channels; r < s.rows; r += s.groups) {
          const int64_t at = r * s.n + c % channels * s.inner;
          const Vec<T> center(means[r]);
          Total<T> total, product;
          each_vector<T>(s.inner, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
            const Vec<T> v = get(gy + at + i, count);
            total.add(v);
            product.add(v, keep(get(x + at + i, count) - center, count));
          });
          sum += total.value();
          dot += product.value() * static_cast<double>(rstds[r]);
        }
        if (gweight) gweight[c] = static_cast<T>(dot);
        if (gbias) gbias[c] = static_cast<T>(sum);
      }
    });
    return;
  }
  // Columns: blocks that are wide enough to be read as runs, and narrow enough that every thread has some. Their sums
  // stay in the first-level cache; four rows at a time are added to them. A column's sum does not depend on the blocks.
  constexpr int N = Vec<T>::N;
  const int64_t share = channels / (4 * num_threads()) / N * N;
  const int64_t wide = share < 4 * N ? 4 * N : share > kAffineColumns ? kAffineColumns : share;
  const int64_t blocks = (channels + wide - 1) / wide;
  parallel(0, s.groups * blocks, kNormGrain / (s.rows / s.groups * wide + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) {
      const int64_t group = b / blocks, first = b % blocks * wide;
      const int64_t width = channels - first < wide ? channels - first : wide;
      Total<T> total[kAffineColumns / N], product[kAffineColumns / N];
      for (int64_t v = 0; v * N < width; v++) total[v] = product[v] = Total<T>{};
      int64_t r = group;
      for (; r + 3 * s.groups < s.rows; r += 4 * s.groups)
        add_rows<4>(s, r, first, width, gy, x, means, rstds, total, product);
      for (; r < s.rows; r += s.groups) add_rows<1>(s, r, first, width, gy, x, means, rstds, total, product);
      const int64_t at = group * channels + first;
      store_affine(width, total, product, gweight ? gweight + at : nullptr, gbias ? gbias + at : nullptr);
    }
  });
}

// A second look at what was read finds it in the second-level cache.
constexpr int64_t kJoinedColumns = 1024, kJoinedBytes = 128 * 1024;

// All gradients of a group norm, each element read twice at most: a group of channels at a time.
template <class T>
void row_backward_by_groups(const RowNorm& s, const T* gy, const T* x, const T* means, const T* rstds, const T* weight,
                            T* gx, T* gweight, T* gbias) {
  const int64_t channels = s.n / s.inner;
  const bool stream = input_streams(s, gx);
  parallel(0, s.groups, kNormGrain / (s.rows / s.groups * s.n) + 1, [&](int64_t begin, int64_t end) {
    double total[kJoinedColumns], product[kJoinedColumns];
    for (int64_t group = begin; group < end; group++) {
      for (int64_t c = 0; c < channels; c++) total[c] = product[c] = 0;
      for (int64_t r = group; r < s.rows; r += s.groups)
        input_gradients(s, r, r + 1, gy, x, means, rstds, weight, gx, stream, {total, product});
      for (int64_t c = 0; c < channels; c++) {
        if (gweight) gweight[group * channels + c] = static_cast<T>(product[c]);
        if (gbias) gbias[group * channels + c] = static_cast<T>(total[c]);
      }
    }
    if (stream) arch::stream_end();
  });
}

template <class T>
bool joined_by_groups(const RowNorm& s, const T* weight) {
  return weight && s.inner > 1 && s.n / s.inner <= kJoinedColumns && s.groups >= num_threads();
}
template <class T>
bool joined(const RowNorm& s) {
  return s.groups == 1 && s.inner == 1 && s.n <= kJoinedColumns && num_threads() == 1;
}

// All gradients of a layer norm on one thread: a few rows at a time, which the second look finds in the second-level
// cache. Sums as row_backward_affine does, row by row.
template <class T>
void row_backward_joined(const RowNorm& s, const T* gy, const T* x, const T* means, const T* rstds, const T* weight,
                         T* gx, T* gweight, T* gbias) {
  constexpr int N = Vec<T>::N;
  const bool stream = input_streams(s, gx);
  Total<T> total[kJoinedColumns / N], product[kJoinedColumns / N];
  const int64_t block = (kJoinedBytes / (2 * static_cast<int64_t>(sizeof(T)) * s.n) + 3) / 4 * 4;
  for (int64_t begin = 0; begin < s.rows; begin += block) {
    const int64_t end = begin + block < s.rows ? begin + block : s.rows;
    input_gradients(s, begin, end, gy, x, means, rstds, weight, gx, stream);
    int64_t r = begin;
    for (; r + 4 <= end; r += 4) add_rows<4>(s, r, 0, s.n, gy, x, means, rstds, total, product);
    for (; r < end; r++) add_rows<1>(s, r, 0, s.n, gy, x, means, rstds, total, product);
  }
  if (stream) arch::stream_end();
  store_affine(s.n, total, product, gweight, gbias);
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
