// Windows: the rows of the image that a run of positions reads, copied with their padding, so that every tap of every
// position is at a fixed distance from the position's own place and no border needs a test.
#pragma once
#include "kernels/conv_lower.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// A row with its padding in lines, one for each remainder of the column modulo the stride that is read, so that what
// neighbouring positions read lies side by side: line r has row[first + r + i * stride] at i.
template <class T>
FLAMBEAU_INLINE void fill_lines(T* dst, int64_t lines, int64_t length, const T* row, int64_t first, int64_t stride,
                                int64_t width, const T* end) {
  for (int64_t r = 0; r < lines; r++) gather_run(dst + r * length, length, row, first + r, stride, width, end);
}

// A window holds [slab][channel][depth tap][row][line]; a slab is the part of the run within one depth of one image.
// Where no position reads outside and neighbours lie side by side, the image itself serves: nothing is copied then.
template <class T>
struct Window {
  Lowered<T> s;
  bool by_row, direct;
  int64_t lines, line, pitch;    // the lines of a row, a line's length, a row's
  int64_t down, rows;            // rows from one position to the one below it, rows of a slab and depth tap
  int64_t channel, slab, slabs;  // the size of a channel in a slab, of a slab, and the number of slabs
  int64_t block = 0;             // channels

  // For runs of at most `piece` positions; by_row: each within one row of the grid, or in_image: in one image.
  Window(const Lowered<T>& lowered, int64_t piece, bool each_in_a_row, bool in_image = false)
      : s(lowered), by_row(each_in_a_row) {
    const int64_t columns = by_row ? piece : s.grid[2], plane = s.grid[1] * s.grid[2];
    line = ((columns - 1) * s.stride[2] + s.span[2] + s.stride[2] - 1) / s.stride[2];
    lines = s.count[2] == 1 ? 1 : s.stride[2];
    pitch = line * lines;
    down = s.count[1] == 1 ? 1 : s.stride[1];
    int64_t height = by_row ? 1 : (piece - 1 + s.grid[2] - 1) / s.grid[2] + 1;
    if (height > s.grid[1]) height = s.grid[1];
    rows = (height - 1) * down + s.span[1];
    slabs = by_row ? 1 : (piece - 1 + plane - 1) / plane + 1;
    const int64_t most = in_image ? s.grid[0] : s.n * s.grid[0];
    if (slabs > most) slabs = most;
    channel = s.count[0] * rows * pitch;
    slab = 0;
    direct = s.stride[2] == 1;
    for (int d = 0; d < 3; d++) {
      direct = direct && s.low[d] >= 0 && (s.grid[d] - 1) * s.stride[d] + s.low[d] + s.span[d] <= s.in[d];
    }
    if (direct) channel = s.plane();
  }

  // Has the image copied even where it could serve, for whole vectors that reach beyond the last row.
  void copy() {
    direct = false;
    channel = s.count[0] * rows * pitch;
  }

  static constexpr int64_t kAhead = 2;  // channels

  void set_block(int64_t channels) {
    block = channels;
    slab = channels * channel;
  }
  int64_t bytes() const {
    return direct ? 0 : round_up((slabs * slab + kLanes<T>)*static_cast<int64_t>(sizeof(T)), 64);
  }

  // The distance of each tap of each channel of a block from its position, in the order (channel, taps).
  void list_offsets(int64_t* out) const {
    for (int64_t c = 0; c < block; c++) {
      for (int64_t i = 0; i < s.count[0]; i++) {
        for (int64_t j = 0; j < s.count[1]; j++) {
          for (int64_t k = 0; k < s.count[2]; k++) {
            const int64_t h = s.taps[1][j] - s.low[1], w = s.taps[2][k] - s.low[2];
            if (direct) {
              *out++ = c * channel + ((s.taps[0][i] - s.low[0]) * s.in[1] + h) * s.in[2] + w;
              continue;
            }
            *out++ = c * channel + (i * rows + h) * pitch + w % s.stride[2] * line + w / s.stride[2];
          }
        }
      }
    }
  }

  // Channels [c0, c1) of group g for the `width` positions from p on, which are counted through all images: filled into
  // `out`, or where they are.
  const T* fill(int64_t g, int64_t c0, int64_t c1, int64_t p, int64_t width, T* out) const {
    if (direct) return s.x + (g * s.c + c0) * s.plane();
    const T* const window = out;
    const T* const beyond = s.x + s.n * s.groups * s.c * s.plane();
    const int64_t plane = s.grid[1] * s.grid[2], first = p / plane, last = (p + width - 1) / plane;
    for (int64_t at = first; at <= last; at++, out += slab) {
      const int64_t begin = at == first ? p - at * plane : 0;
      const int64_t end = at == last ? p + width - 1 - at * plane : plane - 1;
      const int64_t h = begin / s.grid[2], height = end / s.grid[2] - h;
      const int64_t image = at / s.grid[0], d = at - image * s.grid[0];
      const int64_t column = (by_row ? begin % s.grid[2] : 0) * s.stride[2] + s.low[2];
      const int64_t count = height * down + s.span[1], step = s.stride[1] / down;
      for (int64_t c = c0; c < c1; c++) {
        const T* from = s.x + ((image * s.groups + g) * s.c + c) * s.plane();
        for (int64_t i = 0; i < s.count[0]; i++) {
          T* dst = out + (c - c0) * channel + i * rows * pitch;
          for (int64_t r = 0; r < count; r++, dst += pitch) {
            const T* row = row_at(s, from, d * s.stride[0] + s.taps[0][i], h * s.stride[1] + s.low[1] + r * step);
            // Rows are short, and the next channel's lie too far off to be expected.
            for (int64_t i = 0; row && i < s.in[2]; i += 64 / static_cast<int64_t>(sizeof(T))) {
              __builtin_prefetch(row + kAhead * s.plane() + i);
            }
            fill_lines(dst, lines, line, row, column, s.stride[2], s.in[2], beyond);
          }
        }
      }
    }
    return window;
  }

