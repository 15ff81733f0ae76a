// The backward pass of attention. A task is one head of keys and values, or a share of its keys where there are more
// threads than heads; for every block of keys the queries pass by, and with P = exp(scores - lse), recomputed:
//   dV = P^T dO,  dS = P * (dO V^T - delta),  dK = dS^T Q,  dQ += dS K,  delta = rowsum(dO * O).
#pragma once
#include "kernels/attention_tile.h"
#include "parallel/pool.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Queries of a block at most, a multiple of every tile's height.
constexpr int64_t kBackwardRows = 144;

// How the work is cut: `shares` of the key blocks of each key head.
struct BackwardPlan {
  int64_t key_heads, block_keys, blocks, shares, block_rows;
  bool sums_keys;  // several query heads add to the gradients of one key head

  BackwardPlan(const AttentionArgs& a, int threads, int64_t strip, int64_t panel) {
    key_heads = a.batch * (a.heads / a.group);
    const int64_t key_pieces = (a.keys + kBackwardKeys - 1) / kBackwardKeys;
    block_keys = padded((a.keys + key_pieces - 1) / key_pieces, panel);
    blocks = (a.keys + block_keys - 1) / block_keys;
    shares = key_heads >= threads ? 1 : (threads + key_heads - 1) / key_heads;
    if (shares > blocks) shares = blocks;
    const int64_t pieces = (a.rows + kBackwardRows - 1) / kBackwardRows;
    block_rows = padded((a.rows + pieces - 1) / pieces, strip);
    sums_keys = a.group > 1;
  }
};

template <class T>
struct BackwardRoom {
  T *q, *g, *gq, *delta, *k, *kt, *vt, *gk, *gv, *p, *ds, *mask, *drop, *spare;
  int64_t bytes;

  BackwardRoom(const AttentionArgs& a, const BackwardPlan& plan, void* at) {
    constexpr int64_t C = kCols<T>, S = kStrip<T>;
    const int64_t wide = a.width > a.value_width ? a.width : a.value_width;
    const int64_t w = whole_panels<T>(a.width), vw = whole_panels<T>(a.value_width);
    const int64_t rows = padded(plan.block_rows, S), all = padded(a.rows, S);
    const int64_t keys = (plan.sums_keys ? plan.blocks : 1) * kBackwardKeys;
    Carve<T> room(at);
    q = room.take(rows * w);
    g = room.take(rows * vw);
    gq = room.take(plan.shares == 1 ? all * w : 0);
    delta = room.take(all);
    k = room.take(kBackwardKeys * w);
    kt = room.take(kBackwardKeys * a.width);
    vt = room.take(kBackwardKeys * a.value_width);
    gk = room.take(keys * w);
    gv = room.take(keys * vw);
    p = room.take(rows * kBackwardStride);
    ds = room.take(rows * kBackwardStride);
    mask = room.take(kBackwardKeys);
    drop = room.take(kBackwardKeys);
    spare = room.take(C * wide);
    bytes = room.bytes();
  }
};

// One row: p holds the scores and becomes the weights (with dropout), ds holds dO V^T and becomes dS.
template <class T>
FLAMBEAU_INLINE void differentiate_row(T* p, T* ds, int64_t n, const T* mask, const T* drop, T lse, T delta) {
  const Vec<T> minus(lse), shift(delta);
  each_vector<T>(n, [&](int64_t j, int count) FLAMBEAU_LAMBDA {
    Vec<T> x = get(p + j, count), d = get(ds + j, count);
    if (mask) x += get(mask + j, count);
    x = exp(x - minus);
    if (drop) {
      const Vec<T> f = get(drop + j, count);
      d *= f;
      put(ds + j, count, x * (d - shift));
      put(p + j, count, x * f);
    } else {
      put(ds + j, count, x * (d - shift));
      put(p + j, count, x);
    }
  });
}

template <class T>
class BackwardTask {
 public:
  BackwardTask(const AttentionArgs& args, const AttentionGradients& gradients, const BackwardPlan& plan,
               const BackwardRoom<T>& room)
      : a(args), g(gradients), plan(plan), r(room), dropping(args.dropout) {}

  // Key blocks [first, last) of key head kh for all query heads that share it. sums: where the gradient of the query is
  // summed up, [group][rows, width], or null for this thread's own memory, from which it is written at the end.
  void run(int64_t b, int64_t kh, int64_t first, int64_t last, T* sums) {
    const int64_t w = whole_panels<T>(a.width), all = padded(a.rows, kStrip<T>);
    for (int64_t member = 0; member < a.group; member++) {
      const int64_t h = kh * a.group + member;
      T* gq = sums ? sums + member * all * w : r.gq;
      __builtin_memset(gq, 0, static_cast<size_t>(all * w) * sizeof(T));
      find_deltas(b, h);
      for (int64_t block = first; block < last; block++) run_block(b, h, block * plan.block_keys, member, gq);
      if (!sums) write_query(b, h, 0, a.rows, gq);
    }
  }

