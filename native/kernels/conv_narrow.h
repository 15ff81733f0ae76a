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

// Of a position with two phases, taps that both have come first, then those of the even results, then of the odd ones:
// a product with zero instead would make a NaN of what is not finite.
template <class T>
struct NarrowWork {
  const T* const* x;  // what tap 0 of the first channel reads at each vector of positions
  const T* w;         // for every channel and tap, of each result that has it
  const int64_t* taps;
  int64_t ends[3];  // of the taps of both, of the even and of the odd results
  int64_t channels, x_channel;
  T* out;  // [M][vectors][lanes]
};

// acc[First + i Step] += w[i] times what the taps read.
template <class T, int M, int U, int First, int Step>
FLAMBEAU_INLINE const T* add_taps(const T* const (&x)[U], const int64_t* taps, const int64_t* end, const T* w,
                                  V<T> (&acc)[M][U]) {
  for (; taps < end; taps++) {
    V<T> in[U];
#pragma GCC unroll 8
    for (int u = 0; u < U; u++) in[u] = load(x[u] + *taps);
#pragma GCC unroll 16
    for (int m = First; m < M; m += Step) {
      const V<T> weight = splat(*w++);
#pragma GCC unroll 8
      for (int u = 0; u < U; u++) acc[m][u] = fma<T>(weight, in[u], acc[m][u]);
    }
  }
  return w;
}

