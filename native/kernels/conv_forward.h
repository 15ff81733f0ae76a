// The lowered convolution as blocked matrix products: weights packed once, positions packed tile by tile.
#pragma once
#include "kernels/conv_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t kConvWindow = 65536;  // elements of a window, as far as one channel has no more
constexpr int64_t kConvBand = 2048;     // positions of a window: neighbouring runs share most of their rows
constexpr int64_t kConvUnpacked = 8;    // panels of positions up to which the weights are not packed

// y of a lowered convolution: bands of positions, each with its window, panel by panel.
template <class T>
class Convolution {
  static constexpr int R = kRows<T>, C = kCols<T>;

 public:
  Convolution(const Lowered<T>& s, int threads) : s_(s), threads_(threads), window_(s, C, false) {
    const bool dense = s.y_step[2] == 1 && s.y_step[1] == s.grid[2] && s.y_step[0] == s.grid[1] * s.grid[2];
    // Small images are taken together, so that the panels are full; the result then goes through a stage.
    merged_ = s.n > 1 && s.positions() < 4 * C;
    staged_ = merged_ || !dense;
    // Wide rows are cut by themselves, so that a window need not hold two of them.
    const bool by_row = !merged_ && s.grid[2] >= kConvPositions;
    rows_ = by_row ? s.grid[0] * s.grid[1] : 1;
    range_ = by_row ? s.grid[2] : merged_ ? s.n * s.positions() : s.positions();
    piece_ = even_piece(range_, kConvPositions, C);
    const int64_t others = s.groups * rows_ * (merged_ ? 1 : s.n);
    if (threads > 1 && others * (range_ / piece_) < 2 * threads) {
      const int64_t wanted = (2 * threads + others - 1) / others;
      piece_ = even_piece(range_, round_up((range_ + wanted - 1) / wanted, C), C);
    }
    window_ = Window<T>(s, piece_, by_row);
    int64_t most = kConvDepth / s.volume();
    if (most > fitting(window_)) most = fitting(window_);
    block_ = even_piece(s.c, most > 0 ? most : 1, 1);
    run_ = piece_;
    if (!staged_ && !window_.direct) widen(others, by_row);
    window_.set_block(block_);
    panels_ = round_up(s.o, R);
    packed_ = s.transposed || s.n * s.positions() > kConvUnpacked * C;
  }

  int64_t bytes() const { return offset_bytes() + weight_bytes() + threads_ * slot_bytes(); }

  void run(void* workspace) {
    offsets_ = static_cast<int64_t*>(workspace);
    window_.list_offsets(offsets_);
    weights_ = reinterpret_cast<T*>(static_cast<char*>(workspace) + offset_bytes());
    char* slots = reinterpret_cast<char*>(weights_) + weight_bytes();
    const int64_t k = s_.c * s_.volume();
    // Weights: [groups][block of channels][panel of rows][taps][R].
    const int64_t blocks = (s_.c + block_ - 1) / block_;
    share(packed_ ? s_.groups * blocks : 0, threads_, [&](int64_t, int64_t i) {
      const int64_t g = i / blocks, c0 = i % blocks * block_, depth = depth_of(c0);
      T* out = weights_ + (g * k + c0 * s_.volume()) * panels_;
      if (s_.transposed) {
        pack_transposed(out, g, c0, depth / s_.volume());
      } else {
        pack<T, R>(out, Operand<T>{s_.w + g * s_.o * k + c0 * s_.volume(), k, 1}, s_.o, depth);
      }
    });
    const int64_t pieces = (range_ + piece_ - 1) / piece_, images = merged_ ? 1 : s_.n;
    share(images * s_.groups * rows_ * pieces, threads_, [&](int64_t slot, int64_t i) {
      const int64_t at = i % pieces * piece_, row = i / pieces % rows_;
      const int64_t g = i / pieces / rows_ % s_.groups, image = i / pieces / rows_ / s_.groups;
      const int64_t width = range_ - at < piece_ ? range_ - at : piece_;
      multiply(image, g, row * s_.grid[2] + at, width, slots + slot * slot_bytes());
    });
  }

 private:
  void pack_transposed(T* out, int64_t g, int64_t c0, int64_t channels) const {
    const int64_t volume = s_.volume();
    for (int64_t i = 0; i < s_.o; i += R) {
      for (int64_t c = c0; c < c0 + channels; c++, out += R * volume) {
        const T* from = s_.w + ((g * s_.c + c) * s_.o + i) * s_.kernel;
        for (int64_t r = 0; r < R; r++, from += s_.kernel) {
          for (int64_t t = 0; t < volume; t++) out[t * R + r] = i + r < s_.o ? from[s_.tap_index[t]] : T(0);
        }
      }
    }
  }

