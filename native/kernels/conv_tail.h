// What may follow a convolution while its sums are in the cache: max(y, 0), and the largest element of each window.
#pragma once
#include "kernels/conv.h"
#include "kernels/conv_tile.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Whether adding these numbers keeps the order of what they are added to, and gives no -0: sums may then be compared
// before they are clamped, or even before the addition.
template <class T>
FLAMBEAU_INLINE bool keeps_order(Vec<T> offset) {
  using I = Bits<T>;
  constexpr I kMinusZero = static_cast<I>(static_cast<uint64_t>(1) << (8 * sizeof(T) - 1));
  const Vec<T> zero(T(0));
  return !any(offset - offset != zero) && !any(bits(offset) == Vec<I>(kMinusZero));
}

// What the windows of a band are found in, see pool_sums.
template <class T>
struct WindowWork {
  T* sums;
  int64_t rows, length, high, wide;
  T* places;
};

// One vector of channels. H, Wd: the window's sides where they are known. Ordered: see keeps_order.
template <class T, int H, int Wd, bool Ordered, bool Places>
__attribute__((noinline)) void pool_lanes(const WindowWork<T>& work, Vec<T> offset, bool add) {
  constexpr int W = kPanel<T>;
  const int64_t high = H ? H : work.high, wide = Wd ? Wd : work.wide, columns = work.length / wide;
  // As max pooling alone goes: which of equal zeros or of several NaNs stays depends on it.
  const bool by_column = !Places && wide == 2;
  const Vec<T> zero(T(0)), lowest(-static_cast<T>(__builtin_inf()));
  for (int64_t r = 0; r < work.rows / high; r++) {
    const T* first = work.sums + r * high * work.length * W;
    T* out = work.sums + r * columns * W;
    T* place_out = Places ? work.places + r * columns * W : nullptr;
    for (int64_t c = 0; c < columns; c++, first += wide * W, out += W) {
      Vec<T> best = lowest, place = zero;
      int64_t i = 0, j = 0;
#pragma GCC unroll 4
      for (int64_t k = 0; k < high * wide; k++) {
        Vec<T> v = Vec<T>::load(first + (i * work.length + j) * W);
        if constexpr (Ordered && !Places) {
          best = k == 0 ? v : select(v != v, v, max_second(v, best));
        } else {
          if (add) v = offset + v;
          if constexpr (!Ordered) v = max_second(zero, v);  // zeros and NaN stay as they are
          const Mask<T> wins = (v > best) | (v != v);
          best = select(wins, v, best);
          if (Places) place = select(wins, Vec<T>(static_cast<T>(k)), place);
        }
        if (by_column) {
          if (++i == high) i = 0, j++;
        } else {
          if (++j == wide) j = 0, i++;
        }
      }
      if constexpr (Ordered && !Places) best = offset + best;
      if constexpr (Ordered) best = max_second(zero, best);
      best.store(out);
      if constexpr (Places) {
        select(best <= zero, Vec<T>(static_cast<T>(kClosed)), place).store(place_out + c * W);
      }
    }
  }
}

template <class T, int H, int Wd>
void pool_panel(WindowWork<T> work, int64_t channels, const T* bias) {
  constexpr int L = kLanes<T>;
  for (int64_t o = 0; o < channels; o += L, work.sums += L) {
    const Vec<T> offset =
        bias ? Vec<T>(load_n(bias + o, static_cast<int>(channels - o < L ? channels - o : L))) : Vec<T>(T(0));
    const bool ordered = bias && keeps_order(offset);
    if (work.places) {
      (ordered ? pool_lanes<T, H, Wd, true, true> : pool_lanes<T, H, Wd, false, true>)(work, offset, bias);
      work.places += L;
    } else {
      (ordered ? pool_lanes<T, H, Wd, true, false> : pool_lanes<T, H, Wd, false, false>)(work, offset, bias);
    }
  }
}

// Sums [rows * length][kPanel], of which `channels` count, become max(sum + bias, 0), and then the largest element of
// each window, at the front of `sums`: the values that adding, clamping and pooling one after the other give. places,
// if not null, has the place of each maximum, as a number, in the same order as the sums.
template <class T>
void pool_sums(T* sums, int64_t rows, int64_t length, const int64_t (&window)[2], int64_t channels, const T* bias,
               T* places) {
  const WindowWork<T> work{sums, rows, length, window[0], window[1], places};
  const bool pairs = window[0] == 2 && window[1] == 2;
  (pairs ? pool_panel<T, 2, 2> : pool_panel<T, 0, 0>)(work, channels, bias);
}

// Places as numbers, [channels][count], to bytes.
template <class T>
void emit_places(const T* places, int64_t channels, int64_t count, uint8_t* out, int64_t channel) {
  for (int64_t o = 0; o < channels; o++, places += count, out += channel) {
    for (int64_t i = 0; i < count; i++) out[i] = static_cast<uint8_t>(static_cast<int>(places[i]));
  }
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
