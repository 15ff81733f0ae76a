// Convolutions of 3 x 3 taps with stride one by F(2 x 2, 3 x 3) of Winograd, after Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks" (2016): a square of 2 x 2 results takes 16 multiply-adds a channel instead of 36.
#pragma once
#include <limits>

#include "kernels/conv_tile.h"
#include "kernels/conv_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Whether the taps are 3 x 3 side by side with stride one, and T is float32: float64 is taken for its digits.
template <class T>
bool has_winograd_taps(const Lowered<T>& s) {
  if (sizeof(T) != 4 || s.in[0] != 1 || s.count[0] != 1 || s.grid[0] != 1 || s.low[0] != 0) return false;
  for (int d = 1; d < 3; d++) {
    if (s.count[d] != 3 || s.span[d] != 3 || s.stride[d] != 1) return false;
  }
  return s.phases[1] * s.phases[2] == 1;
}

// NaN in a lane where x is not finite, or so large that x * scale is not; otherwise what odd was.
template <class T>
FLAMBEAU_INLINE Vec<T> mark_unusual(Vec<T> x, T scale, Vec<T> odd) {
  return fma(x * Vec<T>(scale), Vec<T>(T(0)), odd);
}
template <class T>
FLAMBEAU_INLINE bool is_usual(Vec<T> odd) {
  return sum_lanes<T>(odd.v) == 0;
}

// The results are cut into squares of 2 x 2, each of which reads 4 x 4 elements d. With the taps g and the matrices
//   B' = 1  0 -1  0    G = 1    0    0    A' = 1  1  1  0
//        0  1  1  0        1/2  1/2  1/2       0  1 -1 -1
//        0 -1  1  0        1/2 -1/2  1/2
//        0  1  0 -1        0    0    1
// a square is A' [(G g G') * (B' d B)] A, where * is elementwise: 16 products, summed over the channels by the same
// tiles as a direct convolution's. A band is rows of squares, of several images where these are small.
//
// The factors are exact and rounding grows little (docs/numerics.md), but with the largest element of the 4 x 4 and not
// with those of a window alone. Infinities, NaN and elements near them would reach results that do not read them: where
// there are any, run() gives up and says so.
template <class T>
class WinogradConvolution {
  using X = Vec<T>;
  static constexpr int L = kLanes<T>, W = kPanel<T>, P = kTilePositions;
  static constexpr int64_t kSquare = 16;            // elements of a transformed square
  static constexpr int64_t kRoom = 400 << 10;       // bytes aimed at for the transformed elements of a band
  static constexpr int64_t kLeastBand = 28;         // squares: for each band all weights come from afar
  static constexpr int64_t kLine = 64 / sizeof(T);  // elements of a cache line
  static constexpr int64_t kAhead = 2;              // channels
  static constexpr int64_t kPage = 4096 / sizeof(T);
  static constexpr int64_t kPackedChannels = 16;  // whose weights are transposed at a time
  static constexpr int64_t kBytes = sizeof(T);

 public:
  // Where there are channels enough for the transforms not to count, squares enough for the transformed weights to be
  // worth their reading, and few of their results too many.
  static bool suits(const Lowered<T>& s) {
    if (!has_winograd_taps(s) || s.c < kLeastChannels || 4 * s.o < 3 * round_up(s.o, L)) return false;
    const int64_t squares = (s.grid[1] + 1) / 2 * ((s.grid[2] + 1) / 2);
    return s.n * squares >= 2 * P && 4 * s.positions() >= 3 * 4 * squares;
  }

