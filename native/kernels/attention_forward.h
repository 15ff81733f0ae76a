// The forward pass of attention: a task is a run of queries of one head; keys pass by in blocks, and the softmax is
// corrected as larger scores turn up (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018).
#pragma once
#include "kernels/attention_tile.h"
#include "parallel/pool.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Queries of a task at most: their packed form and their results stay in the second cache, and a block of keys is
// packed anew for each task.
constexpr int64_t kForwardRows = 768;

inline int64_t forward_chunk(const AttentionArgs& a, int threads, int64_t step) {
  const int64_t heads = a.batch * a.heads;
  const int64_t wanted = threads == 1 ? 1 : (4 * threads + heads - 1) / heads;  // chunks a head
  int64_t chunk = (a.rows + wanted - 1) / wanted;
  const int64_t pieces = (chunk + kForwardRows - 1) / kForwardRows;
  chunk = (chunk + pieces - 1) / pieces;
  return padded(chunk < step ? step : chunk, step);
}

template <class T>
struct ForwardRoom {
  T *q, *out, *top, *total, *factor, *sum, *k, *v, *scores, *mask, *drop, *spare;
  int64_t bytes;

  ForwardRoom(const AttentionArgs& a, int64_t chunk, void* at) {
    constexpr int64_t C = kCols<T>, S = kStrip<T>;
    const int64_t rows = padded(chunk, S), wide = a.width > a.value_width ? a.width : a.value_width;
    Carve<T> room(at);
    q = room.take(rows * whole_panels<T>(a.width));
    out = room.take(rows * whole_panels<T>(a.value_width));
    top = room.take(rows);
    total = room.take(rows);
    factor = room.take(S);
    sum = room.take(S);
    k = room.take(kForwardKeys * a.width);
    v = room.take(kForwardKeys * whole_panels<T>(a.value_width));
    scores = room.take(S * kForwardStride);
    mask = room.take(kForwardKeys);
    drop = room.take(kForwardKeys);
    spare = room.take(C * wide);
    bytes = room.bytes();
  }
};

// The scores of one row, n of them, become weights exp(score - top). `top` grows to the largest score so far; returned
// are the weights' sum before dropout, and in `factor` the exponent that earlier weights must be multiplied by.
template <class T>
FLAMBEAU_INLINE T weigh_row(T* s, int64_t n, const T* mask, const T* drop, T& top, T& factor) {
  const T low = -static_cast<T>(__builtin_inf());
  Vec<T> most(low);
  each_vector<T>(n, [&](int64_t j, int count) FLAMBEAU_LAMBDA {
    Vec<T> x = get(s + j, count);
    if (mask) {
      x += get(mask + j, count);
      put(s + j, count, x);
    }
    if (count < Vec<T>::N) x = select(first_lanes<T>(count), x, Vec<T>(low));
    most = max_second(x, most);
  });
  const T found = max(most), before = top;
  if (found > top) top = found;
  const T shift = top == low ? T(0) : top;  // a row without any score so far has weights of zero, not NaN
  factor = before - shift;
  const Vec<T> minus(shift);
  Vec<T> sum0(0), sum1(0);
  constexpr int N = Vec<T>::N;
  int64_t j = 0;
  for (; j + 2 * N <= n; j += 2 * N) {
    Vec<T> x = exp(Vec<T>::load(s + j) - minus), y = exp(Vec<T>::load(s + j + N) - minus);
    sum0 += x;
    sum1 += y;
    if (drop) {
      x *= Vec<T>::load(drop + j);
      y *= Vec<T>::load(drop + j + N);
    }
    x.store(s + j);
    y.store(s + j + N);
  }
  each_vector<T>(n - j, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
    Vec<T> x = exp(get(s + j + i, count) - minus);
    sum0 += keep(x, count);
    if (drop) x *= get(drop + j + i, count);
    put(s + j + i, count, x);
  });
  return sum(sum0 + sum1);
}

