// The gradient of a convolution by its weight: [o, taps] = gy [o, positions] x (second operand) [taps, positions]^T,
// summed over the images.
#pragma once
#include "kernels/conv_tile.h"
#include "kernels/conv_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Panels of W taps from a window: dst[(j / W * depth + position) * W + j % W] for taps offsets[j], j < taps, and zeros
// for those that are missing in the last panel.
template <class T, int W>
__attribute__((noinline)) void pack_taps(const Window<T>& window, const T* data, int64_t p, int64_t depth,
                                         const int64_t* offsets, int64_t taps, T* dst) {
  constexpr int L = kLanes<T>;
  if (taps % W != 0) zero_run(dst + taps / W * W * depth, W * depth);
  for (int64_t at = 0; at < depth;) {
    const Segment q = segment_at(window.s, p + at, p + depth);
    const T* from = data + window.place(p, q);
    for (int64_t j = 0; j < taps; j += L) {
      const int rows = static_cast<int>(taps - j < L ? taps - j : L);
      T* out = dst + (j / W * depth + at) * W + j % W;
      for (int64_t i = 0; i < q.length; i += L, out += L * W) {
        const int count = static_cast<int>(q.length - i < L ? q.length - i : L);
        V<T> v[L];
        if (rows == L && count == L) {
#pragma GCC unroll 16
          for (int r = 0; r < L; r++) v[r] = load(from + offsets[j + r] + i);
        } else {
          for (int r = 0; r < L; r++) v[r] = r < rows ? load_n(from + offsets[j + r] + i, count) : V<T>{};
        }
        transpose_vectors<T>(v);
#pragma GCC unroll 16
        for (int r = 0; r < L; r++) {
          if (r < count) store(out + r * W, v[r]);
        }
      }
    }
    at += q.length;
  }
}

// The lowered convolution's y is gy here and its w is not used; gw: [groups * o, c * taps].
template <class T>
class WeightGradient {
  static constexpr int R = kRows<T>, C = kCols<T>;
  static constexpr int64_t kTaps = 288, kMostPartial = 4 << 20;
  static constexpr int64_t kLargePlane = 128;  // positions of an image that are a block of their own

 public:
  WeightGradient(const Lowered<T>& s, const T* gy, T* gw, int threads)
      : s_(s), gy_(gy), gw_(gw), threads_(threads), window_(s, C, false) {
    columns_ = s.c * s.volume();
    piece_ = even_piece(columns_, kTaps, C);
    rows_ = round_up(s.o, R);
    const bool by_row = s.grid[2] >= kConvPositions;
    in_image_ = by_row || s.positions() >= kLargePlane;
    range_ = by_row ? s.grid[2] : in_image_ ? s.positions() : s.n * s.positions();
    depth_ = even_piece(range_, kConvDepth, 1);
    steps_ = (range_ + depth_ - 1) / depth_;
    blocks_ = s.n * s.positions() / range_ * steps_;
    window_ = Window<T>(s, depth_, by_row, in_image_);
    const int64_t channels = piece_ / s.volume() + 2;
    window_.set_block(channels < s.c ? channels : s.c);
    // With few pieces the positions are divided among the threads as well, each with sums of its own. How they are
    // divided depends on the number of threads alone, so a result can be had again.
    const int64_t pieces = s.groups * ((columns_ + piece_ - 1) / piece_);
    splits_ = pieces >= 2 * threads || threads == 1 ? 1 : (2 * threads + pieces - 1) / pieces;
    if (splits_ > blocks_) splits_ = blocks_;
    const int64_t most = 1 + kMostPartial / (gw_bytes() + 1);
    if (splits_ > most) splits_ = most;
  }

  int64_t bytes() const { return offset_bytes() + (splits_ - 1) * gw_bytes() + threads_ * slot_bytes(); }

