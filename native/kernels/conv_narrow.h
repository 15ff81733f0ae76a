// Convolutions with few output channels a group, which do not fill a vector: vectors of neighbouring positions instead,
// times one weight of every output channel each. They are read from a window where they lie, without a copy for every
// tap.
#pragma once
#include "kernels/conv_tile.h"
#include "kernels/conv_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Accumulators of a tile, as far as they leave registers for what is read.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kNarrowSums = 24;
#else
constexpr int kNarrowSums = 12;
#endif

// Vectors of positions for a tile with M results for each position.
template <int M>
constexpr int kNarrowVectors = kNarrowSums / M < 8 ? kNarrowSums / M : 8;

template <class T>
struct NarrowWork {
  const T* const* x;  // what tap 0 of the first channel reads at each vector of positions
  const T* w;         // [channels][taps][M]
  const int64_t* taps;
  int64_t count, channels, x_channel;
  T* out;  // [M][vectors][lanes]
};

template <class T, int M>
__attribute__((noinline)) void convolve_narrow(const NarrowWork<T>& work) {
  constexpr int L = kLanes<T>, U = kNarrowVectors<M>;
  V<T> acc[M][U] = {};
  const T* x[U];
#pragma GCC unroll 8
  for (int u = 0; u < U; u++) x[u] = work.x[u];
  const T* w = work.w;
  const int64_t *const taps = work.taps, *const end = taps + work.count;
  for (int64_t c = 0; c < work.channels; c++) {
    for (const int64_t* tap = taps; tap < end; tap++, w += M) {
      V<T> in[U];
#pragma GCC unroll 8
      for (int u = 0; u < U; u++) in[u] = load(x[u] + *tap);
#pragma GCC unroll 16
      for (int m = 0; m < M; m++) {
        const V<T> weight = splat(w[m]);
#pragma GCC unroll 8
        for (int u = 0; u < U; u++) acc[m][u] = fma<T>(weight, in[u], acc[m][u]);
      }
    }
#pragma GCC unroll 8
    for (int u = 0; u < U; u++) x[u] += work.x_channel;
  }
#pragma GCC unroll 16
  for (int m = 0; m < M; m++) {
#pragma GCC unroll 8
    for (int u = 0; u < U; u++) store(work.out + (m * U + u) * L, acc[m][u]);
  }
}

template <class T>
class NarrowConvolution {
  static constexpr int L = kLanes<T>;
  static constexpr int kMost = 12;               // results of a tile for a position
  static constexpr int64_t kChannels = 8;        // output channels; more are a matrix product
  static constexpr int64_t kMostPhases = 16;     // of a position, and a third as many of a column
  static constexpr int64_t kRoom = 256 << 10;    // bytes aimed at for a window
  static constexpr int64_t kMostRoom = 1 << 20;  // and at most
  static constexpr int64_t kBand = 2048;         // positions of a band, as far as a line has no more
  static constexpr int64_t kWideRow = 256;       // longer rows are cut
  static constexpr int kMostVectors = 8;         // of a tile

  struct Place {
    int64_t x, d, h, y, count;  // of a vector of positions: in the window, the first result's row and place; how many
  };

 public:
  // Rows fill vectors.
  static bool suits(const Lowered<T>& s) {
    if (s.o > kChannels || s.phases[2] > 4 || s.phases[0] * s.phases[1] * s.phases[2] > kMostPhases) return false;
    if (4 * s.grid[2] < 3 * round_up(s.grid[2], L) || s.c * s.volume() < 8) return false;
    const NarrowConvolution one(s, 1);
    return one.window_.bytes() <= kMostRoom;
  }

  NarrowConvolution(const Lowered<T>& s, int threads) : s_(s), threads_(threads), window_(s, 1, false) {
    rows_ = s.phases[0] * s.phases[1];
    // A tile has the phases of a column for some output channels.
    const int64_t most = kMost / s.phases[2];
    passes_ = (s.o + most - 1) / most;
    outputs_ = (s.o + passes_ - 1) / passes_;
    results_ = results_for(outputs_ * s.phases[2]);
    const bool by_row = s.grid[2] > kWideRow;
    length_ = by_row ? even_piece(s.grid[2], kWideRow, L) : s.grid[2];
    cuts_ = (s.grid[2] + length_ - 1) / length_;
    lines_ = s.grid[0] * s.grid[1] * cuts_;
    band_ = by_row ? 1 : kBand / length_ > 0 ? kBand / length_ : 1;
    if (band_ > lines_) band_ = lines_;
    for (;; band_--) {
      window_ = Window<T>(s, band_ * length_, by_row, true);
      window_.copy();
      window_.set_block(s.c);
      const bool few = threads > 1 && s.n * s.groups * ((lines_ + band_ - 1) / band_) < 2 * threads;
      if (band_ == 1 || (!few && window_.bytes() <= kRoom)) break;
    }
    bands_ = (lines_ + band_ - 1) / band_;
  }

