// Convolutions with many output channels, without a copy of the image for every tap: windows of rows, or of short
// images side by side, are read by tiles of positions by output channels.
#pragma once
#include "kernels/conv_tail.h"
#include "kernels/conv_tile.h"
#include "kernels/conv_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// The positions of a task are lines, whose elements lie side by side in the window for every tap: rows of the grid, or,
// where those are short, one position of several images. Taps that read only padding for a whole line are left out.
// A line passes the tile once for each of its phases, and the stage has all their results as they lie in y.
template <class T>
class DirectConvolution {
  static constexpr int L = kLanes<T>, W = kPanel<T>, P = kTilePositions;
  static constexpr int64_t kLine = 64 / sizeof(T);  // elements of a cache line
  static constexpr int64_t kDepth = 256;            // taps of a panel that passes the lines of a band
  static constexpr int64_t kRoom = 192 << 10;       // bytes aimed at for a window
  static constexpr int64_t kMostRoom = 512 << 10;   // and at most, as far as one channel has no more
  static constexpr int64_t kBand = 512;             // positions of a band, as far as a line has no more
  static constexpr int64_t kWideRow = 256;          // longer rows are cut
  static constexpr int64_t kShortRow = 8;           // shorter rows are not lines where there are images enough
  static constexpr int64_t kSmallPlane = 64;        // positions of an image of which lines across images are made
  static constexpr int64_t kMostPhases = 16;        // so that the stage holds a line's

  struct Line {               // in one phase
    int64_t x, first, count;  // where its first position lies in the window; its taps
    int64_t out;              // where its first results lie in the stage
  };

 public:
  // The output channels fill vectors, lines fill tiles, and a result is worth its way through the stage.
  static bool suits(const Lowered<T>& s) {
    if (4 * s.o < 3 * round_up(s.o, L) || s.c * s.volume() < L / 2) return false;
    if (s.phases[0] * s.phases[1] * s.phases[2] > kMostPhases) return false;
    return across(s) || s.grid[2] >= 4;
  }

  // tail, or null: the grid then has only the positions that windows take, and y is what follows.
  DirectConvolution(const Lowered<T>& s, int threads, const ConvTail* tail = nullptr)
      : s_(s), threads_(threads), across_(across(s)), tail_(tail), window_(s, 1, false) {
    rows_ = s.phases[0] * s.phases[1];
    panels_ = (s.o + W - 1) / W;
    even_block_ = even_piece(s.c, kDepth / s.volume() > 0 ? kDepth / s.volume() : 1, 1);
    int64_t others = s.groups;
    if (across_) {
      length_ = even_piece(s.n, P, 1);
      lines_ = band_ = s.positions();
      images_ = (s.n + length_ - 1) / length_;
      pitch_ = round_up(length_, L);
      channel_ = s.plane() * pitch_;
      others *= images_;
    } else {
      const bool by_row = s.grid[2] > kWideRow;
      length_ = by_row ? even_piece(s.grid[2], kWideRow, P) : s.grid[2];
      cuts_ = (s.grid[2] + length_ - 1) / length_;
      lines_ = s.grid[0] * s.grid[1] * cuts_;
      images_ = s.n;
      others *= images_;
      const int64_t wide = length_ * rows_ * s.phases[2];
      const int64_t unit = tail ? tail->window[0] : 1;  // a band has whole windows
      band_ = by_row ? 1 : kBand / wide / unit * unit;
      if (band_ < unit) band_ = unit;
      if (band_ > lines_) band_ = lines_;
      for (;; band_ -= unit) {
        window_ = Window<T>(s, band_ * length_, by_row, true);
        const int64_t bytes = s.c * window_.slabs * window_.channel * static_cast<int64_t>(sizeof(T));
        const bool few =
            threads > 1 && band_ > 4 * unit && others * ((lines_ + band_ - 1) / band_) * panels_ < 2 * threads;
        if (band_ <= unit || (!few && (window_.direct || bytes <= kRoom))) break;
      }
      band_ = even_piece(lines_, band_, unit);
      window_ = Window<T>(s, band_ * length_, by_row, true);
      channel_ = window_.slabs * window_.channel;
    }
    bands_ = (lines_ + band_ - 1) / band_;
    others *= bands_;
    packed_ahead_ = images_ * bands_ > 1;
    const int64_t wanted = threads == 1 ? 1 : (2 * threads + others - 1) / others;
    shares_ = wanted < panels_ ? wanted : panels_;
    int64_t room = kMostRoom / (channel_ * static_cast<int64_t>(sizeof(T)));
    if (!across_ && window_.direct) room = s.c;
    filled_ = room >= s.c ? s.c : room > 0 ? even_piece(s.c, room, 1) : 1;
    window_.set_block(filled_);
  }