  // gq: rows [first, first + n) of the sums, unscaled.
  void write_query(int64_t b, int64_t h, int64_t first, int64_t n, T* gq) const {
    const AttentionOperand out = at_head(g.q, a.type, b, h);
    const int64_t w = whole_panels<T>(a.width);
    for (int64_t i = 0; i < n; i++) write_row(a.type, out, first + i, a.width, gq + i * w, static_cast<T>(a.scale));
  }

 private:
  void find_deltas(int64_t b, int64_t h) {
    const AttentionOperand x = at_head(g.out, a.type, b, h), y = at_head(a.out, a.out_type, b, h);
    T* left = r.spare;
    constexpr int64_t C = kCols<T>;
    for (int64_t i = 0; i < a.rows; i++) {
      Vec<T> sum_(0);
      for (int64_t c = 0; c < a.value_width; c += C / 2) {
        const int64_t n = a.value_width - c < C / 2 ? a.value_width - c : C / 2;
        fetch_row(a.type, x, i, c, n, left);
        fetch_row(a.out_type, y, i, c, n, left + C / 2);
        each_vector<T>(n, [&](int64_t j, int count) FLAMBEAU_LAMBDA {
          sum_ = fma(get(left + j, count), get(left + C / 2 + j, count), sum_);
        });
      }
      r.delta[i] = sum(sum_);
    }
  }

  void run_block(int64_t b, int64_t h, int64_t j0, int64_t member, T* gq) {
    constexpr int64_t C = kCols<T>;
    const int64_t kh = h / a.group, n = a.keys - j0 < plan.block_keys ? a.keys - j0 : plan.block_keys;
    const int64_t w = whole_panels<T>(a.width), vw = whole_panels<T>(a.value_width);
    const AttentionOperand k = at_head(a.k, a.type, b, kh), v = at_head(a.v, a.type, b, kh);
    // Every block has rows of its own: the last tile of one writes a few rows too many.
    const int64_t at = plan.sums_keys ? j0 / plan.block_keys * kBackwardKeys : 0;
    T* gk = r.gk + at * w;
    T* gv = r.gv + at * vw;
    if (member == 0) {
      __builtin_memset(gk, 0, static_cast<size_t>(n * w) * sizeof(T));
      __builtin_memset(gv, 0, static_cast<size_t>(n * vw) * sizeof(T));
    }
    pack_rows(r.k, a.type, k, j0, n, kBackwardKeys, a.width, T(1));
    pack_columns(r.kt, a.type, k, j0, n, a.width, r.spare);
    pack_columns(r.vt, a.type, v, j0, n, a.value_width, r.spare);
    const AttentionOperand q = at_head(a.q, a.type, b, h), gout = at_head(g.out, a.type, b, h);
    const AttentionOperand mask = at_head(a.mask, a.mask_type, b, h);
    const T* shared = a.mask.p && mask.row == 0 ? mask_row(a, mask, 0, j0, n, r.mask) : nullptr;
    const int64_t room = padded(plan.block_rows, kStrip<T>);
    for (int64_t i0 = a.causal ? j0 / plan.block_rows * plan.block_rows : 0; i0 < a.rows; i0 += plan.block_rows) {
      const int64_t rows = a.rows - i0 < plan.block_rows ? a.rows - i0 : plan.block_rows;
      pack_rows(r.q, a.type, q, i0, rows, room, a.width, static_cast<T>(a.scale));
      pack_rows(r.g, a.type, gout, i0, rows, room, a.value_width, T(1));
      // Strips above the triangle's edge have no weights.
      const int64_t skipped = a.causal && j0 > i0 ? (j0 - i0) / kStrip<T> * kStrip<T> : 0;
      for (int64_t i = skipped; i < rows; i += kStrip<T>)
        run_strip(i, rows - i < kStrip<T> ? rows - i : kStrip<T>, i0, j0, n, room, shared, mask,
                  (b * a.heads + h) * a.rows);
      const int64_t depth = rows - skipped;
      if (depth <= 0) continue;
      const T* p = r.p + skipped * kBackwardStride;
      const T* ds = r.ds + skipped * kBackwardStride;
      product_strip<T, 1, kBackwardStride>(n, a.value_width, depth, p, r.g + skipped * C, room * C, gv, vw, nullptr,
                                           false);
      product_strip<T, 1, kBackwardStride>(n, a.width, depth, ds, r.q + skipped * C, room * C, gk, w, nullptr, false);
      product_strip<T, kBackwardStride, 1>(depth, a.width, n, ds, r.k, kBackwardKeys * C, gq + (i0 + skipped) * w, w,
                                           nullptr, false);
    }
    if (member + 1 < a.group) return;
    const AttentionOperand out_k = at_head(g.k, a.type, b, kh), out_v = at_head(g.v, a.type, b, kh);
    for (int64_t j = 0; j < n; j++) {
      write_row(a.type, out_k, j0 + j, a.width, gk + j * w, T(1));
      write_row(a.type, out_v, j0 + j, a.value_width, gv + j * vw, T(1));
    }
  }