  WinogradConvolution(const Lowered<T>& s, int threads) : s_(s), threads_(threads) {
    panels_ = (s.o + W - 1) / W;
    high_ = (s.grid[1] + 1) / 2;
    wide_ = (s.grid[2] + 1) / 2;
    const int64_t rows = s.n * high_;
    int64_t band = kRoom / (kSquare * s.c * wide_ * kBytes);
    if (band * wide_ < kLeastBand) band = (kLeastBand + wide_ - 1) / wide_;
    // Whole tiles, as far as a row of squares is not longer.
    if (band * wide_ / P * P >= wide_) band = band * wide_ / P * P / wide_;
    const int64_t others = s.groups * panels_;
    if (threads > 1 && band > 1 && others * ((rows + band - 1) / band) < 2 * threads) {
      const int64_t wanted = (2 * threads + others - 1) / others;
      band = (rows + wanted - 1) / wanted;
    }
    band_ = even_piece(rows, band, 1);
    bands_ = (rows + band_ - 1) / band_;
    const int64_t tasks = s.groups * bands_, wanted = threads == 1 ? 1 : (2 * threads + tasks - 1) / tasks;
    shares_ = wanted < panels_ ? wanted : panels_;
    pitch_ = round_up(band_ * wide_, L) + L;
    line_ = round_up(wide_ + 1, L) + L;
    // 16 rows are written at a time: one cache line apart, they do not contend for the same places in the cache.
    plane_ = round_up(s.c * pitch_, kPage) + kLine;
  }

  int64_t form_bytes() const { return s_.groups * panels_ * panel_size() * kBytes; }
  // The transformed weights of all panels: [group][panel][16][c][W].
  void pack(T* form) const {
    share(s_.groups * panels_, threads_,
          [&](int64_t, int64_t i) { pack_panel_of(i / panels_, i % panels_, form + i * panel_size()); });
  }

  int64_t bytes() const { return weight_bytes() + threads_ * slot_bytes(); }

  // Whether there was nothing unusual; if there was, y is not to be used.
  bool run(void* workspace) {
    weights_ = s_.packed;
    if (!weights_) {
      pack(static_cast<T*>(workspace));
      weights_ = static_cast<const T*>(workspace);
    }
    char* slots = static_cast<char*>(workspace) + weight_bytes();
    share(s_.groups * bands_ * shares_, threads_, [&](int64_t slot, int64_t i) {
      const int64_t part = i % shares_, band = i / shares_ % bands_, g = i / shares_ / bands_;
      if (!__atomic_load_n(&usual_, __ATOMIC_RELAXED)) return;
      multiply(g, band, panels_ * part / shares_, panels_ * (part + 1) / shares_, slots + slot * slot_bytes());
    });
    return usual_;
  }

 private:
  static constexpr int64_t kLeastChannels = 32;

  int64_t panel_size() const { return kSquare * s_.c * W; }
  int64_t weight_bytes() const { return s_.packed ? 0 : round_up(form_bytes(), 64); }
  int64_t square_bytes() const { return kSquare * plane_ * kBytes; }
  int64_t sum_bytes() const { return kSquare * band_ * wide_ * W * kBytes; }
  int64_t stage_bytes() const { return 2 * band_ * s_.grid[2] * W * kBytes; }
  int64_t line_bytes() const { return 8 * line_ * kBytes; }
  int64_t slot_bytes() const { return round_up(square_bytes() + sum_bytes() + stage_bytes() + line_bytes(), 64); }

  // ---- weights ----

  // The offset of tap t from the lowest, and from there its place in a kernel that is read forwards.
  int64_t place_of(int64_t t) const { return (s_.taps[1][t / 3] - s_.low[1]) * 3 + s_.taps[2][t % 3] - s_.low[2]; }

  // All NaN where a weight is unusual.
  void pack_panel_of(int64_t g, int64_t panel, T* out) const {
    X odd(T(0));
    T taps[kPackedChannels * 9 * W];
    const int64_t o0 = panel * W;
    for (int64_t c0 = 0; c0 < s_.c; c0 += kPackedChannels) {
      const int64_t channels = s_.c - c0 < kPackedChannels ? s_.c - c0 : kPackedChannels;
      for (int64_t v = 0; v < W; v += L) {
        const int64_t o = o0 + v;
        const int rows = static_cast<int>(s_.o - o < L ? (s_.o > o ? s_.o - o : 0) : L);
        list_taps(g, o, rows, c0, channels, taps + v);
      }
      for (int64_t c = 0; c < channels; c++) {
        for (int64_t v = 0; v < W; v += L) {
          transform_taps(taps + c * 9 * W + v, out + (c0 + c) * W + v);
        }
      }
      for (int64_t i = 0; i < channels * 9 * W; i += L) odd = mark(X::load(taps + i), odd);
    }
    if (is_usual<T>(odd)) return;
    for (int64_t i = 0; i < panel_size(); i++) out[i] = std::numeric_limits<T>::quiet_NaN();
  }

