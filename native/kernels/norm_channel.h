// Batch norm: statistics of a channel over the batch and all positions.
#pragma once
#include "kernels/norm_row.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// [n, c] (l = 1) goes column by column: f(first, width) for blocks of at most kBlock columns.
template <class T>
constexpr int kColumns = 4 * Vec<T>::N;

template <class T, class F>
void each_columns(const ChannelNorm& s, const F& f) {
  const int64_t blocks = (s.c + kColumns<T> - 1) / kColumns<T>;
  parallel(0, blocks, kNormGrain / (s.n * kColumns<T> + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) {
      const int64_t first = b * kColumns<T>;
      f(first, s.c - first < kColumns<T> ? s.c - first : kColumns<T>);
    }
  });
}

// Sums over n of what `term` adds for every vector of columns: term(total, i, column, count), where the vector starts
// at `column` of the block. The sums of all lanes go to out, which has room for kColumns.
template <class T, class F>
FLAMBEAU_INLINE void sum_columns(int64_t n, int64_t width, const F& term, double* out) {
  constexpr int N = Vec<T>::N;
  Total<T> totals[4];
  for (int64_t i = 0; i < n; i++) {
    if (width == kColumns<T>) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; v++) term(totals[v], i, v * N, N);
    } else {
#pragma GCC unroll 4
      for (int v = 0; v < 4; v++) {
        const int64_t left = width - v * N;
        if (left > 0) term(totals[v], i, v * N, left < N ? static_cast<int>(left) : N);
      }
    }
  }
  for (int v = 0; v < 4; v++) totals[v].lanes(out + v * N);
}

// So many channels at a time have their sums in the first-level cache.
constexpr int64_t kChannels = 64;

// Mean and biased variance of channels `first` to `first` + count (at most kChannels), in one pass but for the first
// run of each, whose mean its elements are taken from. It goes through memory in order: the runs of a channel are often
// a power of two apart, and drive each other out of a cache before a second pass comes.
template <class T>
void channel_moments(const ChannelNorm& s, int64_t first, int64_t count, const T* x, T* mean, T* var) {
  Total<T> sums[kChannels], squares[kChannels];
  T shifts[kChannels];
  for (int64_t r = 0; r < s.n; r++) {
    for (int64_t c = 0; c < count; c++) {
      const T* in = x + (r * s.c + first + c) * s.l;
      if (r == 0) {
        Total<T> run;
        each_vector<T>(s.l, [&](int64_t i, int lanes) FLAMBEAU_LAMBDA { run.add(get(in + i, lanes)); });
        const T shift = static_cast<T>(run.value() / static_cast<double>(s.l));
        shifts[c] = shift - shift == 0 ? shift : 0;  // neither infinite nor NaN
      }
      const Vec<T> center(shifts[c]);
      Total<T> sum = sums[c], square = squares[c];
      each_vector<T>(s.l, [&](int64_t i, int lanes) FLAMBEAU_LAMBDA {
        const Vec<T> d = keep(get(in + i, lanes) - center, lanes);
        sum.add(d);
        square.add(d, d);
      });
      sums[c] = sum;
      squares[c] = square;
    }
  }
  const double n = static_cast<double>(s.n * s.l);
  for (int64_t c = 0; c < count; c++) {
    const double off = sums[c].value() / n, v = squares[c].value() / n - off * off;
    mean[first + c] = static_cast<T>(static_cast<double>(shifts[c]) + off);
    var[first + c] = static_cast<T>(v < 0 ? 0 : v);
  }
}