  // Rows [i, i + strip) of the block of queries at i0: their weights and dS for the keys at j0.
  void run_strip(int64_t i, int64_t strip, int64_t i0, int64_t j0, int64_t n, int64_t room, const T* shared,
                 const AttentionOperand& mask, int64_t plane) {
    constexpr int64_t C = kCols<T>;
    T* p = r.p + i * kBackwardStride;
    T* ds = r.ds + i * kBackwardStride;
    score_strip<T, kBackwardStride>(strip, n, a.width, r.q + i * C, room * C, r.kt, p);
    score_strip<T, kBackwardStride>(strip, n, a.value_width, r.g + i * C, room * C, r.vt, ds);
    const T* lse = static_cast<const T*>(a.lse) + plane;
    for (int64_t s = 0; s < strip; s++, p += kBackwardStride, ds += kBackwardStride) {
      const int64_t at = i0 + i + s;
      int64_t used = n;
      if (a.causal) {
        used = at < j0 ? 0 : at - j0 + 1 < n ? at - j0 + 1 : n;
        for (int64_t j = used; j < n; j++) p[j] = ds[j] = T(0);
      }
      const T* added = shared ? shared : a.mask.p ? mask_row(a, mask, at, j0, used, r.mask) : nullptr;
      if (a.dropout > 0) dropping.row(drop_key(a.seed, plane + at), j0, used, r.drop);
      differentiate_row(p, ds, used, added, a.dropout > 0 ? r.drop : nullptr, lse[at], r.delta[at]);
    }
  }

  const AttentionArgs& a;
  const AttentionGradients& g;
  const BackwardPlan& plan;
  const BackwardRoom<T>& r;
  const Dropping<T> dropping;
};

// The sums of the query's gradient by shares of the keys: [share][key head][group][rows, width].
template <class T>
int64_t shared_sums(const AttentionArgs& a, const BackwardPlan& plan) {
  return a.group * padded(a.rows, kStrip<T>) * whole_panels<T>(a.width) * (plan.shares == 1 ? 0 : 1);
}

template <class T>
int64_t backward_room(const AttentionArgs& a, int threads) {
  const BackwardPlan plan(a, threads, kStrip<T>, kCols<T>);
  return threads * BackwardRoom<T>(a, plan, nullptr).bytes +
         plan.key_heads * plan.shares * shared_sums<T>(a, plan) * static_cast<int64_t>(sizeof(T));
}

template <class T>
void backward(const AttentionArgs& a, const AttentionGradients& g, int threads, void* room) {
  const BackwardPlan plan(a, threads, kStrip<T>, kCols<T>);
  const int64_t bytes = BackwardRoom<T>(a, plan, nullptr).bytes, tasks = plan.key_heads * plan.shares;
  const int64_t key_heads = a.heads / a.group, each = shared_sums<T>(a, plan);
  T* sums = reinterpret_cast<T*>(static_cast<char*>(room) + threads * bytes);
  int64_t next = 0;
  parallel(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t lane = begin; lane < end; lane++) {
      const BackwardRoom<T> own(a, plan, static_cast<char*>(room) + lane * bytes);
      BackwardTask<T> body(a, g, plan, own);
      for (;;) {
        const int64_t task = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
        if (task >= tasks) break;
        const int64_t head = task / plan.shares, share = task % plan.shares;
        body.run(head / key_heads, head % key_heads, plan.blocks * share / plan.shares,
                 plan.blocks * (share + 1) / plan.shares, plan.shares == 1 ? nullptr : sums + task * each);
      }
    }
  });
  if (plan.shares == 1) return;
  const int64_t w = whole_panels<T>(a.width), all = padded(a.rows, kStrip<T>);
  const BackwardRoom<T> none(a, plan, room);
  const BackwardTask<T> body(a, g, plan, none);
  parallel(0, a.batch * a.heads * a.rows, 16384 / (w * plan.shares + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t head = row / a.rows, i = row % a.rows, member = head % a.group, key_head = head / a.group;
      T* first = sums + key_head * plan.shares * each + (member * all + i) * w;
      for (int64_t share = 1; share < plan.shares; share++) {
        const T* more = first + share * each;
        for (int64_t j = 0; j < w; j += kLanes<T>) (Vec<T>::load(first + j) + Vec<T>::load(more + j)).store(first + j);
      }
      body.write_query(head / a.heads, head % a.heads, i, 1, first);
    }
  });
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
