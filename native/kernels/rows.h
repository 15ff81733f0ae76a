// Walking along contiguous runs a vector at a time, and sums that lose no digits on the way. Included only by files
// that are compiled once per instruction set.
#pragma once
#include "simd/vec.h"

// A lambda that works on vectors: as a function of its own it would pass them through memory.
#define FLAMBEAU_LAMBDA __attribute__((always_inline))

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Calls f(i, count) for the vectors of n elements; count is below Vec::N in the last one only.
template <class T, class F>
FLAMBEAU_INLINE void each_vector(int64_t n, const F& f) {
  constexpr int N = Vec<T>::N;
  int64_t i = 0;
  for (; i + N <= n; i += N) f(i, N);
  if (i < n) f(i, static_cast<int>(n - i));
}

template <class T>
FLAMBEAU_INLINE Vec<T> get(const T* p, int count) {
  return count == Vec<T>::N ? Vec<T>::load(p) : Vec<T>::load(p, count);
}
template <class T>
FLAMBEAU_INLINE void put(T* p, int count, Vec<T> v) {
  if (count == Vec<T>::N) {
    v.store(p);
  } else {
    v.store(p, count);
  }
}
// v in the first count lanes, zero in the others.
template <class T>
FLAMBEAU_INLINE Vec<T> keep(Vec<T> v, int count) {
  return count == Vec<T>::N ? v : select(first_lanes<T>(count), v, Vec<T>(0));
}

// Even elements of two overlapping vectors, the second of which starts at the first one's last element.
template <class T>
FLAMBEAU_INLINE Vec<T> every_second(Raw<T> a, Raw<T> b) {
  constexpr int N = Vec<T>::N;
  if constexpr (N == 16) {
    return (Raw<T>)__builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
  } else if constexpr (N == 8) {
    return (Raw<T>)__builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
  } else if constexpr (N == 4) {
    return (Raw<T>)__builtin_shufflevector(a, b, 0, 2, 5, 7);
  } else {
    return (Raw<T>)__builtin_shufflevector(a, b, 0, 3);
  }
}

// Every second element of two vectors that follow each other, from element First on: 0 or 1.
template <int First, class T>
FLAMBEAU_INLINE Vec<T> alternate_lanes(Vec<T> a, Vec<T> b) {
  constexpr int N = Vec<T>::N, F = First;
  if constexpr (N == 16) {
    return (Raw<T>)__builtin_shufflevector(a.v, b.v, F, F + 2, F + 4, F + 6, F + 8, F + 10, F + 12, F + 14, F + 16,
                                           F + 18, F + 20, F + 22, F + 24, F + 26, F + 28, F + 30);
  } else if constexpr (N == 8) {
    return (Raw<T>)__builtin_shufflevector(a.v, b.v, F, F + 2, F + 4, F + 6, F + 8, F + 10, F + 12, F + 14);
  } else if constexpr (N == 4) {
    return (Raw<T>)__builtin_shufflevector(a.v, b.v, F, F + 2, F + 4, F + 6);
  } else {
    return (Raw<T>)__builtin_shufflevector(a.v, b.v, F, F + 2);
  }
}

// The elements p[0], p[2] ... p[2 (count - 1)], zeros in the other lanes; nothing beyond the last is read.
template <class T>
FLAMBEAU_INLINE Vec<T> load_second(const T* p, int count = Vec<T>::N) {
  constexpr int N = Vec<T>::N;
  if (count == N) return every_second<T>(Vec<T>::load(p).v, Vec<T>::load(p + N - 1).v);
  const int left = 2 * count - 1, beyond = left - (N - 1);
  const Vec<T> a = left < N ? Vec<T>::load(p, left) : Vec<T>::load(p);
  return every_second<T>(a.v, beyond > 0 ? Vec<T>::load(p + N - 1, beyond).v : Raw<T>{});
}

// Adds every lane of v to two neighbours: p[2 i] += v[i], p[2 i + 1] += v[i].
template <class T>
FLAMBEAU_INLINE void add_twice(T* p, Vec<T> v) {
  constexpr int N = Vec<T>::N;
  Raw<T> low, high;
  if constexpr (N == 16) {
    low = __builtin_shufflevector(v.v, v.v, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    high = __builtin_shufflevector(v.v, v.v, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15);
  } else if constexpr (N == 8) {
    low = __builtin_shufflevector(v.v, v.v, 0, 0, 1, 1, 2, 2, 3, 3);
    high = __builtin_shufflevector(v.v, v.v, 4, 4, 5, 5, 6, 6, 7, 7);
  } else if constexpr (N == 4) {
    low = __builtin_shufflevector(v.v, v.v, 0, 0, 1, 1);
    high = __builtin_shufflevector(v.v, v.v, 2, 2, 3, 3);
  } else {
    low = __builtin_shufflevector(v.v, v.v, 0, 0);
    high = __builtin_shufflevector(v.v, v.v, 1, 1);
  }
  (Vec<T>::load(p) + Vec<T>(low)).store(p);
  (Vec<T>::load(p + N) + Vec<T>(high)).store(p + N);
}

// A sum, in double, of vectors or of products of vectors.
template <class T>
struct Total;

template <>
struct Total<float> {
  VF64 low{0.0}, high{0.0};

  FLAMBEAU_INLINE void add(VF32 x) {
    low += widen_low(x);
    high += widen_high(x);
  }
  FLAMBEAU_INLINE void add(VF32 x, VF32 y) {
    low = fma(widen_low(x), widen_low(y), low);
    high = fma(widen_high(x), widen_high(y), high);
  }
  FLAMBEAU_INLINE double value() const { return sum(low + high); }
  FLAMBEAU_INLINE void lanes(double* out) const {
    low.store(out);
    high.store(out + VF64::N);
  }
};

template <>
struct Total<double> {
  VF64 all{0.0};

  FLAMBEAU_INLINE void add(VF64 x) { all += x; }
  FLAMBEAU_INLINE void add(VF64 x, VF64 y) { all = fma(x, y, all); }
  FLAMBEAU_INLINE double value() const { return sum(all); }
  FLAMBEAU_INLINE void lanes(double* out) const { all.store(out); }
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