template <class T>
void channel_stats_as(const ChannelNorm& s, const T* x, T* mean, T* var) {
  if (s.l == 1) {
    each_columns<T>(s, [&](int64_t first, int64_t width) {
      alignas(64) double sums[kColumns<T>], squares[kColumns<T>];
      alignas(64) T centers[kColumns<T>] = {};
      const T* in = x + first;
      sum_columns<T>(
          s.n, width,
          [&](Total<T>& t, int64_t i, int at, int count) FLAMBEAU_LAMBDA { t.add(get(in + i * s.c + at, count)); },
          sums);
      for (int64_t i = 0; i < width; i++) centers[i] = static_cast<T>(sums[i] / static_cast<double>(s.n));
      sum_columns<T>(
          s.n, width,
          [&](Total<T>& t, int64_t i, int at, int count) FLAMBEAU_LAMBDA {
            const Vec<T> d = keep(get(in + i * s.c + at, count) - Vec<T>::load(centers + at), count);
            t.add(d, d);
          },
          squares);
      for (int64_t i = 0; i < width; i++) {
        const double n = static_cast<double>(s.n), lost = sums[i] / n - static_cast<double>(centers[i]);
        const double v = squares[i] / n - lost * lost;
        mean[first + i] = centers[i];
        var[first + i] = static_cast<T>(v < 0 ? 0 : v);
      }
    });
    return;
  }
  parallel(0, s.c, kNormGrain / (s.n * s.l + 1) + 1, [&](int64_t begin, int64_t end) {
    if (s.n > 1 && s.l > 0) {
      for (int64_t c = begin; c < end; c += kChannels)
        channel_moments(s, c, end - c < kChannels ? end - c : kChannels, x, mean, var);
      return;
    }
    for (int64_t c = begin; c < end; c++) {
      const Moments m = moments(x + c * s.l, s.n, s.c * s.l, s.l);
      mean[c] = static_cast<T>(m.mean);
      var[c] = static_cast<T>(m.var);
    }
  });
}

template <class T>
void channel_affine_as(const ChannelNorm& s, const T* x, const T* scale, const T* shift, T* y) {
  if (s.l == 1) {
    parallel(0, s.n, kNormGrain / (s.c + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        each_vector<T>(s.c, [&](int64_t j, int count) FLAMBEAU_LAMBDA {
          put(y + i * s.c + j, count, fma(get(x + i * s.c + j, count), get(scale + j, count), get(shift + j, count)));
        });
      }
    });
    return;
  }
  const bool stream = streams_runs(y, s.n * s.c * s.l, s.l);
  parallel(0, s.n * s.c, kNormGrain / (s.l + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const Vec<T> a(scale[i % s.c]), b(shift[i % s.c]);
      each_vector<T>(s.l, [&](int64_t j, int count) FLAMBEAU_LAMBDA {
        put(y + i * s.l + j, count, fma(get(x + i * s.l + j, count), a, b), stream);
      });
    }
    if (stream) arch::stream_end();
  });
}

// What a channel's gx is made of: gx = (gy - mean_g - (x - mean) slope) scale.
struct Slopes {
  double mean_g, slope, scale;
};

// From sum = sum of gy and dot = sum of gy (x - mean) over `count` elements.
template <class T>
FLAMBEAU_INLINE Slopes slopes(bool training, double sum, double dot, int64_t count, T invstd, const T* weight,
                              int64_t c) {
  const double r = static_cast<double>(invstd), scale = weight ? r * static_cast<double>(weight[c]) : r;
  if (!training) return {0, 0, scale};
  const double n = static_cast<double>(count);
  return {sum / n, dot * r * r / n, scale};
}

template <class T>
FLAMBEAU_INLINE void channel_gradients(int64_t c, double sum, double dot, T invstd, T* gweight, T* gbias) {
  if (gweight) gweight[c] = static_cast<T>(dot * static_cast<double>(invstd));
  if (gbias) gbias[c] = static_cast<T>(sum);
}

template <class T>
void channel_backward_columns(const ChannelNorm& s, bool training, const T* gy, const T* x, const T* mean,
                              const T* invstd, const T* weight, T* gx, T* gweight, T* gbias) {
  each_columns<T>(s, [&](int64_t first, int64_t width) {
    alignas(64) double sums[kColumns<T>], dots[kColumns<T>];
    alignas(64) T centers[kColumns<T>] = {}, means[kColumns<T>] = {}, factors[kColumns<T>] = {},
                  scales[kColumns<T>] = {};
    const T *g = gy + first, *in = x + first;
    for (int64_t i = 0; i < width; i++) centers[i] = mean[first + i];
    sum_columns<T>(
        s.n, width,
        [&](Total<T>& t, int64_t i, int at, int count) FLAMBEAU_LAMBDA { t.add(get(g + i * s.c + at, count)); }, sums);
    sum_columns<T>(
        s.n, width,
        [&](Total<T>& t, int64_t i, int at, int count) FLAMBEAU_LAMBDA {
          t.add(get(g + i * s.c + at, count), keep(get(in + i * s.c + at, count) - Vec<T>::load(centers + at), count));
        },
        dots);
    for (int64_t i = 0; i < width; i++) {
      const int64_t c = first + i;
      channel_gradients(c, sums[i], dots[i], invstd[c], gweight, gbias);
      const Slopes k = slopes(training, sums[i], dots[i], s.n, invstd[c], weight, c);
      means[i] = static_cast<T>(k.mean_g);
      factors[i] = static_cast<T>(k.slope);
      scales[i] = static_cast<T>(k.scale);
    }
    if (!gx) return;
    for (int64_t i = 0; i < s.n; i++) {
      each_vector<T>(width, [&](int64_t j, int count) FLAMBEAU_LAMBDA {
        const int64_t at = i * s.c + j;
        if (!training) return put(gx + first + at, count, get(g + at, count) * Vec<T>::load(scales + j));
        const Vec<T> d = get(in + at, count) - Vec<T>::load(centers + j);
        const Vec<T> v = get(g + at, count) - Vec<T>::load(means + j) - d * Vec<T>::load(factors + j);
        put(gx + first + at, count, v * Vec<T>::load(scales + j));
      });
    }
  });
}