  // out[(c * 9 + place) * W + i]: the taps of output channels [o, o + rows), zeros up to a vector.
  void list_taps(int64_t g, int64_t o, int rows, int64_t c0, int64_t channels, T* out) const {
    if (rows == 0) {
      for (int64_t i = 0; i < channels * 9; i++) store(out + i * W, V<T>{});
    } else if (!s_.transposed) {
      const T* from = s_.w + ((g * s_.o + o) * s_.c + c0) * 9;
      for (int64_t i = 0; i < channels * 9; i += L) {
        const int64_t left = channels * 9 - i;
        transpose_part(from + i, s_.c * 9, rows, static_cast<int>(left < L ? left : L), out + i * W, W);
      }
    } else {
      const T* from = s_.w + ((g * s_.c + c0) * s_.o + o) * 9;
      T place[9 * W];
      for (int64_t c = 0; c < channels; c++, from += s_.o * 9, out += 9 * W) {
        for (int64_t k = 0; k < 9; k += L) {
          transpose_part(from + k, 9, rows, static_cast<int>(9 - k < L ? 9 - k : L), place + k * W, W);
        }
        for (int64_t t = 0; t < 9; t++) store(out + place_of(t) * W, load(place + t * W));
      }
    }
  }

  // G g G' of a vector of output channels.
  void transform_taps(const T* g, T* out) const {
    const X half(T(0.5));
    X rows[4][3];
    for (int j = 0; j < 3; j++) {
      const X a = X::load(g + j * W), b = X::load(g + (3 + j) * W), c = X::load(g + (6 + j) * W);
      rows[0][j] = a;
      rows[1][j] = half * (a + c) + half * b;
      rows[2][j] = half * (a + c) - half * b;
      rows[3][j] = c;
    }
    const int64_t next = s_.c * W;
    for (int i = 0; i < 4; i++, out += 4 * next) {
      const X a = rows[i][0], b = rows[i][1], c = rows[i][2];
      a.store(out);
      (half * (a + c) + half * b).store(out + next);
      (half * (a + c) - half * b).store(out + 2 * next);
      c.store(out + 3 * next);
    }
  }

  // ---- a band ----

  void give_up() { __atomic_store_n(&usual_, false, __ATOMIC_RELAXED); }

  // Panels [p0, p1) of a band.
  void multiply(int64_t g, int64_t band, int64_t p0, int64_t p1, char* own) {
    T* squares = reinterpret_cast<T*>(own);
    T* sums = squares + square_bytes() / kBytes;
    T* stage = sums + sum_bytes() / kBytes;
    T* lines = stage + stage_bytes() / kBytes;
    const int64_t first = band * band_, left = s_.n * high_ - first, rows = left < band_ ? left : band_;
    if (!transform_band(g, first, rows, squares, lines)) return give_up();
    for (int64_t panel = p0; panel < p1; panel++) {
      const T* weights = weights_ + (g * panels_ + panel) * panel_size();
      if (weights[0] != weights[0]) return give_up();
      multiply_panel(weights, s_.o - panel * W <= L, rows * wide_, squares, sums);
      for (int64_t r = 0; r < rows;) {
        const int64_t at = (first + r) % high_, run = high_ - at < rows - r ? high_ - at : rows - r;
        emit_rows(g, panel, (first + r) / high_, at, run, sums + r * wide_ * W, rows * wide_, stage);
        r += run;
      }
    }
  }

