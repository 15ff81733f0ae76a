// The gradient of max pooling whose windows lie side by side, from the place of each maximum in its window, one byte.
#pragma once
#include "kernels/conv_tile.h"
#include "kernels/pool_window.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// The first `count` places as numbers; all lanes are read where `whole`.
template <class T>
FLAMBEAU_INLINE Vec<T> load_places(const uint8_t* places, int count, bool whole) {
  constexpr int L = kLanes<T>;
  T lanes[L];
  if (whole) {
    for (int i = 0; i < L; i++) lanes[i] = static_cast<T>(places[i]);
  } else {
    for (int i = 0; i < L; i++) lanes[i] = i < count ? static_cast<T>(places[i]) : T(-1);
  }
  return Vec<T>::load(lanes);
}

// a[0] b[0] a[1] b[1] .. of `count` lanes each.
template <class T>
FLAMBEAU_INLINE void put_pairs(T* out, int count, Vec<T> a, Vec<T> b) {
  constexpr int L = kLanes<T>;
  const Vec<T> low(riffle<T, 0>(a.v, b.v)), high(riffle<T, L / 2>(a.v, b.v));
  put(out, 2 * count < L ? 2 * count : L, low);
  if (2 * count > L) put(out + L, 2 * count - L, high);
}

// One row of windows of two by two; `left`: how many places there are from the first one on.
template <class T>
FLAMBEAU_INLINE void scatter_pairs(const T* gy, const uint8_t* places, int64_t n, int64_t left, T* upper, T* lower) {
  constexpr int L = kLanes<T>;
  const Vec<T> zero(T(0));
  for (int64_t i = 0; i < n; i += L) {
    const int count = static_cast<int>(n - i < L ? n - i : L);
    const Vec<T> g = get(gy + i, count), at = load_places<T>(places + i, count, left - i >= L);
    const auto only = [&](int k) FLAMBEAU_LAMBDA { return select(at == Vec<T>(static_cast<T>(k)), g, zero); };
    put_pairs(upper + 2 * i, count, only(0), only(1));
    put_pairs(lower + 2 * i, count, only(2), only(3));
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
          scatter_pairs(gy + first, places + first, columns, total - first, out, out + width);
          for (int64_t w = 2 * columns; w < width; w++) out[w] = out[width + w] = T(0);
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
