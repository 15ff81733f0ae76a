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
template <class T>
struct Lowered {
  int64_t n, groups, c, o;
  int64_t in[3], grid[3], stride[3];
  const int64_t* taps[3];
  int64_t count[3];
  const T* x;
  // Weights: [groups * o, c, taps], or, where tap_index lists their places among `kernel` ones, [groups * c, o,
  // kernel].
  const T* w;
  const int64_t* tap_index;
  int64_t kernel;
  const T* bias;  // [groups * o] or null
  T* y;
  int64_t y_image, y_channel, y_step[3];

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

// dst[i] = src[i] for i in [begin, end), zero for the rest of [0, n).
template <class T>
FLAMBEAU_INLINE void clip_run(T* dst, const T* src, int64_t n, int64_t begin, int64_t end) {
#if defined(__AVX512F__)
  constexpr int L = kLanes<T>;
  const auto low = [](int64_t lanes) {  // a mask of so many lanes
    return _bzhi_u32(0xffff, static_cast<unsigned>(lanes < 0 ? 0 : lanes < 16 ? lanes : 16));
  };
  for (int64_t i = 0; i < n; i += L) {
    const unsigned in = low(end - i) & ~low(begin - i), out = low(n - i);
    if constexpr (sizeof(T) == 4) {
      _mm512_mask_storeu_ps(dst + i, static_cast<__mmask16>(out),
                            _mm512_maskz_loadu_ps(static_cast<__mmask16>(in), src + i));
    } else {
      _mm512_mask_storeu_pd(dst + i, static_cast<__mmask8>(out),
                            _mm512_maskz_loadu_pd(static_cast<__mmask8>(in), src + i));
    }
  }
#else
  for (int64_t i = 0; i < begin; i++) dst[i] = T(0);
  if (begin < end) copy_run(dst + begin, src + begin, end - begin);
  for (int64_t i = end; i < n; i++) dst[i] = T(0);
#endif
}

// dst[i] = row[first + i * stride], zero outside [0, width). row may be null when the whole row is outside.
template <class T>
FLAMBEAU_INLINE void gather_run(T* dst, int64_t n, const T* row, int64_t first, int64_t stride, int64_t width) {
  constexpr int L = kLanes<T>;
  if (!row) return zero_run(dst, n);
  int64_t begin = 0, end = n;
  if (stride == 1) {
    if (first < 0) begin = -first < n ? -first : n;
    if (first + n > width) end = width - first > begin ? width - first : begin;
    return clip_run(dst, row + first, n, begin, end);
  }
  if (first < 0) begin = (stride - 1 - first) / stride < n ? (stride - 1 - first) / stride : n;
  if (first + (n - 1) * stride >= width) {
    end = first >= width ? begin : (width - first + stride - 1) / stride;
    if (end < begin) end = begin;
  }
  for (int64_t i = 0; i < begin; i++) dst[i] = T(0);
  int64_t i = begin;
  if (stride == 2) {
    for (; i + L <= end; i += L) load_second(row + first + 2 * i).store(dst + i);
  }
  for (; i < end; i++) dst[i] = row[first + i * stride];
  for (; i < n; i++) dst[i] = T(0);
}

// The input row (d, h) of a plane, or null outside.
template <class T>
FLAMBEAU_INLINE const T* row_at(const Lowered<T>& s, const T* plane, int64_t d, int64_t h) {
  const bool inside = d >= 0 && d < s.in[0] && h >= 0 && h < s.in[1];
  return inside ? plane + (d * s.in[1] + h) * s.in[2] : nullptr;
}

// One panel of the second operand: dst[k * W + j] for the `width` <= W positions from p on and the taps of channels
// [c0, c1) of group g, in the order (channel, taps); positions beyond the width become zeros.
template <class T, int W>
__attribute__((noinline)) void pack_positions(const Lowered<T>& s, int64_t g, int64_t c0, int64_t c1, int64_t p,
                                              int64_t width, T* dst) {
  if (width < W) zero_run(dst, (c1 - c0) * s.volume() * W);
  const int64_t plane = s.plane();
  for (int64_t at = 0; at < width;) {
    const Segment q = segment_at(s, p + at, p + width);
    const T* image = s.x + (q.image * s.groups + g) * s.c * plane;
    const int64_t w = q.w * s.stride[2];
    // Whether all taps of the whole segment lie inside the row: true but for the first and last segments of a row.
    const bool whole = q.length == W && s.stride[2] == 1 && w + s.taps[2][0] >= 0 &&
                       w + s.taps[2][s.count[2] - 1] >= 0 && w + s.taps[2][0] + W <= s.in[2] &&
                       w + s.taps[2][s.count[2] - 1] + W <= s.in[2];
    T* out = dst + at;
    for (int64_t c = c0; c < c1; c++) {
      for (int64_t i = 0; i < s.count[0]; i++) {
        for (int64_t j = 0; j < s.count[1]; j++) {
          const T* row =
              row_at(s, image + c * plane, q.d * s.stride[0] + s.taps[0][i], q.h * s.stride[1] + s.taps[1][j]);
          if (whole && row) {
            for (int64_t k = 0; k < s.count[2]; k++, out += W) copy_run(out, row + w + s.taps[2][k], W);
          } else {
            for (int64_t k = 0; k < s.count[2]; k++, out += W) {
              gather_run(out, q.length, row, w + s.taps[2][k], s.stride[2], s.in[2]);
            }
          }
        }
      }
    }
    at += q.length;
  }
}

// Rows [k0, k1) of the second operand as they are: dst[(k - k0) * pitch + j] for the `width` positions from p on.
// k counts (channel, taps).
template <class T>
__attribute__((noinline)) void gather_rows(const Lowered<T>& s, int64_t g, int64_t k0, int64_t k1, int64_t p,
                                           int64_t width, T* dst, int64_t pitch) {
  const int64_t plane = s.plane(), volume = s.volume();
  for (int64_t at = 0; at < width;) {
    const Segment q = segment_at(s, p + at, p + width);
    const T* image = s.x + (q.image * s.groups + g) * s.c * plane;
    int64_t c = k0 / volume, tap = k0 % volume;
    int64_t n = tap % s.count[2], j = tap / s.count[2] % s.count[1], i = tap / s.count[2] / s.count[1];
    T* out = dst + at;
    for (int64_t k = k0; k < k1;) {
      const T* row = row_at(s, image + c * plane, q.d * s.stride[0] + s.taps[0][i], q.h * s.stride[1] + s.taps[1][j]);
      for (; n < s.count[2] && k < k1; n++, k++, out += pitch) {
        gather_run(out, q.length, row, q.w * s.stride[2] + s.taps[2][n], s.stride[2], s.in[2]);
      }
      n = 0;
      if (++j == s.count[1]) {
        j = 0;
        if (++i == s.count[0]) {
          i = 0;
          c++;
        }
      }
    }
    at += q.length;
  }
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
template <class T, int R>
void multiply_rows(int64_t m, int64_t n, int64_t k, const T* a, const T* b, const Target<T>& c, const Epilogue<T>& e) {
  const int64_t most = (256 << 10) / (k * static_cast<int64_t>(sizeof(T))) + 1;
  const int64_t step = even_piece(m, most, R);
  for (int64_t i = 0; i < m; i += step) {
    multiply_block<T, R>(m - i < step ? m - i : step, n, k, a + i * k, b, c.at(i, 0), e.at(i, 0));
  }
}

// Few channels would leave most of a tall tile empty: a tile of four rows runs a little slower, but full.
constexpr int kFewRows = 4;
template <class T>
bool has_few_rows(int64_t o) {
  return round_up(o, kFewRows) * 8 <= round_up(o, kRows<T>) * 7;
}

constexpr int64_t kConvDepth = 256;      // taps in a panel, as far as one channel has no more
constexpr int64_t kConvPositions = 256;  // positions in a task

// y of a lowered convolution, in tiles of R rows.
template <class T, int R>
class Convolution {
  static constexpr int C = kCols<T>;

 public:
  Convolution(const Lowered<T>& s, int threads) : s_(s), threads_(threads) {
    const int64_t volume = s.volume();
    block_ = even_piece(s.c, kConvDepth / volume > 0 ? kConvDepth / volume : 1, 1);
    const bool dense = s.y_step[2] == 1 && s.y_step[1] == s.grid[2] && s.y_step[0] == s.grid[1] * s.grid[2];
    // Small images are taken together, so that the panels are full; the result then goes through a stage.
    merged_ = s.n > 1 && s.positions() < 4 * C;
    staged_ = merged_ || !dense;
    range_ = merged_ ? s.n * s.positions() : s.positions();
    piece_ = even_piece(range_, kConvPositions, C);
    const int64_t others = s.groups * (merged_ ? 1 : s.n);
    if (threads > 1 && others * (range_ / piece_) < 2 * threads) {
      const int64_t wanted = (2 * threads + others - 1) / others;
      piece_ = even_piece(range_, round_up((range_ + wanted - 1) / wanted, C), C);
    }
    panels_ = round_up(s.o, R);
  }

  int64_t bytes() const { return weight_bytes() + threads_ * (panel_bytes() + stage_bytes()); }

  void run(void* workspace) {
    weights_ = static_cast<T*>(workspace);
    char* slots = static_cast<char*>(workspace) + weight_bytes();
    const int64_t k = s_.c * s_.volume();
    // Weights: [groups][block of channels][panel of rows][taps][R].
    const int64_t blocks = (s_.c + block_ - 1) / block_;
    share(s_.groups * blocks, threads_, [&](int64_t, int64_t i) {
      const int64_t g = i / blocks, c0 = i % blocks * block_, depth = depth_of(c0);
      T* out = weights_ + (g * k + c0 * s_.volume()) * panels_;
      if (s_.tap_index) {
        pack_transposed(out, g, c0, depth / s_.volume());
      } else {
        pack<T, R>(out, Operand<T>{s_.w + g * s_.o * k + c0 * s_.volume(), k, 1}, s_.o, depth);
      }
    });
    const int64_t pieces = (range_ + piece_ - 1) / piece_, images = merged_ ? 1 : s_.n;
    share(images * s_.groups * pieces, threads_, [&](int64_t slot, int64_t i) {
      char* own = slots + slot * (panel_bytes() + stage_bytes());
      const int64_t p = i % pieces * piece_, g = i / pieces % s_.groups, image = i / pieces / s_.groups;
      const int64_t width = range_ - p < piece_ ? range_ - p : piece_;
      multiply(image, g, p, width, reinterpret_cast<T*>(own), reinterpret_cast<T*>(own + panel_bytes()));
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

  int64_t depth_of(int64_t c0) const { return (s_.c - c0 < block_ ? s_.c - c0 : block_) * s_.volume(); }
  int64_t weight_bytes() const {
    return round_up(s_.groups * panels_ * s_.c * s_.volume() * static_cast<int64_t>(sizeof(T)), 64);
  }
  int64_t panel_bytes() const {
    return round_up(block_ * s_.volume() * piece_ * static_cast<int64_t>(sizeof(T)), 64);
  }
  int64_t stage_bytes() const {
    return staged_ ? round_up(s_.o * piece_ * static_cast<int64_t>(sizeof(T)), 64) : 0;
  }

  void multiply(int64_t image, int64_t g, int64_t p, int64_t width, T* panels, T* stage) {
    const int64_t from = image * s_.positions() + p;
    T* y = s_.y + image * s_.y_image + g * s_.o * s_.y_channel + p;
    const Target<T> target = staged_ ? Target<T>{stage, piece_, 1} : Target<T>{y, s_.y_channel, 1};
    for (int64_t c0 = 0; c0 < s_.c; c0 += block_) {
      const int64_t depth = depth_of(c0), c1 = c0 + block_ < s_.c ? c0 + block_ : s_.c;
      for (int64_t j = 0; j < width; j += C) {
        pack_positions<T, C>(s_, g, c0, c1, from + j, width - j < C ? width - j : C, panels + j * depth);
      }
      Epilogue<T> e;
      e.beta = c0 > 0 ? T(1) : T(0);
      if (s_.bias && c1 == s_.c) e.row_bias = s_.bias + g * s_.o;
      const T* weights = weights_ + (g * s_.c + c0) * s_.volume() * panels_;
      multiply_rows<T, R>(s_.o, width, depth, weights, panels, target, e);
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
  bool merged_, staged_;
  int64_t block_, piece_, range_, panels_;
  T* weights_ = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
