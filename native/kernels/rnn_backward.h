// A recurrent layer's backward pass over time: the gradients of the gates, and of the initial states. Those of the
// weights are one product over all times, left to the caller.
#pragma once
#include "kernels/rnn_step.h"
#include "simd/exp_log.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

template <class T, RnnMode M>
class RnnBackward {
  static constexpr int64_t L = kLanes<T>;
  static constexpr int NV = 2;
  static constexpr int64_t G = rnn_gates(M), C = NV * L;

 public:
  RnnBackward(const RnnArgs& args, const RnnGradients& gradients) : a(args), g(gradients) {}

  int64_t weight_bytes() const {
    return round_up(round_up(a.hidden, C) * G * a.hidden * static_cast<int64_t>(sizeof(T)), 64);
  }
  // The gradients of the gates in slices, of the hidden state, of the cell.
  int64_t block_bytes(int threads) const {
    const int64_t rows = RowBlocks(a, threads).rows;
    return round_up(
        rows * (round_up(G * a.hidden, kSlice) + round_up(a.hidden, C) + a.hidden) * static_cast<int64_t>(sizeof(T)),
        64);
  }

  void run(int threads, void* room) {
    weight = static_cast<T*>(room);
    pack_backward<T, NV>(weight, static_cast<const T*>(a.weight), a.hidden, G * a.hidden);
    const int64_t H = a.hidden, wide = round_up(H, C);
    each_block(a, threads, block_bytes(threads), static_cast<char*>(room) + weight_bytes(),
               [&](int64_t first, int64_t rows, char* own) {
                 T* slices = reinterpret_cast<T*>(own);
                 T* gh = slices + rows * round_up(G * H, kSlice);
                 T* gc = gh + rows * wide;
                 for (int64_t i = 0; i < rows; i++) {
                   start(gh + i * wide, g.last, first + i);
                   if (M == RnnMode::Lstm) start(gc + i * H, g.cell, first + i);
                 }
                 for (int64_t s = 0; s < a.times; s++) {
                   const int64_t t = a.reverse ? s : a.times - 1 - s;
                   const int64_t n = rows_at(a, t, first, rows);
                   if (n > 0) step(t, first, n, rows, slices, gh, gc);
                 }
                 for (int64_t i = 0; i < rows; i++) {
                   const size_t bytes = static_cast<size_t>(H) * sizeof(T);
                   __builtin_memcpy(static_cast<T*>(g.h0) + (first + i) * H, gh + i * wide, bytes);
                   if (M == RnnMode::Lstm) __builtin_memcpy(static_cast<T*>(g.c0) + (first + i) * H, gc + i * H, bytes);
                 }
               });
  }

 private:
  void start(T* to, const void* given, int64_t b) const {
    const size_t bytes = static_cast<size_t>(a.hidden) * sizeof(T);
    if (given)
      __builtin_memcpy(to, static_cast<const T*>(given) + b * a.hidden, bytes);
    else
      __builtin_memset(to, 0, bytes);
  }

  void step(int64_t t, int64_t first, int64_t n, int64_t room, T* slices, T* gh, T* gc) const {
    const int64_t H = a.hidden, wide = round_up(H, C);
    for (int64_t i = 0; i < n; i++) {
      const int64_t row = a.starts[t] + first + i, from = row_before(a, t, first + i);
      const T* before =
          from < 0 ? static_cast<const T*>(a.h0) + (first + i) * H : static_cast<const T*>(a.y) + from * H;
      __builtin_memcpy(static_cast<T*>(g.before) + row * H, before, static_cast<size_t>(H) * sizeof(T));
      const T* cell = M != RnnMode::Lstm ? nullptr
                      : from < 0         ? static_cast<const T*>(a.c0) + (first + i) * H
                                         : static_cast<const T*>(a.cells) + from * H;
      differentiate(row, before, cell, gh + i * wide, gc + i * H);
      const T* own = static_cast<const T*>(g.hidden_gates ? g.hidden_gates : g.gates) + row * G * H;
      put_slices(slices, room, i, own, G * H);
    }
    for (int64_t j = 0; j < H; j += C)
      step_product<T, NV>(n, room, G * H, slices, weight + j * G * H, gh + j, wide, M != RnnMode::Gru);
  }

  // One row: gates' gradients from those of the hidden state (gh, which becomes what bypasses the product) and of the
  // cell (gc).
  void differentiate(int64_t row, const T* before, const T* cell, T* gh, T* gc) const {
    const int64_t H = a.hidden;
    const T* gates = static_cast<const T*>(a.gates) + row * G * H;
    const T* gy = static_cast<const T*>(g.y) + row * H;
    T* out = static_cast<T*>(g.gates) + row * G * H;
    const Vec<T> one(1);
    each_vector<T>(H, [&](int64_t u, int count) FLAMBEAU_LAMBDA {
      const Vec<T> d = get(gh + u, count) + get(gy + u, count);
      if constexpr (M == RnnMode::Lstm) {
        const Vec<T> in = get(gates + u, count), keep = get(gates + H + u, count);
        const Vec<T> fresh = get(gates + 2 * H + u, count), open = get(gates + 3 * H + u, count);
        const Vec<T> shown = tanh(get(static_cast<const T*>(a.cells) + row * H + u, count));
        const Vec<T> c = fma(d * open, fma(-shown, shown, one), get(gc + u, count));
        put(out + u, count, c * fresh * in * (one - in));
        put(out + H + u, count, c * get(cell + u, count) * keep * (one - keep));
        put(out + 2 * H + u, count, c * in * fma(-fresh, fresh, one));
        put(out + 3 * H + u, count, d * shown * open * (one - open));
        put(gc + u, count, c * keep);
      } else if constexpr (M == RnnMode::Gru) {
        T* own = static_cast<T*>(g.hidden_gates) + row * G * H;
        const Vec<T> reset = get(gates + u, count), update = get(gates + H + u, count);
        const Vec<T> fresh = get(gates + 2 * H + u, count);
        const Vec<T> gn = d * (one - update) * fma(-fresh, fresh, one);
        const Vec<T> gr = gn * get(static_cast<const T*>(a.hidden_new) + row * H + u, count) * reset * (one - reset);
        const Vec<T> gz = d * (get(before + u, count) - fresh) * update * (one - update);
        put(out + u, count, gr);
        put(out + H + u, count, gz);
        put(out + 2 * H + u, count, gn);
        put(own + u, count, gr);
        put(own + H + u, count, gz);
        put(own + 2 * H + u, count, gn * reset);
        put(gh + u, count, d * update);
      } else {
        const Vec<T> h = get(gates + u, count);
        if constexpr (M == RnnMode::Tanh) {
          put(out + u, count, d * fma(-h, h, one));
        } else {
          put(out + u, count, select(h > Vec<T>(0), d, Vec<T>(0)));
        }
      }
    });
  }

  const RnnArgs& a;
  const RnnGradients& g;
  T* weight = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
