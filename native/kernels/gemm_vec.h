// The matrix product's view of simd/vec.h: plain register types, which arrays of accumulators are made of.
#pragma once
#include <cstdint>

#include "simd/vec.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

template <class T>
using V = Raw<T>;

template <class T>
FLAMBEAU_INLINE V<T> load(const T* p) {
  return Vec<T>::load(p).v;
}
// The first n lanes, 0 < n <= kLanes, zeros in the others; reads nothing beyond p[n - 1].
template <class T>
FLAMBEAU_INLINE V<T> load_n(const T* p, int n) {
  return Vec<T>::load(p, n).v;
}
template <class T>
FLAMBEAU_INLINE void store(T* p, V<T> v) {
  Vec<T>(v).store(p);
}
template <class T>
FLAMBEAU_INLINE void store_n(T* p, V<T> v, int n) {
  Vec<T>(v).store(p, n);
}
template <class T>
FLAMBEAU_INLINE V<T> splat(T x) {
  return Vec<T>(x).v;
}

// a * b + c and c - a * b
template <class T>
FLAMBEAU_INLINE V<T> fma(V<T> a, V<T> b, V<T> c) {
  return fma(Vec<T>(a), Vec<T>(b), Vec<T>(c)).v;
}
template <class T>
FLAMBEAU_INLINE V<T> fnma(V<T> a, V<T> b, V<T> c) {
  return fma<T>(-a, b, c);
}
template <class T>
FLAMBEAU_INLINE V<T> add(V<T> a, V<T> b) {
  return (Vec<T>(a) + Vec<T>(b)).v;
}

// a * b + c for single elements. Overflow of signed 64-bit integers is defined as wrapping: the arithmetic is unsigned.
template <class T>
FLAMBEAU_INLINE T mul_add(T a, T b, T c) {
  return a * b + c;
}
template <>
FLAMBEAU_INLINE int64_t mul_add<int64_t>(int64_t a, int64_t b, int64_t c) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b) + static_cast<uint64_t>(c));
}
template <class T>
FLAMBEAU_INLINE T plus(T a, T b) {
  return a + b;
}
template <>
FLAMBEAU_INLINE int64_t plus<int64_t>(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

// The sum of all lanes.
template <class T>
FLAMBEAU_INLINE T sum_lanes(V<T> v) {
  if constexpr (static_cast<T>(0.5) == T(0)) {  // integers, whose sum wraps
    T total = 0;
    for (int i = 0; i < kLanes<T>; i++) total = plus<T>(total, v[i]);
    return total;
  } else {
    return sum(Vec<T>(v));
  }
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
