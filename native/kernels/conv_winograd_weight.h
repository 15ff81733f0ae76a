// The gradient by the weight of convolutions of 3 x 3 taps with stride one, by F(3 x 3, 2 x 2) of Winograd, after Lavin
// and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016): a square of 2 x 2 positions takes 16
// multiply-adds for a pair of channels instead of 36.
#pragma once
#include "kernels/conv_winograd_squares.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// The positions are cut into squares of 2 x 2, and their elements and gradients transformed (conv_winograd_squares.h).
// The 16 products are summed over the squares before they are joined to taps, each by tiles of a matrix product of its
// own, [outputs, squares] x [squares, channels]. A band is as many squares as keep what is transformed in the caches.
//
// The factors are exact, and rounding grows little (docs/numerics.md). Infinities, NaN and elements near them would
// reach taps that do not read them: where there are any, run() gives up and says so.
template <class T>
class WinogradWeightGradient {
  using X = Vec<T>;
  using Transforms = WinogradTransforms<T>;
  static constexpr int L = kLanes<T>, W = kPanel<T>;
  static constexpr int64_t kElements = Transforms::kElements, kTaps = Transforms::kTaps, kSums = Transforms::kSums;
  static constexpr int64_t kOutputs = Transforms::kOutputs, kLine = Transforms::kLine;
  static constexpr int64_t kBlock = 256;    // channels whose transformed squares and sums are kept
  static constexpr int64_t kBand = 64;      // squares aimed at
  static constexpr int64_t kMostRun = 256;  // squares of a row; longer ones are cut
  static constexpr int64_t kAhead = 4;      // output channels
  static constexpr int64_t kMostPartial = 4 << 20;
  static constexpr int64_t kBytes = sizeof(T), kPage = 4096 / sizeof(T);

 public:
  // Where there are channels enough for the transforms not to count, squares enough for 16 sums to be worth their
  // joining to nine, and few of their positions too many.
  static bool suits(const Lowered<T>& s) {
    if (!has_winograd_taps(s) || s.c < kLeastChannels || s.o < kLeastChannels) return false;
    const int64_t squares = (s.grid[1] + 1) / 2 * ((s.grid[2] + 1) / 2);
    return s.n * squares >= kLeastSquares && s.positions() > 2 * squares;
  }

  WinogradWeightGradient(const Lowered<T>& s, const T* gy, T* gw, int threads)
      : s_(s), gy_(gy), gw_(gw), threads_(threads) {
    high_ = (s.grid[1] + 1) / 2;
    wide_ = (s.grid[2] + 1) / 2;
    run_ = even_piece(wide_, kMostRun, 1);
    cuts_ = (wide_ + run_ - 1) / run_;
    units_ = s.n * high_ * cuts_;
    band_ = even_piece(units_, run_ < kBand ? kBand / run_ : 1, 1);
    bands_ = (units_ + band_ - 1) / band_;
    divide();
    // 16 rows are written at a time: one cache line apart, they do not contend for the same places in the cache.
    x_plane_ = round_up(band_ * run_ * W, kPage) + kLine;
    y_plane_ = round_up(band_ * run_ * kOutputs, kPage) + kLine;
  }

  int64_t bytes() const { return (splits_ - 1) * gw_bytes() + threads_ * slot_bytes(); }