  int64_t bytes() const { return weight_bytes() + list_bytes() + offset_bytes() + threads_ * slot_bytes(); }

  void run(void* workspace) {
    weights_ = static_cast<T*>(workspace);
    list_ = reinterpret_cast<int64_t*>(static_cast<char*>(workspace) + weight_bytes());
    int64_t* offsets = reinterpret_cast<int64_t*>(reinterpret_cast<char*>(list_) + list_bytes());
    char* slots = reinterpret_cast<char*>(offsets) + offset_bytes();
    Window<T> first = window_;
    first.block = 1;
    first.list_offsets(offsets);
    list_taps(offsets);
    share(s_.groups, threads_, [&](int64_t, int64_t g) { pack_weights(g); });
    share(s_.n * s_.groups * bands_, threads_, [&](int64_t slot, int64_t i) {
      const int64_t g = i / bands_ % s_.groups, image = i / bands_ / s_.groups;
      multiply(image, g, i % bands_ * band_, slots + slot * slot_bytes());
    });
  }

 private:
  // The tiles there are.
  static int64_t results_for(int64_t n) {
    for (const int64_t have : {1, 2, 3, 4, 6, 8}) {
      if (n <= have) return have;
    }
    return kMost;
  }

  int64_t group_size() const { return passes_ * s_.c * s_.volume() * results_; }
  int64_t weight_bytes() const { return round_up(s_.groups * group_size() * static_cast<int64_t>(sizeof(T)), 64); }
  // Of each phase of rows: where its list ends, and then for each tap where it reads and its first weight's place, for
  // every phase of columns.
  int64_t entry() const { return 1 + s_.phases[2]; }
  int64_t list_bytes() const { return round_up((rows_ + 1 + s_.volume() * entry()) * 8, 64); }
  int64_t offset_bytes() const { return round_up(s_.volume() * 8, 64); }
  int64_t place_bytes() const {
    return round_up(band_ * ((length_ + L - 1) / L) * static_cast<int64_t>(sizeof(Place)), 64);
  }
  int64_t slot_bytes() const { return place_bytes() + window_.bytes(); }

  // Taps at the same place that count for different phases of a column are one.
  void list_taps(const int64_t* offsets) {
    int64_t* const begins = list_;
    reads_ = list_ + rows_ + 1;
    places_ = reads_ + s_.volume();
    int64_t listed = 0;
    for (int64_t row = 0; row < rows_; row++) {
      begins[row] = listed;
      int64_t t = 0;
      for (int64_t a = 0; a < s_.count[0]; a++) {
        for (int64_t b = 0; b < s_.count[1]; b++) {
          const bool counts = s_.phase[0][a] * s_.phases[1] + s_.phase[1][b] == row;
          const int64_t from = listed;
          for (int64_t c = 0; c < s_.count[2]; c++, t++) {
            if (!counts) continue;
            int64_t at = from;
            while (at < listed && reads_[at] != offsets[t]) at++;
            if (at == listed) {
              reads_[listed++] = offsets[t];
              for (int64_t p = 0; p < s_.phases[2]; p++) places_[at * s_.phases[2] + p] = -1;
            }
            places_[at * s_.phases[2] + s_.phase[2][c]] = t;
          }
        }
      }
    }
    begins[rows_] = listed;
  }

  // [phase of rows][pass][channel][tap][results], zeros for taps that do not count and results that are missing.
  void pack_weights(int64_t g) const {
    T* out = weights_ + g * group_size();
    const int64_t volume = s_.volume();
    for (int64_t row = 0; row < rows_; row++) {
      for (int64_t o0 = 0; o0 < passes_ * outputs_; o0 += outputs_) {
        for (int64_t c = 0; c < s_.c; c++) {
          for (int64_t tap = list_[row]; tap < list_[row + 1]; tap++, out += results_) {
            for (int64_t m = 0; m < results_; m++) {
              const int64_t o = o0 + m / s_.phases[2], t = places_[tap * s_.phases[2] + m % s_.phases[2]];
              if (t < 0 || o >= s_.o || m >= outputs_ * s_.phases[2]) {
                out[m] = T(0);
              } else if (s_.transposed) {
                out[m] = s_.w[((g * s_.c + c) * s_.o + o) * volume + t];
              } else {
                out[m] = s_.w[((g * s_.o + o) * s_.c + c) * volume + t];
              }
            }
          }
        }
      }
    }
  }