  // The channels for which a window may have room.
  int64_t fitting(const Window<T>& w) const { return kConvWindow / (w.slabs * w.channel); }

  // Takes as many runs together as the window may hold for the same channels, and as leave all threads work.
  void widen(int64_t others, bool by_row) {
    for (int64_t wide = piece_ * 2; wide <= kConvBand && piece_ < range_; wide *= 2) {
      const int64_t pieces = (range_ + wide - 1) / wide;
      const Window<T> window(s_, wide, by_row);
      if (fitting(window) < block_ || (threads_ > 1 && others * pieces < 2 * threads_)) return;
      piece_ = wide;
      window_ = window;
    }
  }

  int64_t depth_of(int64_t c0) const { return (s_.c - c0 < block_ ? s_.c - c0 : block_) * s_.volume(); }
  int64_t weight_bytes() const {
    if (!packed_) return 0;
    return round_up(s_.groups * panels_ * s_.c * s_.volume() * static_cast<int64_t>(sizeof(T)), 64);
  }
  int64_t offset_bytes() const { return round_up(block_ * s_.volume() * 8, 64); }
  int64_t slot_bytes() const { return panel_bytes() + window_.bytes() + stage_bytes(); }
  int64_t panel_bytes() const { return round_up(block_ * s_.volume() * run_ * static_cast<int64_t>(sizeof(T)), 64); }
  int64_t stage_bytes() const { return staged_ ? round_up(s_.o * piece_ * static_cast<int64_t>(sizeof(T)), 64) : 0; }

  void multiply(int64_t image, int64_t g, int64_t p, int64_t width, char* own) {
    T* panels = reinterpret_cast<T*>(own);
    T* window = reinterpret_cast<T*>(own + panel_bytes());
    T* stage = reinterpret_cast<T*>(own + panel_bytes() + window_.bytes());
    const int64_t from = image * s_.positions() + p;
    T* y = s_.y + image * s_.y_image + g * s_.o * s_.y_channel + p;
    const Target<T> target = staged_ ? Target<T>{stage, piece_, 1} : Target<T>{y, s_.y_channel, 1};
    for (int64_t c0 = 0; c0 < s_.c; c0 += block_) {
      const int64_t depth = depth_of(c0), c1 = c0 + block_ < s_.c ? c0 + block_ : s_.c;
      const T* data = window_.fill(g, c0, c1, from, width, window);
      Epilogue<T> e;
      e.beta = c0 > 0 ? T(1) : T(0);
      if (s_.bias && c1 == s_.c) e.row_bias = s_.bias + g * s_.o;
      const T* weights = weights_ + (g * s_.c + c0) * s_.volume() * panels_;
      for (int64_t at = 0; at < width; at += run_) {
        const int64_t run = width - at < run_ ? width - at : run_;
        for (int64_t j = 0; j < run; j += C) {
          pack_positions<T, C>(window_, data, from, from + at + j, run - j < C ? run - j : C, offsets_, depth,
                               panels + j * depth);
        }
        if (packed_) {
          multiply_rows<T>(s_.o, run, depth, weights, panels, target.at(0, at), e);
        } else {
          const int64_t k = s_.c * s_.volume();
          multiply_unpacked<T>(s_.o, run, depth, s_.w + g * s_.o * k + c0 * s_.volume(), k, panels, target.at(0, at),
                               e);
        }
      }
    }
    if (!staged_) return;
    for (int64_t at = 0; at < width;) {
      const Segment q = segment_at(s_, from + at, from + width);
      T* out = s_.y + q.image * s_.y_image + g * s_.o * s_.y_channel + q.d * s_.y_step[0] + q.h * s_.y_step[1] +
               q.w * s_.y_step[2];
      for (int64_t o = 0; o < s_.o; o++) {
        const T* in = stage + o * piece_ + at;
        T* line = out + o * s_.y_channel;
        if (s_.y_step[2] == 1) {
          copy_run(line, in, q.length);
        } else {
          for (int64_t i = 0; i < q.length; i++) line[i * s_.y_step[2]] = in[i];
        }
      }
      at += q.length;
    }
  }

  Lowered<T> s_;
  int threads_;
  Window<T> window_;
  bool merged_, staged_, packed_;
  int64_t block_, piece_, run_, range_, rows_, panels_;  // run_: positions that are packed at a time
  int64_t* offsets_ = nullptr;
  T* weights_ = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
