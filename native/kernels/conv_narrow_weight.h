// The gradient by the weight where output channels are few: they would not fill the rows of a matrix product, whose
// other operand would cost more to pack than to multiply. Vectors of positions instead: gy times what each tap reads,
// summed lane by lane.
#pragma once
#include "kernels/conv_narrow.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

template <class T>
struct NarrowSums {
  const T* const* lines;  // where each line of positions lies in the window
  int64_t count, length;  // lines, positions of each
  const int64_t* taps;    // how far from there they read
  const T* gy;            // of the first line, from which the others follow
  int64_t channel, row;   // from an output channel to the next, from a line to the next
  int64_t outputs;        // up to M
  T* sums;                // [M][taps][lanes], added to
};

// For as many taps as a tile of the convolution itself has vectors.
template <class T, int M>
__attribute__((noinline)) void correlate_narrow(const NarrowSums<T>& work) {
  constexpr int L = kLanes<T>, K = kNarrowVectors<M>;
  V<T> acc[M][K] = {};
  int64_t taps[K];
#pragma GCC unroll 8
  for (int k = 0; k < K; k++) taps[k] = work.taps[k];
  const T* gy[M];
#pragma GCC unroll 8
  for (int m = 0; m < M; m++) gy[m] = work.gy + (m < work.outputs ? m : work.outputs - 1) * work.channel;
  const auto whole = [](const T* p) FLAMBEAU_LAMBDA { return load(p); };
  const int left = static_cast<int>(work.length % L);
  const auto part = [&](const T* p) FLAMBEAU_LAMBDA { return load_n(p, left); };
  const auto accumulate = [&](const auto& get, const T* x, int64_t q) FLAMBEAU_LAMBDA {
    V<T> g[M];
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) g[m] = get(gy[m] + q);
#pragma GCC unroll 8
    for (int k = 0; k < K; k++) {
      const V<T> in = get(x + taps[k]);
#pragma GCC unroll 8
      for (int m = 0; m < M; m++) acc[m][k] = fma<T>(g[m], in, acc[m][k]);
    }
  };
  for (int64_t i = 0; i < work.count; i++) {
    const T* x = work.lines[i];
    int64_t q = 0;
    for (; q + L <= work.length; q += L, x += L) accumulate(whole, x, q);
    if (left > 0) accumulate(part, x, q);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) gy[m] += work.row;
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; m++) {
#pragma GCC unroll 8
    for (int k = 0; k < K; k++) {
      T* sum = work.sums + (m * K + k) * L;
      store(sum, add<T>(load(sum), acc[m][k]));
    }
  }
}

// A task has some input channels of a group, of all images.
template <class T>
class NarrowWeightGradient {
  static constexpr int L = kLanes<T>;
  static constexpr int64_t kOutputs = 8;         // output channels
  static constexpr int64_t kRoom = 32 << 10;     // bytes aimed at for a window
  static constexpr int64_t kMostRoom = 1 << 20;  // and at most
  static constexpr int64_t kSums = 32 << 10;     // bytes aimed at for the sums
  static constexpr int64_t kBand = 2048;         // positions of a band
  static constexpr int64_t kWideRow = 256;       // longer rows are cut

 public:
  static bool suits(const Lowered<T>& s) {
    if (s.o > kOutputs || 4 * s.grid[2] < 3 * round_up(s.grid[2], L)) return false;
    const NarrowWeightGradient one(s, nullptr, nullptr, 1);
    return one.window_.bytes() <= kMostRoom;
  }

  NarrowWeightGradient(const Lowered<T>& s, const T* gy, T* gw, int threads)
      : s_(s), gy_(gy), gw_(gw), threads_(threads), window_(s, 1, false) {
    rows_ = s.o == 5 ? 6 : s.o == 7 ? 8 : s.o;
    vectors_ = kNarrowSums / rows_ < 8 ? kNarrowSums / rows_ : 8;
    const bool by_row = s.grid[2] > kWideRow;
    length_ = by_row ? even_piece(s.grid[2], kWideRow, L) : s.grid[2];
    cuts_ = (s.grid[2] + length_ - 1) / length_;
    lines_ = s.grid[0] * s.grid[1] * cuts_;
    const int64_t a_channel = s.volume() * rows_ * L * static_cast<int64_t>(sizeof(T));
    int64_t most = kSums / a_channel;
    if (threads > 1 && most > s.c * s.groups / (2 * threads)) most = s.c * s.groups / (2 * threads);
    block_ = even_piece(s.c, most > 0 ? most : 1, 1);
    band_ = by_row ? 1 : kBand / length_ > 0 ? kBand / length_ : 1;
    if (band_ > lines_) band_ = lines_;
    for (;; band_--) {
      window_ = Window<T>(s, band_ * length_, by_row, true);
      window_.copy();
      window_.set_block(block_);
      if (band_ == 1 || window_.bytes() <= kRoom) break;
    }
  }

