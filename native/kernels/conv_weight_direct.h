// The gradient of a convolution by its weight where all sums of a panel fit in the caches: tiles of taps by output
// channels stay in registers while positions go by, and the image is read where it lies, without a copy for every tap.
#pragma once
#include "kernels/conv_tile.h"
#include "kernels/conv_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Rows of positions whose taps are at x + offsets[tap] and whose gradients are at g, [positions][kPanel].
template <class T>
struct GradientWork {
  const T *x, *g;
  const int64_t* offsets;
  int64_t rows, length, down;  // positions of a row, and how far apart x's rows are
  T* out;                      // [taps][kPanel], added to
};

template <class T, int P, int NV>
__attribute__((noinline)) void sum_tile(const GradientWork<T>& work) {
  constexpr int L = kLanes<T>;
  V<T> acc[P][NV];
#pragma GCC unroll 16
  for (int p = 0; p < P; p++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) acc[p][v] = V<T>{};
  }
  const int64_t* const offsets = work.offsets;
  const int64_t length = work.length;
  const T *row = work.x, *g = work.g;
  for (int64_t r = 0; r < work.rows; r++, row += work.down) {
    for (const T *x = row, *const end = row + length; x < end; x++, g += kPanel<T>) {
      V<T> gradient[NV];
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) gradient[v] = load(g + v * L);
#pragma GCC unroll 16
      for (int p = 0; p < P; p++) {
        const V<T> at = splat(x[offsets[p]]);
#pragma GCC unroll 4
        for (int v = 0; v < NV; v++) acc[p][v] = fma<T>(at, gradient[v], acc[p][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int p = 0; p < P; p++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      T* to = work.out + p * kPanel<T> + v * L;
      store(to, add<T>(load(to), acc[p][v]));
    }
  }
}

template <class T, int NV, int P = kTilePositions>
FLAMBEAU_INLINE void sum_taps(int64_t taps, const GradientWork<T>& work) {
  if constexpr (P > 1) {
    if (taps < P) return sum_taps<T, NV, P - 1>(taps, work);
  }
  sum_tile<T, P, NV>(work);
}

// The lowered convolution's y is gy here and its w is not used; gw: [groups * o, c * taps].
template <class T>
class DirectWeightGradient {
  static constexpr int L = kLanes<T>, W = kPanel<T>, P = kTilePositions;
  static constexpr int64_t kMostSums = 160 << 10;   // bytes of all sums
  static constexpr int64_t kMostRoom = 512 << 10;   // bytes of a window
  static constexpr int64_t kBand = 192;             // positions of a band, as far as a row has no more
  static constexpr int64_t kWideRow = 256;          // longer rows are cut
  static constexpr int64_t kMostPartial = 4 << 20;  // bytes of sums of all threads

 public:
  // The output channels fill vectors, and what is kept from band to band is worth keeping.
  static bool suits(const Lowered<T>& s) {
    if (4 * s.o < 3 * round_up(s.o, L) || s.positions() < P) return false;
    const DirectWeightGradient<T> d(s, nullptr, nullptr, 1);
    return d.sum_bytes() <= kMostSums && d.window_.bytes() <= kMostRoom;
  }

  DirectWeightGradient(const Lowered<T>& s, const T* gy, T* gw, int threads)
      : s_(s), gy_(gy), gw_(gw), threads_(threads), window_(s, 1, false) {
    columns_ = s.c * s.volume();
    panels_ = (s.o + W - 1) / W;
    const bool by_row = s.grid[2] > kWideRow;
    length_ = by_row ? even_piece(s.grid[2], kWideRow, 1) : s.grid[2];
    cuts_ = (s.grid[2] + length_ - 1) / length_;
    rows_ = by_row || length_ > kBand ? 1 : even_piece(s.grid[1], kBand / length_, 1);
    if (rows_ > s.grid[1]) rows_ = s.grid[1];
    bands_ = (s.grid[1] + rows_ - 1) / rows_;
    window_ = Window<T>(s, rows_ * length_, by_row);
    window_.set_block(s.c);
    units_ = s.n * s.grid[0] * bands_ * cuts_;
    // The positions are divided among the threads, each with sums of its own. How they are divided depends on the
    // number of threads alone, so a result can be had again.
    splits_ = threads == 1 ? 1 : 2 * threads;
    const int64_t most = 1 + kMostPartial / sum_bytes();
    if (splits_ > most) splits_ = most;
    if (splits_ > units_) splits_ = units_;
  }

  int64_t bytes() const { return offset_bytes() + splits_ * sum_bytes() + threads_ * slot_bytes(); }

  void run(void* workspace) {
    offsets_ = static_cast<int64_t*>(workspace);
    window_.list_offsets(offsets_);
    char* sums = static_cast<char*>(workspace) + offset_bytes();
    char* slots = sums + splits_ * sum_bytes();
    share(splits_, threads_, [&](int64_t slot, int64_t split) {
      sum(units_ * split / splits_, units_ * (split + 1) / splits_, reinterpret_cast<T*>(sums + split * sum_bytes()),
          slots + slot * slot_bytes());
    });
    T* total = reinterpret_cast<T*>(sums);
    for (int64_t split = 1; split < splits_; split++) {
      const T* more = reinterpret_cast<const T*>(sums + split * sum_bytes());
      for (int64_t i = 0; i < sum_size(); i += L) store(total + i, add<T>(load(total + i), load(more + i)));
    }
    for (int64_t g = 0; g < s_.groups; g++) {
      for (int64_t panel = 0; panel < panels_; panel++, total += columns_ * W) {
        const int64_t o = panel * W, channels = s_.o - o < W ? s_.o - o : W;
        emit_channels<T>(total, W, columns_, channels, nullptr, gw_ + (g * s_.o + o) * columns_, columns_);
      }
    }
  }

 private:
  int64_t sum_size() const { return s_.groups * panels_ * columns_ * W; }
  int64_t sum_bytes() const { return round_up(sum_size() * static_cast<int64_t>(sizeof(T)), 64); }
  int64_t offset_bytes() const { return round_up(columns_ * 8, 64); }
  int64_t panel_bytes() const { return rows_ * length_ * W * static_cast<int64_t>(sizeof(T)); }
  int64_t slot_bytes() const { return round_up(panel_bytes(), 64) + window_.bytes(); }

  // The sums over bands [first, last) of all images.
  void sum(int64_t first, int64_t last, T* sums, char* own) {
    T* gradients = reinterpret_cast<T*>(own);
    T* window = reinterpret_cast<T*>(own + round_up(panel_bytes(), 64));
    zero_run(sums, sum_size());
    for (int64_t unit = first; unit < last; unit++) {
      const int64_t column = unit % cuts_ * length_, row = unit / cuts_ % bands_ * rows_;
      const int64_t slab = unit / cuts_ / bands_, image = slab / s_.grid[0], d = slab % s_.grid[0];
      const int64_t rows = s_.grid[1] - row < rows_ ? s_.grid[1] - row : rows_;
      const int64_t length = s_.grid[2] - column < length_ ? s_.grid[2] - column : length_;
      const int64_t p = (slab * s_.grid[1] + row) * s_.grid[2] + column;
      GradientWork<T> work;
      work.rows = rows;
      work.length = length;
      work.down = window_.direct ? s_.stride[1] * s_.in[2] : window_.down * window_.pitch;
      for (int64_t g = 0; g < s_.groups; g++) {
        const T* x = window_.fill(g, 0, s_.c, p, rows * length, window);
        x += window_.place(p, Segment{image, d, row, column, length});
        const T* gy = gy_ + (image * s_.groups + g) * s_.o * s_.positions() + p - image * s_.positions();
        for (int64_t panel = 0; panel < panels_; panel++) {
          const int64_t o = panel * W, channels = s_.o - o < W ? s_.o - o : W;
          gather_gradients(gy + o * s_.positions(), channels, rows * length, gradients);
          T* to = sums + (g * panels_ + panel) * columns_ * W;
          work.g = gradients;
          const int64_t tiles = (columns_ + P - 1) / P;
          for (int64_t tile = 0; tile < tiles; tile++) {
            const int64_t at = columns_ * tile / tiles, end = columns_ * (tile + 1) / tiles;
            work.x = x;
            work.offsets = offsets_ + at;
            work.out = to + at * W;
            if (channels <= L) {
              sum_taps<T, 1>(end - at, work);
            } else {
              sum_taps<T, kTileVectors>(end - at, work);
            }
          }
        }
      }
    }
  }

  // [positions][W] from channels that lie apart; lanes without a channel are zero.
  void gather_gradients(const T* gy, int64_t channels, int64_t positions, T* out) const {
    for (int64_t o = 0; o < round_up(channels, L); o += L) {
      const int rows = static_cast<int>(channels - o < L ? channels - o : L);
      for (int64_t i = 0; i < positions; i += L) {
        transpose_part(gy + o * s_.positions() + i, s_.positions(), rows,
                       static_cast<int>(positions - i < L ? positions - i : L), out + i * W + o, W);
      }
    }
  }

  Lowered<T> s_;
  const T* gy_;
  T* gw_;
  int threads_;
  Window<T> window_;
  int64_t columns_, panels_, length_, cuts_, rows_, bands_, units_, splits_;
  int64_t* offsets_ = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