  // B' d B of all squares of a band: squares[e * plane + channel * pitch + square].
  bool transform_band(int64_t g, int64_t first, int64_t rows, T* squares, T* lines) const {
    X odd(T(0));
    zero_run(lines, 8 * line_);
    for (int64_t c = 0; c < s_.c; c++) {
      for (int64_t r = 0; r < rows; r++) {
        const int64_t image = (first + r) / high_, at = (first + r) % high_;
        const T* plane = s_.x + ((image * s_.groups + g) * s_.c + c) * s_.plane();
        // Two rows of elements are those of the squares above.
        for (int64_t i = r > 0 && at > 0 ? 2 : 0; i < 4; i++) {
          const int64_t h = 2 * at + i;
          const T* row = row_at(s_, plane, 0, h + s_.low[1]);
          T* line = lines + h % 4 * 2 * line_;
          // Rows are short, and those of the channels that follow lie too far off to be expected.
          for (int64_t w = 0; row && w < s_.in[2]; w += kLine) __builtin_prefetch(row + kAhead * s_.plane() + w);
          fill_lines(row, line, odd);
        }
        const T* four[4];
        for (int64_t i = 0; i < 4; i++) four[i] = lines + (2 * at + i) % 4 * 2 * line_;
        transform_row(four, squares + c * pitch_ + r * wide_);
      }
    }
    return is_usual<T>(odd);
  }

  // Sums of larger elements might overflow.
  static FLAMBEAU_INLINE X mark(X x, X odd) { return mark_unusual<T>(x, T(0x1p64), odd); }

  // The elements of a row that squares begin with, and behind them those in between; zeros outside and for no row.
  FLAMBEAU_INLINE void fill_lines(const T* row, T* line, X& odd) const {
    for (int64_t t = 0; t <= wide_; t += L) {
      const int64_t first = 2 * t + s_.low[2];
      const V<T> a = row ? part_of(row, first) : V<T>{}, b = row ? part_of(row, first + L) : V<T>{};
      odd = mark(X(a), mark(X(b), odd));
      store(line + t, every_other<0>(a, b));
      store(line + line_ + t, every_other<1>(a, b));
    }
  }

  // L elements from `first` on, zeros outside of the row.
  FLAMBEAU_INLINE V<T> part_of(const T* row, int64_t first) const {
    const int64_t left = s_.in[2] - first;
    if (first >= 0 && left >= L) return load(row + first);
    const int lane = static_cast<int>(first >= 0 ? 0 : -first < L ? -first : L);
    const int end = static_cast<int>(left >= L ? L : left > 0 ? left : 0);
    return end > lane ? Lanes<T>{lane, end - lane}.load(row + first) : V<T>{};
  }

  template <int First>
  static FLAMBEAU_INLINE V<T> every_other(V<T> a, V<T> b) {
    constexpr int F = First;
    if constexpr (L == 16) {
      return __builtin_shufflevector(a, b, F, F + 2, F + 4, F + 6, F + 8, F + 10, F + 12, F + 14, F + 16, F + 18,
                                     F + 20, F + 22, F + 24, F + 26, F + 28, F + 30);
    } else if constexpr (L == 8) {
      return __builtin_shufflevector(a, b, F, F + 2, F + 4, F + 6, F + 8, F + 10, F + 12, F + 14);
    } else if constexpr (L == 4) {
      return __builtin_shufflevector(a, b, F, F + 2, F + 4, F + 6);
    } else {
      return __builtin_shufflevector(a, b, F, F + 2);
    }
  }