  void multiply(int64_t image, int64_t g, int64_t first, char* own) const {
    Place* places = reinterpret_cast<Place*>(own);
    T* window = reinterpret_cast<T*>(own + place_bytes());
    const int64_t count = lines_ - first < band_ ? lines_ - first : band_, column = first % cuts_ * length_;
    const int64_t length = s_.grid[2] - column < length_ ? s_.grid[2] - column : length_;
    const int64_t origin = image * s_.positions() + first / cuts_ * s_.grid[2] + column;
    const T* data = window_.fill(g, 0, s_.c, origin, count * length, window);
    int64_t vectors = 0;
    for (int64_t i = 0; i < count; i++) {
      const int64_t line = (first + i) / cuts_, d = line / s_.grid[1], h = line % s_.grid[1];
      const int64_t x = window_.place(origin, {image, d, h, column, 1});
      const int64_t z = d * s_.phases[0], v = h * s_.phases[1], y = z * s_.y_step[0] + v * s_.y_step[1];
      for (int64_t q = 0; q < length; q += L) {
        const int64_t at = (column + q) * s_.phases[2], most = (length - q < L ? length - q : L) * s_.phases[2];
        places[vectors++] = {x + q, z, v, y + at, s_.size[2] - at < most ? s_.size[2] - at : most};
      }
    }
    const T* w = weights_ + g * group_size();
    for (int64_t row = 0; row < rows_; row++) {
      const int64_t taps = list_[row + 1] - list_[row];
      for (int64_t o = 0; o < passes_ * outputs_; o += outputs_, w += s_.c * taps * results_) {
        if (o < s_.o) run_tiles(image, g, row, o, data, places, vectors, w);
      }
    }
  }

  // All vectors of a band, in one phase of rows, for the output channels from o on.
  void run_tiles(int64_t image, int64_t g, int64_t row, int64_t o, const T* data, const Place* places, int64_t vectors,
                 const T* w) const {
    switch (results_) {
      case 1: return tiles<1>(image, g, row, o, data, places, vectors, w);
      case 2: return tiles<2>(image, g, row, o, data, places, vectors, w);
      case 3: return tiles<3>(image, g, row, o, data, places, vectors, w);
      case 4: return tiles<4>(image, g, row, o, data, places, vectors, w);
      case 6: return tiles<6>(image, g, row, o, data, places, vectors, w);
      case 8: return tiles<8>(image, g, row, o, data, places, vectors, w);
      default: return tiles<kMost>(image, g, row, o, data, places, vectors, w);
    }
  }

  template <int M>
  void tiles(int64_t image, int64_t g, int64_t row, int64_t o, const T* data, const Place* places, int64_t vectors,
             const T* w) const {
    constexpr int U = kNarrowVectors<M>;
    alignas(64) T sums[kNarrowSums * L];
    const T* x[U];
    const int64_t z = row / s_.phases[1], v = row % s_.phases[1];
    T* to = s_.y + image * s_.y_image + (g * s_.o + o) * s_.y_channel + z * s_.y_step[0] + v * s_.y_step[1];
    const NarrowWork<T> work{x, w, reads_ + list_[row], list_[row + 1] - list_[row], s_.c, window_.channel, sums};
    for (int64_t first = 0; first < vectors; first += U) {
      const int64_t some = vectors - first < U ? vectors - first : U;
      for (int64_t u = 0; u < U; u++) x[u] = data + places[first + (u < some ? u : 0)].x;
      convolve_narrow<T, M>(work);
      for (int64_t u = 0; u < some; u++) {
        const Place& at = places[first + u];
        if (at.d + z >= s_.size[0] || at.h + v >= s_.size[1]) continue;
        T* y = to + at.y;
        for (int64_t i = 0; i < outputs_ && o + i < s_.o; i++, y += s_.y_channel) {
          emit(sums + (i * s_.phases[2] * U + u) * L, U * L, at.count, s_.bias ? s_.bias[g * s_.o + o + i] : T(0), y);
        }
      }
    }
  }

  // `count` results of one output channel: vectors for each phase of the columns, `step` apart.
  void emit(const T* sums, int64_t step, int64_t count, T bias, T* y) const {
    const V<T> shift = splat(bias);
    if (s_.phases[2] > 2) {
      for (int64_t i = 0; i < count; i++) y[i] = sums[i % s_.phases[2] * step + i / s_.phases[2]] + bias;
      return;
    }
    V<T> v = load(sums);
    if (s_.phases[2] == 2) {
      const V<T> odd = load(sums + step), even = v;
      v = riffle<T, 0>(even, odd);
      if (count > L) {
        store(y, add<T>(v, shift));
        v = riffle<T, L / 2>(even, odd);
        y += L;
        count -= L;
      }
    }
    if (count == L) {
      store(y, add<T>(v, shift));
    } else {
      store_n(y, add<T>(v, shift), static_cast<int>(count));
    }
  }

  Lowered<T> s_;
  int threads_;
  Window<T> window_;
  int64_t rows_;                        // of results for a row of positions
  int64_t passes_, outputs_, results_;  // output channels of a pass; what a tile has for them
  int64_t length_, cuts_, lines_, band_, bands_;
  T* weights_ = nullptr;
  // Taps of each phase of rows from list_[phase] on: where they read, and the place of their weights for each phase of
  // columns, or -1.
  int64_t *list_ = nullptr, *reads_ = nullptr, *places_ = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