  int64_t bytes() const { return offset_bytes() + threads_ * slot_bytes(); }

  void run(void* workspace) {
    offsets_ = static_cast<int64_t*>(workspace);
    window_.list_offsets(offsets_);
    // Taps of the last tile that are missing read what the first one does.
    for (int64_t t = block_ * s_.volume(); t < places(); t++) offsets_[t] = offsets_[0];
    char* slots = static_cast<char*>(workspace) + offset_bytes();
    const int64_t blocks = (s_.c + block_ - 1) / block_;
    share(s_.groups * blocks, threads_,
          [&](int64_t slot, int64_t i) { sum(i / blocks, i % blocks * block_, slots + slot * slot_bytes()); });
  }

 private:
  // Taps of a block in whole tiles.
  int64_t places() const { return round_up(block_ * s_.volume(), vectors_); }
  int64_t offset_bytes() const { return round_up(places() * 8, 64); }
  int64_t sum_size() const { return places() * rows_ * L; }
  int64_t sum_bytes() const { return round_up(sum_size() * static_cast<int64_t>(sizeof(T)), 64); }
  int64_t line_bytes() const { return round_up(band_ * static_cast<int64_t>(sizeof(T*)), 64); }
  int64_t slot_bytes() const { return sum_bytes() + line_bytes() + window_.bytes(); }

  void sum(int64_t g, int64_t c0, char* own) const {
    T* sums = reinterpret_cast<T*>(own);
    const T** lines = reinterpret_cast<const T**>(own + sum_bytes());
    T* window = reinterpret_cast<T*>(own + sum_bytes() + line_bytes());
    const int64_t c1 = c0 + block_ < s_.c ? c0 + block_ : s_.c, taps = (c1 - c0) * s_.volume();
    zero_run(sums, sum_size());
    for (int64_t image = 0; image < s_.n; image++) {
      for (int64_t first = 0; first < lines_; first += band_) {
        const int64_t column = first % cuts_ * length_, at = first / cuts_ * s_.grid[2] + column;
        const int64_t origin = image * s_.positions() + at;
        NarrowSums<T> work;
        work.lines = lines;
        work.count = lines_ - first < band_ ? lines_ - first : band_;
        work.length = s_.grid[2] - column < length_ ? s_.grid[2] - column : length_;
        work.gy = gy_ + (image * s_.groups + g) * s_.o * s_.positions() + at;
        work.channel = s_.positions();
        work.row = s_.grid[2];
        work.outputs = s_.o;
        window_.fill(g, c0, c1, origin, work.count * work.length, window);
        for (int64_t i = 0; i < work.count; i++) {
          const int64_t line = (first + i) / cuts_;
          lines[i] = window + window_.place(origin, {image, line / s_.grid[1], line % s_.grid[1], column, 1});
        }
        for (int64_t t = 0; t < taps; t += vectors_) {
          work.taps = offsets_ + t;
          work.sums = sums + t * rows_ * L;
          correlate(work);
        }
      }
    }
    for (int64_t o = 0; o < s_.o; o++) {
      T* out = gw_ + ((g * s_.o + o) * s_.c + c0) * s_.volume();
      for (int64_t t = 0; t < taps; t++) {
        const int64_t tile = t / vectors_ * vectors_ * rows_;
        out[t] = sum_lanes<T>(load(sums + (tile + o * vectors_ + t % vectors_) * L));
      }
    }
  }

  void correlate(const NarrowSums<T>& work) const {
    switch (rows_) {
      case 1: return correlate_narrow<T, 1>(work);
      case 2: return correlate_narrow<T, 2>(work);
      case 3: return correlate_narrow<T, 3>(work);
      case 4: return correlate_narrow<T, 4>(work);
      case 6: return correlate_narrow<T, 6>(work);
      default: return correlate_narrow<T, 8>(work);
    }
  }

  Lowered<T> s_;
  const T* gy_;
  T* gw_;
  int threads_;
  Window<T> window_;
  int64_t rows_, vectors_;  // of a tile: output channels and taps
  int64_t length_, cuts_, lines_, band_, block_;
  int64_t* offsets_ = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