  // A row of squares.
  FLAMBEAU_INLINE void transform_row(const T* const (&lines)[4], T* out) const {
    for (int64_t t = 0; t < wide_; t += L) {
      X h[4][4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        const T *even = lines[i] + t, *uneven = even + line_;
        const X d0 = X::load(even), d1 = X::load(uneven), d2 = X::load(even + 1), d3 = X::load(uneven + 1);
        h[i][0] = d0 - d2;
        h[i][1] = d1 + d2;
        h[i][2] = d2 - d1;
        h[i][3] = d1 - d3;
      }
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) {
        const X v[4] = {h[0][j] - h[2][j], h[1][j] + h[2][j], h[2][j] - h[1][j], h[1][j] - h[3][j]};
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) v[i].store(out + (4 * i + j) * plane_ + t);
      }
    }
  }

  // sums[(e * count + square) * W + i]: the 16 products of a panel.
  void multiply_panel(const T* weights, bool narrow, int64_t count, const T* squares, T* sums) const {
    const Tap tap{0, 0};
    TileWork<T> work{};
    work.taps = &tap;
    work.count = 1;
    work.channels = s_.c;
    work.x_channel = pitch_;
    work.w_channel = W;
    work.add = false;
    work.out_step = W;
    const int64_t tiles = (count + P - 1) / P;
    for (int64_t e = 0; e < kSquare; e++) {
      work.w = weights + e * s_.c * W;
      // The weights of the next element, spread over the tiles.
      work.ahead = work.w + s_.c * W;
      work.ahead_lines = (W / kLine + tiles - 1) / tiles;
      int64_t left = s_.c * W / kLine;
      for (int64_t tile = 0; tile < tiles; tile++, left -= work.ahead_lines * s_.c) {
        if (left <= 0 || e + 1 == kSquare) work.ahead_lines = 0;
        const int64_t at = count * tile / tiles, end = count * (tile + 1) / tiles;
        work.x = squares + e * plane_ + at;
        work.out = sums + (e * count + at) * W;
        if (narrow) {
          convolve_positions<T, 1>(end - at, work);
        } else {
          convolve_positions<T, kTileVectors>(end - at, work);
        }
        work.ahead += work.ahead_lines * s_.c * kLine;
      }
    }
  }

  // A' m A of rows [at, at + rows) of squares of an image, and from the stage to y.
  void emit_rows(int64_t g, int64_t panel, int64_t image, int64_t at, int64_t rows, const T* sums, int64_t count,
                 T* stage) const {
    const int64_t o = panel * W, channels = s_.o - o < W ? s_.o - o : W, width = s_.grid[2];
    for (int64_t r = 0; r < rows; r++) {
      const bool lower = 2 * (at + r) + 1 < s_.grid[1];
      T* to = stage + 2 * r * width * W;
      for (int64_t t = 0; t < wide_; t++) {
        const bool right = 2 * t + 1 < width;
        for (int64_t v = 0; v < channels; v += L) {
          join_square(sums + (r * wide_ + t) * W + v, count * W, to + 2 * t * W + v, width * W, lower, right);
        }
      }
    }
    const int64_t high = s_.grid[1] - 2 * at < 2 * rows ? s_.grid[1] - 2 * at : 2 * rows;
    const T* bias = s_.bias ? s_.bias + g * s_.o + o : nullptr;
    T* y = s_.y + image * s_.y_image + (g * s_.o + o) * s_.y_channel + 2 * at * s_.y_step[1];
    if (s_.y_step[1] == width) {
      emit_channels(stage, W, high * width, channels, bias, y, s_.y_channel);
      return;
    }
    for (int64_t h = 0; h < high; h++) {
      emit_channels(stage + h * width * W, W, width, channels, bias, y + h * s_.y_step[1], s_.y_channel);
    }
  }

  static FLAMBEAU_INLINE void join_square(const T* m, int64_t next, T* y, int64_t below, bool lower, bool right) {
    X top[4], bottom[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      const X m0 = X::load(m + j * next), m1 = X::load(m + (4 + j) * next);
      const X m2 = X::load(m + (8 + j) * next), m3 = X::load(m + (12 + j) * next);
      top[j] = m0 + m1 + m2;
      bottom[j] = m1 - m2 - m3;
    }
    (top[0] + top[1] + top[2]).store(y);
    if (right) (top[1] - top[2] - top[3]).store(y + W);
    if (!lower) return;
    (bottom[0] + bottom[1] + bottom[2]).store(y + below);
    if (right) (bottom[1] - bottom[2] - bottom[3]).store(y + below + W);
  }

  Lowered<T> s_;
  int threads_;
  int64_t panels_, high_, wide_;   // of a plane: rows of squares, squares of a row
  int64_t band_, bands_, shares_;  // a band's rows, and how many there are
  int64_t pitch_, line_, plane_;
  const T* weights_ = nullptr;
  bool usual_ = true;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
