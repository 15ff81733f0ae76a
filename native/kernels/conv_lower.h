// What the convolution paths share: a convolution seen as a matrix product [o, taps] x [taps, positions], whose second
// operand is never built whole but gathered from the image piece by piece.
#pragma once
#include "kernels/gemm_blocked.h"
#include "kernels/rows.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// x: [n, groups, c, in...], c and o counted per group. Position q of the grid reads x at q * stride + taps[i] in each
// dimension and zero outside; a forward convolution has taps[i] = i * dilation - pad. Element (image, group, channel,
// q) of the result is at y + image * y_image + (group * o + channel) * y_channel + sum of q * y_step.
// With phases a position stands for as many results side by side, at q * phases + phase, and each tap counts for one of
// them alone: the gradient by the input of a convolution with a stride.
template <class T>
struct Lowered {
  int64_t n, groups, c, o;
  int64_t in[3], grid[3], stride[3];
  const int64_t* taps[3];
  int64_t count[3], low[3], span[3];  // how many taps, the lowest, and the distance from it to the highest plus one
  const T* x;
  // Weights: [groups * o, c, taps], or, when transposed, [groups * c, o, kernel], where tap_index lists the places of
  // the taps among `kernel` ones.
  const T* w;
  bool transposed;
  const int64_t* tap_index;
  int64_t kernel;
  const T* packed;  // the weights as a direct convolution packs them, or null
  const T* bias;    // [groups * o] or null
  T* y;
  int64_t y_image, y_channel, y_step[3];
  int64_t phases[3], size[3];  // size: how many results there are, up to grid * phases
  const int64_t* phase[3];     // of each tap

  int64_t plane() const { return in[0] * in[1] * in[2]; }
  int64_t positions() const { return grid[0] * grid[1] * grid[2]; }
  int64_t volume() const { return count[0] * count[1] * count[2]; }
};

// A run of positions within one row of the grid.
struct Segment {
  int64_t image, d, h, w, length;
};

// The longest segment that starts at position p, counted through all images, and ends before `end`.
template <class T>
FLAMBEAU_INLINE Segment segment_at(const Lowered<T>& s, int64_t p, int64_t end) {
  const int64_t size = s.positions(), image = p / size, rest = p - image * size;
  const int64_t row = rest / s.grid[2], w = rest - row * s.grid[2];
  const int64_t d = row / s.grid[1], h = row - d * s.grid[1];
  const int64_t length = s.grid[2] - w < end - p ? s.grid[2] - w : end - p;
  return {image, d, h, w, length};
}

template <class T>
FLAMBEAU_INLINE void zero_run(T* dst, int64_t n) {
  constexpr int L = kLanes<T>;
  int64_t i = 0;
  for (; i + L <= n; i += L) store(dst + i, V<T>{});
  if (i < n) store_n(dst + i, V<T>{}, static_cast<int>(n - i));
}

template <class T>
FLAMBEAU_INLINE void copy_run(T* dst, const T* src, int64_t n) {
  constexpr int L = kLanes<T>;
  int64_t i = 0;
  for (; i + L <= n; i += L) store(dst + i, load(src + i));
  if (i < n) store_n(dst + i, load_n(src + i, static_cast<int>(n - i)), static_cast<int>(n - i));
}

// A row of a window: dst[i] = row[first + i * stride] for i < n, zero outside [0, width); row may be null when all of
// it is outside. Whole vectors are written, up to a vector beyond n: the next row, or the room at the window's end.
// What is read stays below `end`, where the tensor ends.
template <class T>
FLAMBEAU_INLINE void gather_run(T* dst, int64_t n, const T* row, int64_t first, int64_t stride, int64_t width,
                                const T* end) {
  constexpr int L = kLanes<T>;
  if (!row) {
    for (int64_t i = 0; i < n; i += L) store(dst + i, V<T>{});
    return;
  }
  const int64_t begin = first >= 0 ? 0 : stride == 1 ? -first : (stride - 1 - first) / stride;
  int64_t stop = first + (n - 1) * stride < width ? n
                 : stride == 1                    ? width - first
                                                  : (width - first + stride - 1) / stride;
  if (stop < begin) stop = begin;
  if (begin >= n) {
    for (int64_t i = 0; i < n; i += L) store(dst + i, V<T>{});
    return;
  }
  for (int64_t i = 0; i < begin; i += L) store(dst + i, V<T>{});
  const T* from = row + first;
  int64_t i = begin;
  if (stride == 1) {
    if (from + stop + L <= end) {
      for (; i < stop; i += L) store(dst + i, load(from + i));
    } else {
      for (; i + L <= stop; i += L) store(dst + i, load(from + i));
      if (i < stop) store(dst + i, load_n(from + i, static_cast<int>(stop - i)));
    }
  } else {
    if (stride == 2) {
      for (; i + L <= stop; i += L) load_second(from + 2 * i).store(dst + i);
      if (i < stop) load_second(from + 2 * i, static_cast<int>(stop - i)).store(dst + i);
      i = stop;
    }
    for (; i < stop; i++) dst[i] = from[i * stride];
  }
  for (i = stop; i < n; i += L) store(dst + i, V<T>{});
}

// The input row (d, h) of a plane, or null outside.
template <class T>
FLAMBEAU_INLINE const T* row_at(const Lowered<T>& s, const T* plane, int64_t d, int64_t h) {
  const bool inside = d >= 0 && d < s.in[0] && h >= 0 && h < s.in[1];
  return inside ? plane + (d * s.in[1] + h) * s.in[2] : nullptr;
}

// Work for all threads in turn: calls task(slot, i) for i in [0, tasks), slot < threads naming a workspace of its own.
template <class F>
void share(int64_t tasks, int threads, const F& task) {
  if (threads == 1) {
    for (int64_t i = 0; i < tasks; i++) task(0, i);
    return;
  }
  int64_t next = 0;
  parallel(0, threads, 1, [&](int64_t slot, int64_t) {
    for (;;) {
      const int64_t i = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
      if (i >= tasks) return;
      task(slot, i);
    }
  });
}

// multiply_block for so many rows at a time that their panels stay in the second-level cache.
template <class T>
void multiply_rows(int64_t m, int64_t n, int64_t k, const T* a, const T* b, const Target<T>& c, const Epilogue<T>& e) {
  const int64_t most = (256 << 10) / (k * static_cast<int64_t>(sizeof(T))) + 1;
  const int64_t step = even_piece(m, most, kRows<T>);
  for (int64_t i = 0; i < m; i += step) {
    multiply_block<T>(m - i < step ? m - i : step, n, k, a + i * k, b, c.at(i, 0), e.at(i, 0));
  }
}

constexpr int64_t kConvDepth = 256;      // taps in a panel, as far as one channel has no more
constexpr int64_t kConvPositions = 256;  // positions in a task

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
