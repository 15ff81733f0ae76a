// What may follow a convolution while its sums are in the cache: max(y, 0), and the largest element of each window.
#pragma once
#include "kernels/conv.h"
#include "kernels/conv_tile.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// The lowest value, which every element of a window but another lowest one replaces.
template <class T>
FLAMBEAU_INLINE Vec<T> lowest_lanes() {
  return Vec<T>(-static_cast<T>(__builtin_inf()));
}

// Sums [rows * length][kPanel], of which `channels` count, become max(sum + bias, 0), and then the largest element of
// each window, at the front of `sums`: the values that adding, clamping and pooling one after the other give. H, Wd:
// the window's sides where they are known. places, if not null, has the place of each maximum, as a number, in the same
// order as the sums.
template <class T, int H, int Wd>
__attribute__((noinline)) void pool_windows(T* sums, int64_t rows, int64_t length, const int64_t (&window)[2],
                                            int64_t channels, const T* bias, T* places) {
  constexpr int L = kLanes<T>, W = kPanel<T>;
  const int64_t high = H ? H : window[0], wide = Wd ? Wd : window[1], columns = length / wide;
  // As max pooling alone goes: which of equal zeros or of several NaNs stays depends on it.
  const bool by_column = !places && wide == 2;
  const Vec<T> zero(T(0));
  for (int64_t o = 0; o < channels; o += L) {
    const int lanes = static_cast<int>(channels - o < L ? channels - o : L);
    const Vec<T> offset = bias ? Vec<T>(load_n(bias + o, lanes)) : zero;
    for (int64_t r = 0; r < rows / high; r++) {
      const T* first = sums + r * high * length * W + o;
      T* out = sums + r * columns * W + o;
      for (int64_t c = 0; c < columns; c++, first += wide * W, out += W) {
        Vec<T> best = lowest_lanes<T>(), place = zero;
        int64_t i = 0, j = 0;
#pragma GCC unroll 4
        for (int64_t k = 0; k < high * wide; k++) {
          Vec<T> v = Vec<T>::load(first + (i * length + j) * W);
          if (bias) v = offset + v;
          v = select(v < zero, zero, v);
          const Mask<T> wins = (v > best) | (v != v);
          best = select(wins, v, best);
          if (places) place = select(wins, Vec<T>(static_cast<T>(k)), place);
          if (by_column) {
            if (++i == high) i = 0, j++;
          } else {
            if (++j == wide) j = 0, i++;
          }
        }
        best.store(out);
        if (!places) continue;
        select(best <= zero, Vec<T>(static_cast<T>(kClosed)), place).store(places + (r * columns + c) * W + o);
      }
    }
  }
}

template <class T>
void pool_sums(T* sums, int64_t rows, int64_t length, const int64_t (&window)[2], int64_t channels, const T* bias,
               T* places) {
  const bool pairs = window[0] == 2 && window[1] == 2;
  (pairs ? pool_windows<T, 2, 2> : pool_windows<T, 0, 0>)(sums, rows, length, window, channels, bias, places);
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
