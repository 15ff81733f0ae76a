// The gradient of a convolution by its weight: [o, taps] = gy [o, positions] x (second operand) [taps, positions]^T,
// summed over the images.
#pragma once
#include "kernels/conv_lower.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// The lowered convolution's y is gy here and its w is not used; gw: [groups * o, c * taps].
template <class T, int R>
class WeightGradient {
  static constexpr int C = kCols<T>;
  static constexpr int64_t kTaps = 288, kMostPartial = 4 << 20;

 public:
  WeightGradient(const Lowered<T>& s, const T* gy, T* gw, int threads) : s_(s), gy_(gy), gw_(gw), threads_(threads) {
    columns_ = s.c * s.volume();
    positions_ = s.n * s.positions();
    piece_ = even_piece(columns_, kTaps, C);
    depth_ = even_piece(positions_, kConvDepth, 1);
    rows_ = round_up(s.o, R);
    // With few pieces the positions are divided among the threads as well, each with sums of its own. How they are
    // divided depends on the number of threads alone, so a result can be had again.
    const int64_t pieces = s.groups * ((columns_ + piece_ - 1) / piece_);
    const int64_t blocks = (positions_ + depth_ - 1) / depth_;
    splits_ = pieces >= 2 * threads ? 1 : (2 * threads + pieces - 1) / pieces;
    if (threads == 1) splits_ = 1;
    if (splits_ > blocks) splits_ = blocks;
    const int64_t most = 1 + kMostPartial / (gw_bytes() + 1);
    if (splits_ > most) splits_ = most;
  }

  int64_t bytes() const { return (splits_ - 1) * gw_bytes() + threads_ * slot_bytes(); }

  void run(void* workspace) {
    char* partial = static_cast<char*>(workspace);
    char* slots = partial + (splits_ - 1) * gw_bytes();
    const int64_t pieces = (columns_ + piece_ - 1) / piece_, blocks = (positions_ + depth_ - 1) / depth_;
    share(splits_ * s_.groups * pieces, threads_, [&](int64_t slot, int64_t i) {
      const int64_t piece = i % pieces, g = i / pieces % s_.groups, split = i / pieces / s_.groups;
      T* out = split == 0 ? gw_ : reinterpret_cast<T*>(partial + (split - 1) * gw_bytes());
      const int64_t first = blocks * split / splits_ * depth_, last = blocks * (split + 1) / splits_ * depth_;
      sum(g, piece * piece_, first, last < positions_ ? last : positions_, out, slots + slot * slot_bytes());
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
  int64_t gw_bytes() const { return round_up(s_.groups * s_.o * columns_ * static_cast<int64_t>(sizeof(T)), 64); }
  int64_t a_bytes() const { return round_up(rows_ * depth_ * static_cast<int64_t>(sizeof(T)), 64); }
  int64_t b_bytes() const { return round_up(piece_ * depth_ * static_cast<int64_t>(sizeof(T)), 64); }
  int64_t slot_bytes() const { return a_bytes() + 2 * b_bytes(); }

  // Columns [k0, k0 + piece) of group g, summed over positions [first, last).
  void sum(int64_t g, int64_t k0, int64_t first, int64_t last, T* out, char* own) {
    T* a = reinterpret_cast<T*>(own);
    T* b = reinterpret_cast<T*>(own + a_bytes());
    T* lines = reinterpret_cast<T*>(own + a_bytes() + b_bytes());
    const int64_t width = columns_ - k0 < piece_ ? columns_ - k0 : piece_, plane = s_.positions();
    for (int64_t p = first; p < last; p += depth_) {
      const int64_t depth = last - p < depth_ ? last - p : depth_;
      gather_rows(s_, g, k0, k0 + width, p, depth, lines, depth_);
      pack<T, C>(b, Operand<T>{lines, depth_, 1}, width, depth);
      for (int64_t at = 0; at < depth;) {  // image by image
        const int64_t image = (p + at) / plane, start = (p + at) % plane;
        const int64_t length = plane - start < depth - at ? plane - start : depth - at;
        const Operand<T> gy{gy_ + (image * s_.groups + g) * s_.o * plane + start, plane, 1};
        for (int64_t i = 0; i < s_.o; i += R) {
          pack_panel<T, R>(a + i * depth + at * R, gy.at(i, 0), s_.o - i < R ? s_.o - i : R, length);
        }
        at += length;
      }
      Epilogue<T> e;
      e.beta = p > first ? T(1) : T(0);
      multiply_rows<T, R>(s_.o, width, depth, a, b, Target<T>{out + g * s_.o * columns_ + k0, columns_, 1}, e);
    }
  }

  Lowered<T> s_;
  const T* gy_;
  T* gw_;
  int threads_;
  int64_t columns_, positions_, piece_, depth_, rows_, splits_;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