template <class T>
void forward_task(const AttentionArgs& a, int64_t b, int64_t h, int64_t first, int64_t rows, const ForwardRoom<T>& r) {
  constexpr int64_t S = kStrip<T>, C = kCols<T>;
  const T low = -static_cast<T>(__builtin_inf());
  const AttentionOperand q = at_head(a.q, a.type, b, h), k = at_head(a.k, a.type, b, h / a.group),
                         v = at_head(a.v, a.type, b, h / a.group), mask = at_head(a.mask, a.mask_type, b, h);
  const int64_t room = padded(rows, S), out_width = whole_panels<T>(a.value_width);
  const Dropping<T> dropping(a.dropout);
  const int64_t plane = (b * a.heads + h) * a.rows;  // rows before this head's, for dropout

  pack_rows(r.q, a.type, q, first, rows, room, a.width, static_cast<T>(a.scale));
  for (int64_t i = 0; i < room; i++) {
    r.top[i] = low;
    r.total[i] = T(0);
  }
  const int64_t last = a.causal && first + rows < a.keys ? first + rows : a.keys;
  for (int64_t j0 = 0; j0 < last; j0 += kForwardKeys) {
    const int64_t block = last - j0 < kForwardKeys ? last - j0 : kForwardKeys;
    pack_columns(r.k, a.type, k, j0, block, a.width, r.spare);
    pack_rows(r.v, a.type, v, j0, block, kForwardKeys, a.value_width, T(1));
    const T* shared = a.mask.p && mask.row == 0 ? mask_row(a, mask, 0, j0, block, r.mask) : nullptr;
    for (int64_t i0 = 0; i0 < rows; i0 += S) {
      const int64_t strip = rows - i0 < S ? rows - i0 : S;
      // A strip of the triangle needs the keys up to its last row.
      int64_t n = block;
      if (a.causal && first + i0 + strip - j0 < n) n = first + i0 + strip - j0;
      if (n <= 0) continue;
      score_strip<T, kForwardStride>(strip, n, a.width, r.q + i0 * C, room * C, r.k, r.scores);
      for (int64_t i = 0; i < S; i++) {
        if (i >= strip) {
          r.factor[i] = r.sum[i] = T(0);
          continue;
        }
        T* s = r.scores + i * kForwardStride;
        const int64_t at = first + i0 + i;
        for (int64_t j = a.causal && at >= j0 ? at - j0 + 1 : a.causal ? 0 : n; j < n; j++) s[j] = low;
        const T* added = shared ? shared : a.mask.p ? mask_row(a, mask, at, j0, n, r.mask) : nullptr;
        if (a.dropout > 0) dropping.row(drop_key(a.seed, plane + at), j0, n, r.drop);
        r.sum[i] = weigh_row(s, n, added, a.dropout > 0 ? r.drop : nullptr, r.top[i0 + i], r.factor[i]);
      }
      each_vector<T>(S, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
        const Vec<T> factor = exp(get(r.factor + i, count));
        put(r.factor + i, count, factor);
        put(r.total + i0 + i, count, fma(get(r.total + i0 + i, count), factor, get(r.sum + i, count)));
      });
      product_strip<T, kForwardStride, 1>(strip, a.value_width, n, r.scores, r.v, kForwardKeys * C,
                                          r.out + i0 * out_width, out_width, r.factor, j0 == 0);
    }
  }

  const AttentionOperand out = at_head(a.out, a.out_type, b, h);
  T* lse = static_cast<T*>(a.lse) + plane + first;
  for (int64_t i = 0; i < rows; i++) {
    T* row = r.out + i * out_width;
    const T total = r.total[i];
    if (total == T(0)) {
      for (int64_t j = 0; j < a.value_width; j++) row[j] = T(0);
      lse[i] = -low;
    } else {
      lse[i] = r.top[i] + log(Vec<T>(total))[0];
    }
    write_row(a.out_type, out, first + i, a.value_width, row, total == T(0) ? T(0) : 1 / total);
  }
}

template <class T>
int64_t forward_room(const AttentionArgs& a, int threads) {
  return threads * ForwardRoom<T>(a, forward_chunk(a, threads, kStrip<T>), nullptr).bytes;
}

template <class T>
void forward(const AttentionArgs& a, int threads, void* room) {
  const int64_t chunk = forward_chunk(a, threads, kStrip<T>), chunks = (a.rows + chunk - 1) / chunk;
  const int64_t tasks = a.batch * a.heads * chunks;
  int64_t next = 0;
  parallel(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t lane = begin; lane < end; lane++) {
      const int64_t bytes = ForwardRoom<T>(a, chunk, nullptr).bytes;
      const ForwardRoom<T> own(a, chunk, static_cast<char*>(room) + lane * bytes);
      for (;;) {
        const int64_t task = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
        if (task >= tasks) break;
        // The last run of a head first: under the triangle it is the longest.
        const int64_t head = task / chunks, first = (chunks - 1 - task % chunks) * chunk;
        forward_task(a, head / a.heads, head % a.heads, first, a.rows - first < chunk ? a.rows - first : chunk, own);
      }
    }
  });
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
