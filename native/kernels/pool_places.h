// The gradient of max pooling whose windows lie side by side, from the place of each maximum in its window, one byte.
#pragma once
#include "kernels/conv_tile.h"
#include "kernels/pool_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// gy at the places of maxima in one row of windows two wide, `first` and the one beside it, and 0 elsewhere; n: how
// many windows, left: how many windows there are altogether from here on, room: how many elements of `out` may be
// written, since what follows will be.
template <class T>
FLAMBEAU_INLINE void scatter_pairs(const T* gy, const uint8_t* places, int64_t n, int64_t left, int first, T* out,
                                   int64_t room) {
  constexpr int L = kLanes<T>;
  using I = Bits<T>;
  const Vec<T> zero(T(0));
  for (int64_t i = 0; i < n; i += L) {
    Vec<T> g;
    Vec<I> at;
    const int count = static_cast<int>(n - i < L ? n - i : L);
    if (left - i >= L) {
      g = Vec<T>::load(gy + i);
      at = arch::load_bytes(places + i, I(0));
    } else {
      uint8_t lanes[L] = {};
      for (int j = 0; j < count; j++) lanes[j] = places[i + j];
      g = Vec<T>::load(gy + i, count);
      at = arch::load_bytes(lanes, I(0));
    }
    const auto only = [&](int place) FLAMBEAU_LAMBDA {
      return select(Mask<T>{(typename Mask<T>::R)(at == Vec<I>(place)).v}, g, zero).v;
    };
    const V<T> even = only(first), odd = only(first + 1);
    const V<T> low = riffle<T, 0>(even, odd), high = riffle<T, L / 2>(even, odd);
    T* to = out + 2 * i;
    if (2 * (i + L) <= room) {
      store(to, low);
      store(to + L, high);
    } else {
      put(to, 2 * count < L ? 2 * count : L, Vec<T>(low));
      if (2 * count > L) put(to + L, 2 * count - L, Vec<T>(high));
    }
  }
}

// Every element of gx [planes, in] is written: gy at the places of maxima, 0 elsewhere and beyond the last window.
template <class T>
void scatter_places_as(const PoolShape& s, const T* gy, const uint8_t* places, T* gx) {
  const int64_t rows = s.out[1], columns = s.out[2], high = s.kernel[1], wide = s.kernel[2], width = s.in[2];
  const bool pairs = high == 2 && wide == 2;
  const int64_t size = volume(s.in), found = rows * columns, total = s.planes * found;
  parallel(0, s.planes, kPoolGrain / (size + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      T* plane = gx + p * size;
      for (int64_t r = 0; r < rows; r++) {
        const int64_t first = p * found + r * columns;
        T* out = plane + r * high * width;
        if (pairs) {
          for (int row = 0; row < 2; row++, out += width) {
            scatter_pairs(gy + first, places + first, columns, total - first, 2 * row, out, plane + size - out);
            for (int64_t w = 2 * columns; w < width; w++) out[w] = T(0);
          }
          continue;
        }
        for (int64_t i = 0; i < high * width; i++) out[i] = T(0);
        for (int64_t i = 0; i < columns; i++) {
          const int64_t place = places[first + i];
          if (place < high * wide) out[place / wide * width + i * wide + place % wide] = gy[first + i];
        }
      }
      for (int64_t i = rows * high * width; i < size; i++) plane[i] = T(0);
    }
  });
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