template <class T, int M, int Phases>
__attribute__((noinline)) void convolve_narrow(const NarrowWork<T>& work) {
  constexpr int L = kLanes<T>, U = kNarrowVectors<M>;
  V<T> acc[M][U] = {};
  const T* x[U];
#pragma GCC unroll 8
  for (int u = 0; u < U; u++) x[u] = work.x[u];
  const T* w = work.w;
  const int64_t* const taps = work.taps;
  for (int64_t c = 0; c < work.channels; c++) {
    w = add_taps<T, M, U, 0, 1>(x, taps, taps + work.ends[0], w, acc);
    if constexpr (Phases == 2) {
      w = add_taps<T, M, U, 0, 2>(x, taps + work.ends[0], taps + work.ends[1], w, acc);
      w = add_taps<T, M, U, 1, 2>(x, taps + work.ends[1], taps + work.ends[2], w, acc);
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
  static constexpr int64_t kMostPhases = 16;     // of a position, of which two in a row
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
    if (s.o > kChannels || s.phases[2] > 2 || s.phases[0] * s.phases[1] * s.phases[2] > kMostPhases) return false;
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
    results_ = results_for(outputs_ * s.phases[2]);  // even where there are two phases
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
    ends_ = reinterpret_cast<int64_t*>(static_cast<char*>(workspace) + weight_bytes());
    int64_t* offsets = reinterpret_cast<int64_t*>(reinterpret_cast<char*>(ends_) + list_bytes());
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
  // Of each phase of rows where its taps end, by the phases of columns that have them; of each tap where it reads, and
  // its place in the kernel for both.
  int64_t list_bytes() const { return round_up((3 * rows_ + 3 * s_.volume()) * 8, 64); }
  int64_t offset_bytes() const { return round_up(s_.volume() * 8, 64); }
  int64_t place_bytes() const {
    return round_up(band_ * ((length_ + L - 1) / L) * static_cast<int64_t>(sizeof(Place)), 64);
  }
  int64_t slot_bytes() const { return place_bytes() + window_.bytes(); }

  void list_taps(const int64_t* offsets) {
    reads_ = ends_ + 3 * rows_;
    even_ = reads_ + s_.volume();
    odd_ = even_ + s_.volume();
    int64_t listed = 0;
    for (int64_t row = 0; row < rows_; row++) {
      for (int part = 0; part < 3; part++) {
        listed = list_part(offsets, row, part, listed);
        ends_[3 * row + part] = listed;
      }
    }
  }

  // Taps of a phase of rows that both phases of columns have (part 0; the only ones where there is one phase), the even
  // one alone, or the odd one.
  int64_t list_part(const int64_t* offsets, int64_t row, int part, int64_t listed) {
    int64_t t = 0;
    for (int64_t a = 0; a < s_.count[0]; a++) {
      for (int64_t b = 0; b < s_.count[1]; b++, t += s_.count[2]) {
        if (s_.phase[0][a] * s_.phases[1] + s_.phase[1][b] != row) continue;
        for (int64_t c = 0; c < s_.count[2]; c++) {
          int64_t other = -1;  // the tap of the other phase that reads the same
          for (int64_t e = 0; e < s_.count[2]; e++) {
            if (s_.phase[2][e] != s_.phase[2][c] && s_.taps[2][e] == s_.taps[2][c]) other = e;
          }
          const bool both = s_.phases[2] == 1 || other >= 0, odd = s_.phase[2][c] == 1;
          if (part != (both ? 0 : odd ? 2 : 1) || (both && odd)) continue;
          reads_[listed] = offsets[t + c];
          even_[listed] = t + c;
          odd_[listed++] = t + (other >= 0 ? other : c);
        }
      }
    }
    return listed;
  }

  int64_t begin_of(int64_t row) const { return row > 0 ? ends_[3 * row - 1] : 0; }
  // The weights of a channel in one pass.
  int64_t weights_of(int64_t row) const {
    const int64_t *end = ends_ + 3 * row, both = end[0] - begin_of(row);
    return (both * s_.phases[2] + end[2] - end[0]) * (results_ / s_.phases[2]);
  }

  T weight(int64_t g, int64_t o, int64_t c, int64_t t) const {
    if (o >= s_.o) return T(0);
    return s_.transposed ? s_.w[((g * s_.c + c) * s_.o + o) * s_.volume() + t]
                         : s_.w[((g * s_.o + o) * s_.c + c) * s_.volume() + t];
  }

  // [phase of rows][pass][channel][tap][results that have it], zeros for output channels that are missing.
  void pack_weights(int64_t g) const {
    T* out = weights_ + g * group_size();
    const bool two = s_.phases[2] == 2;
    for (int64_t row = 0; row < rows_; row++) {
      const int64_t* const end = ends_ + 3 * row;
      for (int64_t o0 = 0; o0 < passes_ * outputs_; o0 += outputs_) {
        for (int64_t c = 0; c < s_.c; c++) {
          for (int64_t tap = begin_of(row); tap < end[2]; tap++) {
            for (int64_t i = 0; i < results_ / s_.phases[2]; i++) {
              const int64_t o = i < outputs_ ? o0 + i : s_.o;
              *out++ = weight(g, o, c, even_[tap]);
              if (two && tap < end[0]) *out++ = weight(g, o, c, odd_[tap]);
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
      for (int64_t o = 0; o < passes_ * outputs_; o += outputs_, w += s_.c * weights_of(row)) {
        if (o < s_.o) run_tiles(image, g, row, o, data, places, vectors, w);
      }
    }
  }

  // All vectors of a band, in one phase of rows, for the output channels from o on.
  void run_tiles(int64_t image, int64_t g, int64_t row, int64_t o, const T* data, const Place* places, int64_t vectors,
                 const T* w) const {
    switch (results_) {
      case 1: return tiles<1>(image, g, row, o, data, places, vectors, w);
      case 2: return either<2>(image, g, row, o, data, places, vectors, w);
      case 3: return tiles<3>(image, g, row, o, data, places, vectors, w);
      case 4: return either<4>(image, g, row, o, data, places, vectors, w);
      case 6: return either<6>(image, g, row, o, data, places, vectors, w);
      case 8: return either<8>(image, g, row, o, data, places, vectors, w);
      default: return either<kMost>(image, g, row, o, data, places, vectors, w);
    }
  }

  template <int M>
  void either(int64_t image, int64_t g, int64_t row, int64_t o, const T* data, const Place* places, int64_t vectors,
              const T* w) const {
    if (s_.phases[2] == 2) return tiles<M, 2>(image, g, row, o, data, places, vectors, w);
    tiles<M>(image, g, row, o, data, places, vectors, w);
  }

  template <int M, int Phases = 1>
  void tiles(int64_t image, int64_t g, int64_t row, int64_t o, const T* data, const Place* places, int64_t vectors,
             const T* w) const {
    constexpr int U = kNarrowVectors<M>;
    alignas(64) T sums[kNarrowSums * L];
    const T* x[U];
    const int64_t z = row / s_.phases[1], v = row % s_.phases[1];
    T* to = s_.y + image * s_.y_image + (g * s_.o + o) * s_.y_channel + z * s_.y_step[0] + v * s_.y_step[1];
    const int64_t from = begin_of(row), *end = ends_ + 3 * row;
    const NarrowWork<T> work{
        x, w, reads_ + from, {end[0] - from, end[1] - from, end[2] - from}, s_.c, window_.channel, sums};
    for (int64_t first = 0; first < vectors; first += U) {
      const int64_t some = vectors - first < U ? vectors - first : U;
      for (int64_t u = 0; u < U; u++) x[u] = data + places[first + (u < some ? u : 0)].x;
      convolve_narrow<T, M, Phases>(work);
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
  int64_t *ends_ = nullptr, *reads_ = nullptr, *even_ = nullptr, *odd_ = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