  // Whether there was nothing unusual; if there was, gw is not to be used.
  bool run(void* workspace) {
    char* partial = static_cast<char*>(workspace);
    char* slots = partial + (splits_ - 1) * gw_bytes();
    share(splits_ * s_.groups * o_blocks_ * c_blocks_, threads_, [&](int64_t slot, int64_t i) {
      if (!__atomic_load_n(&usual_, __ATOMIC_RELAXED)) return;
      const int64_t c = i % c_blocks_, o = i / c_blocks_ % o_blocks_, rest = i / c_blocks_ / o_blocks_;
      const int64_t g = rest % s_.groups, split = rest / s_.groups;
      T* out = split == 0 ? gw_ : reinterpret_cast<T*>(partial + (split - 1) * gw_bytes());
      sum({g, o * o_block_, least(o_block_, s_.o - o * o_block_), c * c_block_, least(c_block_, s_.c - c * c_block_)},
          bands_ * split / splits_, bands_ * (split + 1) / splits_, out, slots + slot * slot_bytes());
    });
    if (splits_ == 1 || !usual_) return usual_;
    parallel(0, s_.groups * s_.o * s_.c * kTaps, 16384, [&](int64_t begin, int64_t end) {
      for (int64_t split = 1; split < splits_; split++) {
        const T* add = reinterpret_cast<const T*>(partial + (split - 1) * gw_bytes());
        for (int64_t i = begin; i < end; i++) gw_[i] += add[i];
      }
    });
    return true;
  }

 private:
  static constexpr int64_t kLeastChannels = 32, kLeastSquares = 32;

  // Squares [first, first + count) of a row of them.
  struct Run {
    int64_t image, row, first, count;
  };
  // Output channels [o, o + outputs) and input channels [c, c + channels) of group g.
  struct Block {
    int64_t g, o, outputs, c, channels;
  };

  int64_t gw_bytes() const { return round_up(s_.groups * s_.o * s_.c * kTaps * kBytes, 64); }
  int64_t x_panel() const { return kElements * x_plane_; }
  int64_t y_panel() const { return kElements * y_plane_; }
  int64_t x_size() const { return c_block_ / W * x_panel(); }
  int64_t y_size() const { return o_block_ / kOutputs * y_panel(); }
  // With one band the sums of a pair of panels are joined before those of the next.
  int64_t sum_size() const { return (bands_ == 1 ? 1 : c_block_ / W * (o_block_ / kOutputs)) * kElements * kSums; }
  // Four rows of elements, or two of gradients.
  int64_t stage_size() const {
    const int64_t elements = 4 * (2 * run_ + 2) * W, gradients = 2 * 2 * run_ * kOutputs;
    return elements > gradients ? elements : gradients;
  }
  int64_t slot_bytes() const { return round_up((x_size() + y_size() + sum_size() + stage_size()) * kBytes, 64); }

  // Into tasks: the bands, as far as there is room for sums of several, and blocks of channels, for each of which
  // squares are transformed anew. That depends on the number of threads alone, so a result can be had again.
  void divide() {
    const int64_t wanted = threads_ == 1 ? 1 : 2 * threads_, room = 1 + kMostPartial / gw_bytes();
    for (int64_t o = kBlock, c = kBlock;;) {
      o_block_ = even_piece(s_.o, o, kOutputs);
      c_block_ = even_piece(s_.c, c, W);
      o_blocks_ = (s_.o + o_block_ - 1) / o_block_;
      c_blocks_ = (s_.c + c_block_ - 1) / c_block_;
      const int64_t blocks = s_.groups * o_blocks_ * c_blocks_;
      splits_ = least(least((wanted + blocks - 1) / blocks, bands_), room);
      if (blocks * splits_ >= wanted || (o == kOutputs && c == kOutputs)) return;
      (o >= c ? o : c) /= 2;
    }
  }

  Run run_at(int64_t unit) const {
    const int64_t first = unit % cuts_ * run_, row = unit / cuts_;
    return {row / high_, row % high_, first, least(run_, wide_ - first)};
  }
  const T* elements_at(const Block& b, int64_t image, int64_t channel) const {
    return s_.x + ((image * s_.groups + b.g) * s_.c + b.c + channel) * s_.plane();
  }
  const T* gradients_at(const Block& b, int64_t image, int64_t output) const {
    return gy_ + ((image * s_.groups + b.g) * s_.o + b.o + output) * s_.positions();
  }

