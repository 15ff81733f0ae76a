// Walking along contiguous runs a vector at a time, and sums that lose no digits on the way. Included only by files that
// are compiled once per instruction set.
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

// The elements p[0], p[2] ... p[2 (N - 1)]; nothing beyond the last is read.
template <class T>
FLAMBEAU_INLINE Vec<T> load_second(const T* p) {
  constexpr int N = Vec<T>::N;
  const Raw<T> a = Vec<T>::load(p).v, b = Vec<T>::load(p + N - 1).v;
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
