// Layer norm and group norm: every row by its own statistics.
#pragma once
#include "kernels/norm.h"
#include "kernels/rows.h"
#include "parallel/pool.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t kNormGrain = 8192;  // elements that are worth a second thread

struct Moments {
  double mean, var;
};

// Mean and biased variance of `runs` runs of `length` elements, `step` apart, in two passes. The second one subtracts
// the mean as rounded to T; what the rounding lost is made good by sum((x - m)^2) / n = var + (mean - m)^2.
template <class T>
FLAMBEAU_INLINE Moments moments(const T* x, int64_t runs, int64_t step, int64_t length) {
  Total<T> sum;
  for (int64_t r = 0; r < runs; r++) {
    each_vector<T>(length, [&](int64_t i, int count) FLAMBEAU_LAMBDA { sum.add(get(x + r * step + i, count)); });
  }
  const double n = static_cast<double>(runs * length), mean = sum.value() / n;
  const T rounded = static_cast<T>(mean);
  const Vec<T> center(rounded);
  Total<T> squares;
  for (int64_t r = 0; r < runs; r++) {
    each_vector<T>(length, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
      const Vec<T> d = keep(get(x + r * step + i, count) - center, count);
      squares.add(d, d);
    });
  }
  const double lost = mean - static_cast<double>(rounded), var = squares.value() / n - lost * lost;
  return {mean, var < 0 ? 0 : var};
}

// y = (x - mean) * rstd * weight + bias with one weight and bias for all n elements.
template <class T>
FLAMBEAU_INLINE void normalize_run(int64_t n, const T* x, T mean, T rstd, T weight, T bias, T* y) {
  const Vec<T> center(mean), scale(rstd * weight), shift(bias);
  each_vector<T>(n, [&](int64_t i, int count)
                        FLAMBEAU_LAMBDA { put(y + i, count, fma(get(x + i, count) - center, scale, shift)); });
}

template <class T>
void row_forward_as(const RowNorm& s, const T* x, const T* weight, const T* bias, double eps, T* y, T* means,
                    T* rstds) {
  if (s.n <= 0) return;
  const int64_t channels = s.n / s.inner;
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
        normalize_run(s.n, in, mean, rstd, T(1), T(0), out);
      } else if (s.inner > 1) {
        for (int64_t c = 0; c < channels; c++) {
          normalize_run(s.inner, in + c * s.inner, mean, rstd, weight ? weight[first + c] : T(1),
                        bias ? bias[first + c] : T(0), out + c * s.inner);
        }
      } else {
        const Vec<T> center(mean), scale(rstd);
        each_vector<T>(s.n, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
          Vec<T> v = (get(in + i, count) - center) * scale;
          if (weight) v *= get(weight + first + i, count);
          if (bias) v += get(bias + first + i, count);
          put(out + i, count, v);
        });
      }
    }
  });
}

// With xhat = (x - mean) rstd and g = gy weight: gx = rstd (g - mean(g) - xhat mean(g xhat)).
template <class T>
void row_backward_input(const RowNorm& s, const T* gy, const T* x, const T* means, const T* rstds, const T* weight,
                        T* gx) {
  const int64_t channels = s.n / s.inner;
  parallel(0, s.rows, kNormGrain / s.n + 1, [&](int64_t begin, int64_t end) {
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
      }
      const Vec<T> mean_g(static_cast<T>(sum / n)), slope(static_cast<T>(dot * rstd * rstd / n)), scale(rstds[r]);
      for (int64_t c = 0; c < runs; c++) {
        const Vec<T> factor(by_run ? w[c] : T(1));
        each_vector<T>(length, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
          const int64_t at = c * length + i;
          const Vec<T> v = get(g + at, count) * (by_element ? get(w + i, count) : factor);
          put(out + at, count, (v - mean_g - (get(in + at, count) - center) * slope) * scale);
        });
      }
    }
  });
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
  // Columns: blocks of a few vectors, which keep their sums in registers while the rows pass by.
  constexpr int N = Vec<T>::N, kVectors = 4;
  const int64_t blocks = (channels + N * kVectors - 1) / (N * kVectors);
  const int64_t work = s.rows / s.groups * N * kVectors;
  parallel(0, s.groups * blocks, kNormGrain / (work + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) {
      const int64_t group = b / blocks, first = b % blocks * N * kVectors;
      Total<T> total[kVectors], product[kVectors];
      const int64_t width = channels - first < N * kVectors ? channels - first : N * kVectors;
      for (int64_t r = group; r < s.rows; r += s.groups) {
        const Vec<T> center(means[r]), scale(rstds[r]);
        const T *g = gy + r * s.n + first, *in = x + r * s.n + first;
        const auto column = [&](int v, int count) FLAMBEAU_LAMBDA {
          const Vec<T> value = get(g + v * N, count);
          total[v].add(value);
          product[v].add(value, keep((get(in + v * N, count) - center) * scale, count));
        };
        if (width == N * kVectors) {
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; v++) column(v, N);
        } else {
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; v++) {
            const int64_t left = width - v * N;
            if (left > 0) column(v, left < N ? static_cast<int>(left) : N);
          }
        }
      }
      double sums[N * kVectors], dots[N * kVectors];
      for (int v = 0; v < kVectors; v++) {
        total[v].lanes(sums + v * N);
        product[v].lanes(dots + v * N);
      }
      for (int64_t i = 0; i < width; i++) {
        if (gweight) gweight[group * channels + first + i] = static_cast<T>(dots[i]);
        if (gbias) gbias[group * channels + first + i] = static_cast<T>(sums[i]);
      }
    }
  });
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