// How many channels are looked at twice, one pair of passes after the other: as many as a second-level cache holds, or,
// where it does not even hold one, so many that memory is walked in order.
template <class T>
int64_t channels_at_once(const ChannelNorm& s) {
  constexpr int64_t kCached = 512 * 1024;
  const int64_t fit = kCached / (2 * static_cast<int64_t>(sizeof(T)) * s.n * s.l + 1);
  return fit < 1 || fit > kChannels ? kChannels : fit;
}

// The gradients of channels `first` to `first` + count, at most kChannels.
template <class T>
void channel_gradients_of(const ChannelNorm& s, int64_t first, int64_t count, bool training, const T* gy, const T* x,
                          const T* mean, const T* invstd, const T* weight, T* gx, T* gweight, T* gbias, bool stream) {
  Total<T> totals[kChannels], products[kChannels];
  T mean_gs[kChannels], factors[kChannels], scales[kChannels];
  if (training || gweight || gbias) {
    for (int64_t i = 0; i < s.n; i++) {
      for (int64_t c = 0; c < count; c++) {
        const int64_t at = (i * s.c + first + c) * s.l;
        const Vec<T> center(mean[first + c]);
        Total<T> total = totals[c], product = products[c];
        each_vector<T>(s.l, [&](int64_t j, int lanes) FLAMBEAU_LAMBDA {
          const Vec<T> v = get(gy + at + j, lanes);
          total.add(v);
          product.add(v, keep(get(x + at + j, lanes) - center, lanes));
        });
        totals[c] = total;
        products[c] = product;
      }
    }
  }
  for (int64_t c = 0; c < count; c++) {
    const double sum = totals[c].value(), dot = products[c].value();
    channel_gradients(first + c, sum, dot, invstd[first + c], gweight, gbias);
    const Slopes k = slopes(training, sum, dot, s.n * s.l, invstd[first + c], weight, first + c);
    mean_gs[c] = static_cast<T>(k.mean_g);
    factors[c] = static_cast<T>(k.slope);
    scales[c] = static_cast<T>(k.scale);
  }
  if (!gx) return;
  for (int64_t i = 0; i < s.n; i++) {
    for (int64_t c = 0; c < count; c++) {
      const int64_t at = (i * s.c + first + c) * s.l;
      const Vec<T> center(mean[first + c]), mean_g(mean_gs[c]), slope(factors[c]), scale(scales[c]);
      each_vector<T>(s.l, [&](int64_t j, int lanes) FLAMBEAU_LAMBDA {
        if (!training) return put(gx + at + j, lanes, get(gy + at + j, lanes) * scale, stream);
        const Vec<T> v = get(gy + at + j, lanes) - mean_g - (get(x + at + j, lanes) - center) * slope;
        put(gx + at + j, lanes, v * scale, stream);
      });
    }
  }
}

template <class T>
void channel_backward_as(const ChannelNorm& s, bool training, const T* gy, const T* x, const T* mean, const T* invstd,
                         const T* weight, T* gx, T* gweight, T* gbias) {
  if (s.l == 1) {
    return channel_backward_columns(s, training, gy, x, mean, invstd, weight, gx, gweight, gbias);
  }
  const bool stream = gx && streams_runs(gx, s.n * s.c * s.l, s.l);
  const int64_t together = channels_at_once<T>(s);
  parallel(0, s.c, kNormGrain / (s.n * s.l + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c += together) {
      const int64_t count = end - c < together ? end - c : together;
      channel_gradients_of(s, c, count, training, gy, x, mean, invstd, weight, gx, gweight, gbias, stream);
    }
    if (stream) arch::stream_end();
  });
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