  void run(void* workspace) {
    offsets_ = static_cast<int64_t*>(workspace);
    window_.list_offsets(offsets_);
    char* partial = static_cast<char*>(workspace) + offset_bytes();
    char* slots = partial + (splits_ - 1) * gw_bytes();
    const int64_t pieces = (columns_ + piece_ - 1) / piece_;
    share(splits_ * s_.groups * pieces, threads_, [&](int64_t slot, int64_t i) {
      const int64_t piece = i % pieces, g = i / pieces % s_.groups, split = i / pieces / s_.groups;
      T* out = split == 0 ? gw_ : reinterpret_cast<T*>(partial + (split - 1) * gw_bytes());
      sum(g, piece * piece_, blocks_ * split / splits_, blocks_ * (split + 1) / splits_, out,
          slots + slot * slot_bytes());
    });
    if (splits_ == 1) return;
    const int64_t size = s_.groups * s_.o * columns_;
    parallel(0, size, 16384, [&](int64_t begin, int64_t end) {
      for (int64_t split = 1; split < splits_; split++) {
        const T* add = reinterpret_cast<const T*>(partial + (split - 1) * gw_bytes());
        for (int64_t i = begin; i < end; i++) gw_[i] += add[i];
      }
    });
  }

 private:
  int64_t offset_bytes() const { return round_up(window_.block * s_.volume() * 8, 64); }
  int64_t gw_bytes() const { return round_up(s_.groups * s_.o * columns_ * static_cast<int64_t>(sizeof(T)), 64); }
  int64_t a_bytes() const { return in_image_ ? 0 : round_up(rows_ * depth_ * static_cast<int64_t>(sizeof(T)), 64); }
  int64_t b_bytes() const { return round_up(piece_ * depth_ * static_cast<int64_t>(sizeof(T)), 64); }
  int64_t slot_bytes() const { return a_bytes() + b_bytes() + window_.bytes(); }

  // Columns [k0, k0 + piece) of group g, summed over blocks [first, last) of positions.
  void sum(int64_t g, int64_t k0, int64_t first, int64_t last, T* out, char* own) {
    T* a = reinterpret_cast<T*>(own);
    T* b = reinterpret_cast<T*>(own + a_bytes());
    T* window = reinterpret_cast<T*>(own + a_bytes() + b_bytes());
    const int64_t width = columns_ - k0 < piece_ ? columns_ - k0 : piece_, plane = s_.positions();
    const int64_t c0 = k0 / s_.volume(), c1 = (k0 + width + s_.volume() - 1) / s_.volume();
    for (int64_t block = first; block < last; block++) {
      const int64_t start = block % steps_ * depth_, p = block / steps_ * range_ + start;
      const int64_t depth = range_ - start < depth_ ? range_ - start : depth_;
      const T* data = window_.fill(g, c0, c1, p, depth, window);
      pack_taps<T, C>(window_, data, p, depth, offsets_ + (k0 - c0 * s_.volume()), width, b);
      Epilogue<T> e;
      e.beta = block > first ? T(1) : T(0);
      const Target<T> target{out + g * s_.o * columns_ + k0, columns_, 1};
      if (in_image_) {  // a row of gy serves as it lies
        const T* gy = gy_ + (p / plane * s_.groups + g) * s_.o * plane + p % plane;
        multiply_unpacked<T>(s_.o, width, depth, gy, plane, b, target, e);
        continue;
      }
      for (int64_t at = 0; at < depth;) {  // image by image
        const int64_t image = (p + at) / plane, from = (p + at) % plane;
        const int64_t length = plane - from < depth - at ? plane - from : depth - at;
        const Operand<T> gy{gy_ + (image * s_.groups + g) * s_.o * plane + from, plane, 1};
        for (int64_t i = 0; i < s_.o; i += R) {
          pack_panel<T, R>(a + i * depth + at * R, gy.at(i, 0), s_.o - i < R ? s_.o - i : R, length);
        }
        at += length;
      }
      multiply_rows<T>(s_.o, width, depth, a, b, target, e);
    }
  }

  Lowered<T> s_;
  const T* gy_;
  T* gw_;
  int threads_;
  Window<T> window_;
  bool in_image_;
  int64_t columns_, piece_, rows_, range_, depth_, steps_, blocks_, splits_;
  int64_t* offsets_ = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