  // Whether every sum is made by one task in one go, in an order that does not depend on how positions are taken
  // together, and tasks have whole rows.
  bool in_one_go() const { return !across_ && cuts_ == 1 && filled_ == s_.c; }

  int64_t form_bytes() const { return s_.groups * panels_ * depth() * W * static_cast<int64_t>(sizeof(T)); }
  // All panels of all groups.
  void pack(T* form) const {
    share(s_.groups * panels_, threads_,
          [&](int64_t, int64_t i) { pack_weights(i / panels_, i % panels_, 0, s_.c, form + i * depth() * W); });
  }

  int64_t bytes() const { return weight_bytes() + offset_bytes() + threads_ * slot_bytes(); }

  void run(void* workspace) {
    offsets_ = reinterpret_cast<int64_t*>(static_cast<char*>(workspace) + weight_bytes());
    char* slots = reinterpret_cast<char*>(offsets_) + offset_bytes();
    if (!across_) {
      Window<T> first = window_;
      first.block = 1;
      first.list_offsets(offsets_);
    }
    if (s_.packed) {
      weights_ = s_.packed;
    } else if (packed_ahead_) {
      pack(static_cast<T*>(workspace));
      weights_ = static_cast<T*>(workspace);
    }
    share(images_ * s_.groups * bands_ * shares_, threads_, [&](int64_t slot, int64_t i) {
      const int64_t part = i % shares_, band = i / shares_ % bands_;
      const int64_t g = i / shares_ / bands_ % s_.groups, image = i / shares_ / bands_ / s_.groups;
      multiply(image, g, band * band_, panels_ * part / shares_, panels_ * (part + 1) / shares_,
               slots + slot * slot_bytes());
    });
  }

 private:
  static bool across(const Lowered<T>& s) {
    return s.n >= 4 && s.grid[2] < kShortRow && s.positions() <= kSmallPlane && s.plane() <= 4 * kSmallPlane;
  }

  int64_t depth() const { return s_.c * s_.volume(); }
  int64_t weight_bytes() const { return packed_ahead_ && !s_.packed ? round_up(form_bytes(), 64) : 0; }
  int64_t part_bytes() const {
    return packed_ahead_ || s_.packed ? 0
                                      : round_up(even_block_ * s_.volume() * W * static_cast<int64_t>(sizeof(T)), 64);
  }
  int64_t offset_bytes() const { return round_up(s_.volume() * 8, 64); }
  int64_t phases() const { return rows_ * s_.phases[2]; }
  int64_t line_bytes() const { return round_up(band_ * phases() * static_cast<int64_t>(sizeof(Line)), 64); }
  int64_t tap_bytes() const { return round_up(band_ * s_.volume() * static_cast<int64_t>(sizeof(Tap)), 64); }
  // Where a window does not hold all channels, the sums of all panels wait for the next ones.
  int64_t waiting() const { return filled_ < s_.c ? (panels_ + shares_ - 1) / shares_ : 1; }
  int64_t stage_size() const { return band_ * phases() * length_ * W; }
  int64_t stage_bytes() const { return round_up(waiting() * stage_size() * static_cast<int64_t>(sizeof(T)), 64); }
  int64_t window_bytes() const {
    return across_ ? round_up(filled_ * channel_ * static_cast<int64_t>(sizeof(T)), 64) : window_.bytes();
  }
  // The places of a band's maxima, as they are found and channel by channel.
  int64_t place_bytes() const {
    if (!tail_ || !tail_->places) return 0;
    return round_up(2 * band_ * length_ * W / (tail_->window[0] * tail_->window[1]) * static_cast<int64_t>(sizeof(T)),
                    64);
  }
  int64_t slot_bytes() const {
    return line_bytes() + tap_bytes() + stage_bytes() + part_bytes() + place_bytes() + window_bytes();
  }