  // The taps of a block, summed over bands [first, last).
  void sum(const Block& b, int64_t first, int64_t last, T* out, char* own) {
    T* x = reinterpret_cast<T*>(own);
    T* y = x + x_size();
    T* sums = y + y_size();
    T* stage = sums + sum_size();
    const int64_t panels = (b.channels + W - 1) / W, pairs = (b.outputs + kOutputs - 1) / kOutputs * panels;
    for (int64_t band = first; band < last; band++) {
      const int64_t from = band * band_, to = least(from + band_, units_);
      X odd(T(0));
      const int64_t squares = transform_elements(b, from, to, x, stage, odd);
      transform_gradients(b, from, to, y, stage, odd);
      if (!is_usual<T>(odd)) return __atomic_store_n(&usual_, false, __ATOMIC_RELAXED);
      const int64_t after = band + 1 < last ? least(to + band_, units_) : to;
      for (int64_t i = 0; i < pairs; i++) {
        const int64_t o = i / panels * kOutputs, c = i % panels * W;
        const int64_t outputs = least(b.outputs - o, kOutputs), channels = least(b.channels - c, W);
        T* pair = bands_ == 1 ? sums : sums + i * kElements * kSums;
        multiply(outputs, channels, squares, x + i % panels * x_panel(), y + i / panels * y_panel(), band > first, pair,
                 [&](int64_t e) FLAMBEAU_LAMBDA { ask_for(b, to, after, i * kElements + e, pairs * kElements); });
        if (band + 1 < last) continue;
        emit_taps(outputs, channels, pair, out + ((b.g * s_.o + b.o + o) * s_.c + b.c + c) * kTaps);
      }
    }
  }

  // ---- squares ----

  // The elements of units [from, to): x[panel * x_panel + e * x_plane + square * W + channel]. How many squares they
  // are.
  int64_t transform_elements(const Block& b, int64_t from, int64_t to, T* x, T* stage, X& odd) const {
    const int64_t line = (2 * run_ + 2) * W;
    int64_t squares = 0;
    for (int64_t p = 0; p < b.channels; p += W, x += x_panel()) {
      const int64_t channels = least(b.channels - p, W);
      squares = 0;
      for (int64_t unit = from; unit < to; unit++) {
        const Run r = run_at(unit);
        const T* plane = elements_at(b, r.image, p);
        // Two rows of elements are those of the squares above.
        for (int64_t i = unit > from && r.row > 0 && cuts_ == 1 ? 2 : 0; i < 4; i++) {
          const int64_t h = 2 * r.row + i;
          Transforms::stage_row(row_at(s_, plane, 0, h + s_.low[1]), s_.plane(), channels, s_.in[2],
                                2 * r.first + s_.low[2], 2 * r.count + 2, W, stage + h % 4 * line, odd);
        }
        const T* rows[4];
        for (int64_t i = 0; i < 4; i++) rows[i] = stage + (2 * r.row + i) % 4 * line;
        for (int64_t v = 0; v < channels; v += L) {
          Transforms::transform_elements(rows, v, r.count, x + squares * W + v, x_plane_);
        }
        squares += r.count;
      }
    }
    return squares;
  }

  // The gradients likewise, in panels of kOutputs.
  void transform_gradients(const Block& b, int64_t from, int64_t to, T* y, T* stage, X& odd) const {
    const int64_t line = 2 * run_ * kOutputs;
    for (int64_t p = 0; p < b.outputs; p += kOutputs, y += y_panel()) {
      const int64_t outputs = least(b.outputs - p, kOutputs);
      int64_t squares = 0;
      for (int64_t unit = from; unit < to; unit++) {
        const Run r = run_at(unit);
        const T* plane = gradients_at(b, r.image, p);
        for (int64_t i = 0; i < 2; i++) {
          const int64_t h = 2 * r.row + i;
          Transforms::stage_row(h < s_.grid[1] ? plane + h * s_.grid[2] : nullptr, s_.positions(), outputs, s_.grid[2],
                                2 * r.first, 2 * r.count, kOutputs, stage + i * line, odd);
        }
        for (int64_t v = 0; v < outputs; v += L) {
          Transforms::transform_gradients(stage + v, line, r.count, y + squares * kOutputs + v, y_plane_);
        }
        squares += r.count;
      }
    }
  }

