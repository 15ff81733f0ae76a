// A recurrent layer's forward pass over time.
#pragma once
#include "kernels/rnn_step.h"
#include "simd/exp_log.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Vectors of a panel: one for each gate, or two of hidden units where there is one gate.
template <RnnMode M>
constexpr int kPanel = M == RnnMode::Lstm  ? 4
                       : M == RnnMode::Gru ? 3
                                           : 2;

template <class T, RnnMode M>
class RnnForward {
  static constexpr int64_t L = kLanes<T>;
  static constexpr int NV = kPanel<M>;
  static constexpr int64_t G = rnn_gates(M);
  static constexpr int64_t kUnits = G > 1 ? L : NV* L;  // hidden units of a panel

 public:
  explicit RnnForward(const RnnArgs& args) : a(args) {}

  int64_t weight_bytes() const {
    return round_up((a.hidden + kUnits - 1) / kUnits * a.hidden * NV * L * static_cast<int64_t>(sizeof(T)), 64);
  }
  // Two hidden states in slices, and a tile of gates.
  int64_t block_bytes(int threads) const {
    const int64_t rows = RowBlocks(a, threads).rows;
    return round_up((2 * rows * round_up(a.hidden, kSlice) + rows * NV * L) * static_cast<int64_t>(sizeof(T)), 64);
  }

  void run(int threads, void* room) {
    weight = static_cast<T*>(room);
    pack_forward<T, NV>(weight, static_cast<const T*>(a.weight), a.hidden, G);
    const int64_t slices = round_up(a.hidden, kSlice);
    each_block(a, threads, block_bytes(threads), static_cast<char*>(room) + weight_bytes(),
               [&](int64_t first, int64_t rows, char* own) {
                 T* now = reinterpret_cast<T*>(own);
                 T* next = now + rows * slices;
                 T* tile = next + rows * slices;
                 // A row that joins later finds the initial state in whichever of the two is read then.
                 for (int64_t i = 0; i < rows; i++) {
                   const T* h0 = static_cast<const T*>(a.h0) + (first + i) * a.hidden;
                   put_slices(now, rows, i, h0, a.hidden);
                   put_slices(next, rows, i, h0, a.hidden);
                 }
                 for (int64_t s = 0; s < a.times; s++) {
                   const int64_t t = a.reverse ? a.times - 1 - s : s;
                   const int64_t n = rows_at(a, t, first, rows);
                   if (n > 0) step(t, first, n, rows, now, next, tile);
                   T* old = now;
                   now = next;
                   next = old;
                 }
               });
  }

 private:
  void step(int64_t t, int64_t first, int64_t n, int64_t room, const T* now, T* next, T* tile) const {
    const int64_t row = a.starts[t] + first;
    for (int64_t j = 0; j < a.hidden; j += kUnits) {
      step_product<T, NV>(n, room, a.hidden, now, weight + j * a.hidden * NV * L / kUnits, tile, NV * L, true);
      for (int64_t i = 0; i < n; i++) {
        T* gates = static_cast<T*>(a.gates) + (row + i) * G * a.hidden;
        for (int64_t u = j; u < j + kUnits && u < a.hidden; u += L) {
          const int count = static_cast<int>(a.hidden - u < L ? a.hidden - u : L);
          finish(t, first + i, row + i, u, count, tile + i * NV * L + (u - j), gates + u, now + slice_at(room, i, u),
                 next + slice_at(room, i, u));
        }
      }
    }
  }

  // Hidden units u .. u + count of one row. own: the hidden state's share of the gates, a vector each.
  FLAMBEAU_INLINE void finish(int64_t t, int64_t b, int64_t row, int64_t u, int count, const T* own, T* gates,
                              const T* before, T* after) const {
    const int64_t H = a.hidden;
    Vec<T> h;
    if constexpr (M == RnnMode::Lstm) {
      const int64_t from = row_before(a, t, b);
      const T* cell = from < 0 ? static_cast<const T*>(a.c0) + b * H : static_cast<const T*>(a.cells) + from * H;
      const Vec<T> in = sigmoid(get(gates, count) + Vec<T>::load(own));
      const Vec<T> keep = sigmoid(get(gates + H, count) + Vec<T>::load(own + L));
      const Vec<T> fresh = tanh(get(gates + 2 * H, count) + Vec<T>::load(own + 2 * L));
      const Vec<T> out = sigmoid(get(gates + 3 * H, count) + Vec<T>::load(own + 3 * L));
      const Vec<T> c = fma(keep, get(cell + u, count), in * fresh);
      h = out * tanh(c);
      put(gates, count, in);
      put(gates + H, count, keep);
      put(gates + 2 * H, count, fresh);
      put(gates + 3 * H, count, out);
      put(static_cast<T*>(a.cells) + row * H + u, count, c);
    } else if constexpr (M == RnnMode::Gru) {
      const Vec<T> reset = sigmoid(get(gates, count) + Vec<T>::load(own));
      const Vec<T> update = sigmoid(get(gates + H, count) + Vec<T>::load(own + L));
      Vec<T> share = Vec<T>::load(own + 2 * L);
      if (a.new_bias) share += get(static_cast<const T*>(a.new_bias) + u, count);
      const Vec<T> fresh = tanh(fma(reset, share, get(gates + 2 * H, count)));
      h = fma(update, get(before, count) - fresh, fresh);
      put(gates, count, reset);
      put(gates + H, count, update);
      put(gates + 2 * H, count, fresh);
      put(static_cast<T*>(a.hidden_new) + row * H + u, count, share);
    } else {
      const Vec<T> x = get(gates, count) + Vec<T>::load(own);
      if constexpr (M == RnnMode::Tanh) {
        h = tanh(x);
      } else {
        h = select(x < Vec<T>(0), Vec<T>(0), x);
      }
      put(gates, count, h);
    }
    put(static_cast<T*>(a.y) + row * H + u, count, h);
    put(after, count, h);
  }

  const RnnArgs& a;
  T* weight = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