  // Channels [c0, c1) of a panel: [channel][tap][W], zeros for output channels that are missing.
  void pack_weights(int64_t g, int64_t panel, int64_t c0, int64_t c1, T* out) const {
    const int64_t volume = s_.volume(), o0 = panel * W, k = (c1 - c0) * volume;
    for (int64_t part = 0; part < W; part += L, out += L) {
      const int64_t o = o0 + part;
      const int rows = static_cast<int>(s_.o - o < L ? (s_.o > o ? s_.o - o : 0) : L);
      if (rows == 0) {
        for (int64_t i = 0; i < k; i++) store(out + i * W, V<T>{});
      } else if (!s_.transposed) {
        const T* from = s_.w + (g * s_.o + o) * depth() + c0 * volume;
        for (int64_t i = 0; i < k; i += L) {
          transpose_part(from + i, depth(), rows, static_cast<int>(k - i < L ? k - i : L), out + i * W, W);
        }
      } else {
        pack_transposed(s_.w + ((g * s_.c + c0) * s_.o + o) * volume, c1 - c0, rows, out);
      }
    }
  }

  // Of every channel a square of output channels by places in the kernel.
  void pack_transposed(const T* from, int64_t channels, int rows, T* out) const {
    const int64_t volume = s_.volume();
    const T* const last = s_.w + s_.groups * s_.c * s_.o * volume - (L - 1) * volume - L;  // for whole loads
    for (int64_t c = 0; c < channels; c++, from += s_.o * volume, out += volume * W) {
      for (int64_t k = 0; k < volume; k += L) {
        const T* square = from + k;
        const int columns = static_cast<int>(volume - k < L ? volume - k : L);
        V<T> v[L];
        if (rows == L && square <= last) {
#pragma GCC unroll 16
          for (int i = 0; i < L; i++) v[i] = load(square + i * volume);
        } else {
          for (int i = 0; i < L; i++) v[i] = i < rows ? load_n(square + i * volume, columns) : V<T>{};
        }
        transpose_vectors<T>(v);
#pragma GCC unroll 16
        for (int j = 0; j < L; j++) {
          if (j < columns) store(out + (k + j) * W, v[j]);
        }
      }
    }
  }

  bool inside(int d, int64_t position, int64_t tap) const {
    const int64_t at = position * s_.stride[d] + s_.taps[d][tap];
    return at >= 0 && at < s_.in[d];
  }

  // Whether no line reads padding above or below, so that all have all taps.
  bool unpadded() const {
    for (int d = 0; d < 2; d++) {
      if (s_.low[d] < 0 || (s_.grid[d] - 1) * s_.stride[d] + s_.low[d] + s_.span[d] > s_.in[d]) return false;
    }
    return !across_ && phases() == 1;
  }