  // One of so many parts of what units [from, to) read: it lies afar, and products leave time to bring it near.
  FLAMBEAU_INLINE void ask_for(const Block& b, int64_t from, int64_t to, int64_t part, int64_t parts) const {
    if (from >= to || cuts_ > 1) return;
    const int64_t image = from / high_, each = b.channels + b.outputs, planes = ((to - 1) / high_ - image + 1) * each;
    for (int64_t i = planes * part / parts; i < planes * (part + 1) / parts; i++) {
      const int64_t at = image + i / each, c = i % each;
      const int64_t first = at == image ? from - at * high_ : 0, last = least(high_, to - at * high_);
      if (c < b.channels) {
        ask_for_rows(elements_at(b, at, c), 2 * first + s_.low[1], 2 * last + 2 + s_.low[1], s_.in[1], s_.in[2]);
      } else {
        ask_for_rows(gradients_at(b, at, c - b.channels), 2 * first, 2 * last, s_.grid[1], s_.grid[2]);
      }
    }
  }
  static FLAMBEAU_INLINE void ask_for_rows(const T* plane, int64_t from, int64_t to, int64_t high, int64_t width) {
    for (int64_t i = (from > 0 ? from : 0) * width; i < least(to, high) * width; i += kLine) {
      __builtin_prefetch(plane + i, 0, 2);
    }
  }

  // ---- sums ----

  // sums[e * kSums + output * W + channel] of a pair of panels, set or added to.
  template <class F>
  void multiply(int64_t outputs, int64_t channels, int64_t squares, const T* x, const T* y, bool add, T* sums,
                const F& ask) const {
    const Tap tap{0, 0};
    TileWork<T> work{};
    work.taps = &tap;
    work.count = 1;
    work.channels = squares;
    work.x_channel = kOutputs;
    work.w_channel = W;
    work.add = add;
    work.out_step = W;
    const bool narrow = channels <= L;
    const int64_t most = narrow ? tile_positions(1) : kTilePositions, tiles = (outputs + most - 1) / most;
    for (int64_t e = 0; e < kElements; e++) {
      ask(e);
      work.w = x + e * x_plane_;
      for (int64_t tile = 0; tile < tiles; tile++) {
        const int64_t at = outputs * tile / tiles, end = outputs * (tile + 1) / tiles;
        work.x = y + e * y_plane_ + at;
        work.out = sums + e * kSums + at * W;
        // Sums of earlier bands, while those of this one take their time.
        for (int64_t i = 0; add && i < (end - at) * W; i += kLine) __builtin_prefetch(work.out + i, 1);
        if (narrow) {
          convolve_positions<T, 1>(end - at, work);
        } else {
          convolve_positions<T, kTileVectors>(end - at, work);
        }
      }
    }
  }

  // The taps of a pair of panels: out[(output * s.c + channel) * 9 + tap].
  void emit_taps(int64_t outputs, int64_t channels, const T* sums, T* out) const {
    T taps[kTaps * L];
    for (int64_t o = 0; o < outputs; o++, out += s_.c * kTaps) {
      const int64_t left = o + kAhead < outputs ? channels * kTaps : 0;
      for (int64_t i = 0; i < left; i += kLine) __builtin_prefetch(out + kAhead * s_.c * kTaps + i, 1);
      for (int64_t v = 0; v < channels; v += L) {
        Transforms::join_taps(sums + o * W + v, taps);
        Transforms::store_taps(taps, least(channels - v, L), out + v * kTaps);
      }
    }
  }

  Lowered<T> s_;
  const T* gy_;
  T* gw_;
  int threads_;
  int64_t high_, wide_;  // of a plane: rows of squares, squares of a row
  int64_t run_, cuts_;   // a run's squares, and how many runs a row has
  int64_t units_, band_, bands_;
  int64_t o_block_, c_block_, o_blocks_, c_blocks_, splits_;
  int64_t x_plane_, y_plane_;
  bool usual_ = true;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