  // The place of a segment's first position in the window that was filled from position p on.
  int64_t place(int64_t p, const Segment& q) const {
    if (direct) {
      const int64_t row = (q.d * s.stride[0] + s.low[0]) * s.in[1] + q.h * s.stride[1] + s.low[1];
      return q.image * s.groups * s.c * channel + row * s.in[2] + q.w + s.low[2];
    }
    const int64_t plane = s.grid[1] * s.grid[2], first = p / plane, at = q.image * s.grid[0] + q.d - first;
    const int64_t rest = p - first * plane, h = at == 0 ? rest / s.grid[2] : 0;
    return at * slab + (q.h - h) * down * pitch + q.w - (by_row ? rest % s.grid[2] : 0);
  }
};

// Lanes [lane, lane + count) of a vector, in the form that the instruction set's masked load wants.
template <class T>
struct Lanes {
  int lane, count;
#if defined(__AVX512F__)
  FLAMBEAU_INLINE Raw<T> load(const T* p) const {  // p is where lane 0 would be
    show_read(p + lane, count * static_cast<int64_t>(sizeof(T)));
    const unsigned mask = ((1u << count) - 1) << lane;
    if constexpr (sizeof(T) == 4) {
      return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), p);
    } else {
      return _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), p);
    }
  }
#elif defined(__AVX2__)
  FLAMBEAU_INLINE Raw<T> load(const T* p) const {
    show_read(p + lane, count * static_cast<int64_t>(sizeof(T)));
    const __m256i below = arch::first_lanes<sizeof(T)>(lane), upto = arch::first_lanes<sizeof(T)>(lane + count);
    const __m256i mask = _mm256_andnot_si256(below, upto);
    if constexpr (sizeof(T) == 4) {
      return _mm256_maskload_ps(p, mask);
    } else {
      return _mm256_maskload_pd(p, mask);
    }
  }
#else
  FLAMBEAU_INLINE Raw<T> load(const T* p) const {
    if (count == kLanes<T>) return Vec<T>::load(p).v;
    T lanes[kLanes<T>] = {};
    for (int i = lane; i < lane + count; i++) lanes[i] = p[i];
    return Vec<T>::load(lanes).v;
  }
#endif
};

template <class T>
FLAMBEAU_INLINE Raw<T> join(Raw<T> a, Raw<T> b) {  // of vectors that are zero where the other is not
  return (Raw<T>)((Raw<Bits<T>>)a | (Raw<Bits<T>>)b);
}

// The part of a segment that falls into one vector of a panel.
template <class T>
struct Piece {
  const T* from;  // where lane 0 would be
  Lanes<T> lanes;
};

// dst[i * stride] for i < k: one vector of a panel, put together from its pieces for every tap.
template <class T>
FLAMBEAU_INLINE void pack_vector(const Piece<T>* pieces, int count, const int64_t* offsets, int64_t k, int64_t stride,
                                 T* dst) {
  if (count == 1 && pieces[0].lanes.count == kLanes<T>) {
    const T* from = pieces[0].from;
    for (int64_t i = 0; i < k; i++, dst += stride) Vec<T>::load(from + offsets[i]).store(dst);
  } else if (count == 1) {
    const Piece<T> a = pieces[0];
    for (int64_t i = 0; i < k; i++, dst += stride) store(dst, a.lanes.load(a.from + offsets[i]));
  } else if (count == 2) {
    const Piece<T> a = pieces[0], b = pieces[1];
    for (int64_t i = 0; i < k; i++, dst += stride) {
      store(dst, join<T>(a.lanes.load(a.from + offsets[i]), b.lanes.load(b.from + offsets[i])));
    }
  } else {
    for (int64_t i = 0; i < k; i++, dst += stride) {
      Raw<T> v{};
      for (int j = 0; j < count; j++) v = join<T>(v, pieces[j].lanes.load(pieces[j].from + offsets[i]));
      store(dst, v);
    }
  }
}

// One panel [k, W] from a window that was filled from position `origin` on: the `width` <= W positions from p on.
template <class T, int W>
__attribute__((noinline)) void pack_positions(const Window<T>& window, const T* data, int64_t origin, int64_t p,
                                              int64_t width, const int64_t* offsets, int64_t k, T* dst) {
  constexpr int L = kLanes<T>, kVectors = W / L;
  Piece<T> pieces[W + kVectors];
  int ends[kVectors] = {}, count = 0;
  for (int64_t at = 0; at < width;) {
    const Segment q = segment_at(window.s, p + at, p + width);
    const T* from = data + window.place(origin, q);
    for (int64_t done = 0; done < q.length;) {
      const int64_t lane = (at + done) % L, left = q.length - done, size = left < L - lane ? left : L - lane;
      pieces[count++] = {from + done - lane, {static_cast<int>(lane), static_cast<int>(size)}};
      ends[(at + done) / L] = count;
      done += size;
    }
    at += q.length;
  }
  int first = 0;
  for (int v = 0; v < kVectors; v++) {
    const int end = ends[v] > first ? ends[v] : first;
    pack_vector(pieces + first, end - first, offsets, k, W, dst + v * L);
    first = end;
  }
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