  // Lists the lines of a band that starts with line `first`, phase by phase, and their taps.
  void list_lines(int64_t origin, int64_t image, int64_t first, int64_t count, int64_t length, Line* lines,
                  Tap* taps) const {
    const bool alike = unpadded();
    // Lines of one depth lie at one distance.
    const int64_t down = window_.direct ? s_.stride[1] * s_.in[2] : window_.down * window_.pitch;
    const bool regular = !across_ && cuts_ == 1 && s_.grid[0] == 1;
    const Line* const top = lines;
    int64_t listed = 0;
    for (int64_t i = 0; i < count; i++) {
      int64_t at = first + i, column = 0, x = 0;
      if (across_) {
        column = at % s_.grid[2];
        at /= s_.grid[2];
      } else if (regular && i > 0) {
        x = top->x + i * down;
      } else {
        const int64_t w = at % cuts_ * length_;
        at /= cuts_;
        x = window_.place(origin, {image, at / s_.grid[1], at % s_.grid[1], w, 1});
      }
      if (alike && i > 0) {
        *lines++ = {x, top->first, top->count, place_out(i, 0, 0, length)};
        continue;
      }
      const int64_t d = at / s_.grid[1], h = at % s_.grid[1];
      for (int64_t p = 0; p < phases(); p++, lines++) {
        const int64_t z = p / s_.phases[2] / s_.phases[1], y = p / s_.phases[2] % s_.phases[1], v = p % s_.phases[2];
        *lines = {x, listed, 0, place_out(i, p / s_.phases[2], v, length)};
        int64_t t = 0;
        for (int64_t a = 0; a < s_.count[0]; a++) {
          for (int64_t b = 0; b < s_.count[1]; b++) {
            const bool row = s_.phase[0][a] == z && s_.phase[1][b] == y && inside(0, d, a) && inside(1, h, b);
            for (int64_t c = 0; c < s_.count[2]; c++, t++) {
              if (!row || s_.phase[2][c] != v || (across_ && !inside(2, column, c))) continue;
              taps[listed++] = {across_ ? place_across(d, h, column, a, b, c) : offsets_[t], t * W};
            }
          }
        }
        lines->count = listed - lines->first;
      }
    }
  }

  // Where the stage has the results of line i of a band in phase `row` of rows and `column` of columns: rows of results
  // one after another, and of each position all images, or of each line all positions.
  int64_t place_out(int64_t i, int64_t row, int64_t column, int64_t length) const {
    if (!across_) return ((i * rows_ + row) * length * s_.phases[2] + column) * W;
    return (((i / s_.grid[2] * rows_ + row) * s_.grid[2] + i % s_.grid[2]) * s_.phases[2] + column) * length * W;
  }

  int64_t place_across(int64_t d, int64_t h, int64_t w, int64_t a, int64_t b, int64_t c) const {
    const int64_t z = d * s_.stride[0] + s_.taps[0][a], y = h * s_.stride[1] + s_.taps[1][b];
    return ((z * s_.in[1] + y) * s_.in[2] + w * s_.stride[2] + s_.taps[2][c]) * pitch_;
  }

  // A window of images side by side: [channel][plane][pitch].
  void fill_across(int64_t image, int64_t images, int64_t g, int64_t c0, int64_t c1, T* out) const {
    const int64_t plane = s_.plane(), next = s_.groups * s_.c * plane;
    const T* from = s_.x + (image * s_.groups * s_.c + g * s_.c + c0) * plane;
    const int64_t size = (c1 - c0) * plane;  // the channels of an image follow one another
    for (int64_t i = 0; i < images; i += L) {
      const int rows = static_cast<int>(images - i < L ? images - i : L);
      for (int64_t p = 0; p < size; p += L) {
        transpose_part(from + i * next + p, next, rows, static_cast<int>(size - p < L ? size - p : L),
                       out + p * pitch_ + i, pitch_);
      }
    }
  }

  // Panels [p0, p1) of the lines from `first` on.
  void multiply(int64_t image, int64_t g, int64_t first, int64_t p0, int64_t p1, char* own) {
    Line* lines = reinterpret_cast<Line*>(own);
    Tap* taps = reinterpret_cast<Tap*>(own + line_bytes());
    T* stage = reinterpret_cast<T*>(own + line_bytes() + tap_bytes());
    T* part = reinterpret_cast<T*>(own + line_bytes() + tap_bytes() + stage_bytes());
    T* window = reinterpret_cast<T*>(own + slot_bytes() - window_bytes());
    T* places = place_bytes() ? reinterpret_cast<T*>(own + slot_bytes() - window_bytes() - place_bytes()) : nullptr;
    const int64_t count = lines_ - first < band_ ? lines_ - first : band_;
    const int64_t length = line_length(image, first);
    const int64_t origin = across_ ? 0 : image * s_.positions() + first / cuts_ * s_.grid[2] + first % cuts_ * length_;
    list_lines(origin, image, first, count, length, lines, taps);
    for (int64_t c0 = 0; c0 < s_.c; c0 += filled_) {
      const int64_t c1 = c0 + filled_ < s_.c ? c0 + filled_ : s_.c;
      const T* data = window;
      if (across_) {
        fill_across(image * length_, length, g, c0, c1, window);
      } else {
        data = window_.fill(g, c0, c1, origin, count * length, window);
      }
      for (int64_t panel = p0; panel < p1; panel++) {
        T* sums = stage + (filled_ < s_.c ? panel - p0 : 0) * stage_size();
        add_channels(g, panel, c0, c1, data, lines, count * phases(), length, taps, part, sums);
        if (c1 < s_.c) continue;
        if (tail_ && tail_->window[0] * tail_->window[1] > 1) {
          emit_windows(image, g, panel, first, count, sums, places);
        } else {
          emit(image, g, panel, first, count, length, sums);
        }
      }
    }
  }

  int64_t line_length(int64_t image, int64_t first) const {
    const int64_t at = across_ ? image * length_ : first % cuts_ * length_, end = across_ ? s_.n : s_.grid[2];
    return end - at < length_ ? end - at : length_;
  }

  void add_channels(int64_t g, int64_t panel, int64_t c0, int64_t c1, const T* data, const Line* lines, int64_t count,
                    int64_t length, const Tap* taps, T* part, T* sums) const {
    const bool narrow = s_.o - panel * W <= L;
    const int64_t most = tile_positions(narrow ? 1 : kTileVectors), tiles = (length + most - 1) / most;
    TileWork<T> work;
    work.x_channel = across_ ? s_.plane() * pitch_ : window_.channel;
    work.w_channel = s_.volume() * W;
    work.out_step = across_ ? W : s_.phases[2] * W;
    int64_t busy = 0;
    for (int64_t i = 0; i < count; i++) {
      if (lines[i].count > 0) busy++;
      for (int64_t p = 0; lines[i].count == 0 && c0 == 0 && p < length; p++) {
        zero_run(sums + lines[i].out + p * work.out_step, W);
      }
    }
    for (int64_t c = c0; c < c1; c += even_block_) {
      work.channels = c1 - c < even_block_ ? c1 - c : even_block_;
      if (weights_) {
        work.w = weights_ + ((g * panels_ + panel) * s_.c + c) * work.w_channel;
      } else {
        pack_weights(g, panel, c, c + work.channels, part);
        work.w = part;
      }
      work.add = c > 0;
      // The weights that follow are spread over the tiles.
      const int64_t lines_a_part = weights_ ? work.channels * work.w_channel / kLine : 0;
      const int64_t passes = (busy > 0 ? busy : 1) * tiles * work.channels;
      work.ahead = work.w + work.channels * work.w_channel;
      work.ahead_lines = (lines_a_part + passes - 1) / passes;
      int64_t left = lines_a_part;
      const T* from = data + (c - c0) * work.x_channel;
      for (int64_t i = 0; i < count; i++) {
        work.taps = taps + lines[i].first;
        work.count = lines[i].count;
        if (work.count == 0) continue;
        for (int64_t tile = 0; tile < tiles; tile++, left -= work.ahead_lines * work.channels) {
          if (left <= 0) work.ahead_lines = 0;
          const int64_t at = length * tile / tiles, end = length * (tile + 1) / tiles;
          work.x = from + lines[i].x + at;
          work.out = sums + lines[i].out + at * work.out_step;
          if (narrow) {
            convolve_positions<T, 1>(end - at, work);
          } else {
            convolve_positions<T, kTileVectors>(end - at, work);
          }
          work.ahead += work.ahead_lines * work.channels * kLine;
        }
      }
    }
  }

  void emit(int64_t image, int64_t g, int64_t panel, int64_t first, int64_t count, int64_t length,
            const T* sums) const {
    const int64_t o = panel * W, channels = s_.o - o < W ? s_.o - o : W;
    const T* bias = s_.bias ? s_.bias + g * s_.o + o : nullptr;
    const int64_t images = across_ ? length : 1, stride = images * W;
    // Rows of results: how many, the first one's, and how long they are in the stage and in y.
    const int64_t rows = across_ ? count / s_.grid[2] : count, begin = across_ ? first / s_.grid[2] : first / cuts_;
    const int64_t column = across_ ? 0 : first % cuts_ * length_ * s_.phases[2];
    const int64_t wide = (across_ ? s_.grid[2] : length) * s_.phases[2];
    const int64_t run = s_.size[2] - column < wide ? s_.size[2] - column : wide;
    // Rows that follow one another in the stage and in y are one.
    const bool dense = run == s_.y_step[1] && run == wide && s_.phases[0] == 1 &&
                       s_.size[1] == s_.grid[1] * s_.phases[1] && s_.y_step[0] == s_.size[1] * run;
    for (int64_t i = 0; i < images; i++) {
      T* y = s_.y + (across_ ? image * length_ + i : image) * s_.y_image + (g * s_.o + o) * s_.y_channel + column;
      const T* from = sums + i * W;
      const int64_t total = rows * rows_, step = dense ? total : 1;
      for (int64_t r = 0; r < total; r += step) {
        const int64_t row = begin + r / rows_, z = r % rows_ / s_.phases[1], v = r % s_.phases[1];
        const int64_t d = row / s_.grid[1] * s_.phases[0] + z, h = row % s_.grid[1] * s_.phases[1] + v;
        if (d >= s_.size[0] || h >= s_.size[1]) continue;
        emit_channels(from + r * wide * stride, stride, step * run, channels, bias,
                      y + d * s_.y_step[0] + h * s_.y_step[1], s_.y_channel, tail_ != nullptr);
      }
    }
  }

  // The largest elements of the windows of `count` lines.
  void emit_windows(int64_t image, int64_t g, int64_t panel, int64_t first, int64_t count, T* sums, T* places) const {
    const int64_t o = panel * W, channels = s_.o - o < W ? s_.o - o : W;
    const int64_t columns = length_ / tail_->window[1], found = count / tail_->window[0] * columns;
    pool_sums(sums, count, length_, tail_->window, channels, s_.bias ? s_.bias + g * s_.o + o : nullptr, places);
    const int64_t at =
        image * s_.y_image + (g * s_.o + o) * s_.y_channel + first / tail_->window[0] * columns * s_.y_step[2];
    emit_channels<T>(sums, W, found, channels, nullptr, s_.y + at, s_.y_channel);
    if (!places) return;
    T* ordered = places + found * W;
    emit_channels<T>(places, W, found, channels, nullptr, ordered, found);
    emit_places(ordered, channels, found, tail_->places + at, s_.y_channel);
  }

  Lowered<T> s_;
  int threads_;
  bool across_;
  const ConvTail* tail_;
  bool packed_ahead_;  // weights that one task alone uses are packed when it does, a block at a time
  Window<T> window_;   // of lines that are rows
  int64_t panels_, even_block_, filled_, shares_;  // even_block_: channels that a panel has at a time
  int64_t length_, cuts_ = 1, lines_, band_, bands_, images_, pitch_ = 0, channel_;
  int64_t rows_;  // of results for a row of positions
  const T* weights_ = nullptr;
  int64_t* offsets_ = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
