// What each reduction accumulates, over vectors (V = Vec<T>) and over complex numbers.
// Included by the reduce*.cc files only.
#pragma once
#include "kernels/reduce.h"
#include "simd/access.h"
#include "simd/arith.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

template <class T>
FLAMBEAU_INLINE Vec<T> conj_product(Vec<T> x) {
  return x * x;
}
template <class T>
FLAMBEAU_INLINE Complex<T> conj_product(Complex<T> x) {
  return Complex<T>(x.re * x.re + x.im * x.im);
}

// Reductions whose accumulator is of the element's own kind.
template <class V>
struct ValueReducer {
  using Acc = V;
  using Out = typename Access<V>::Memory;
  template <class M>
  static FLAMBEAU_INLINE V choose(M m, V a, V b) {
    return select(m, a, b);
  }
  static FLAMBEAU_INLINE void store_lanes(V acc, Out* out, int lanes) {
    if constexpr (Access<V>::N == 1) {
      *out = acc;
    } else {
      if (lanes == Access<V>::N)
        acc.store(out);
      else
        acc.store(out, lanes);
    }
  }
};

template <class V>
struct AdditiveReducer : ValueReducer<V> {
  static FLAMBEAU_INLINE V identity() { return V(0); }
  static FLAMBEAU_INLINE V join(V a, V b) { return a + b; }
  static FLAMBEAU_INLINE typename ValueReducer<V>::Out total(V acc) {
    if constexpr (Access<V>::N == 1)
      return acc;
    else
      return sum(acc);
  }
};

template <Reduce op, class V>
struct Reducer;

template <class V>
struct Reducer<Reduce::Sum, V> : AdditiveReducer<V> {
  FLAMBEAU_INLINE V add(V acc, V x) const { return acc + x; }
};
template <class V>
struct Reducer<Reduce::SumSquares, V> : AdditiveReducer<V> {
  FLAMBEAU_INLINE V add(V acc, V x) const { return acc + conj_product(x); }
};
template <class V>
struct Reducer<Reduce::SumAbs, V> : AdditiveReducer<V> {
  FLAMBEAU_INLINE V add(V acc, V x) const { return acc + V(abs(x)); }
};
template <class V>
struct Reducer<Reduce::NanSum, V> : AdditiveReducer<V> {
  FLAMBEAU_INLINE V add(V acc, V x) const { return acc + select(isnan(x), V(0), x); }
};

template <class V>
struct Reducer<Reduce::Prod, V> : ValueReducer<V> {
  static FLAMBEAU_INLINE V identity() { return V(1); }
  FLAMBEAU_INLINE V add(V acc, V x) const { return acc * x; }
  static FLAMBEAU_INLINE V join(V a, V b) { return a * b; }
  static FLAMBEAU_INLINE typename ValueReducer<V>::Out total(V acc) {
    if constexpr (Access<V>::N == 1) {
      return acc;
    } else {
      using Wrapping = typename WrappingOf<typename V::Lane>::Type;
      typename V::Lane a[V::N];
      acc.store(a);
      for (int w = V::N / 2; w > 0; w /= 2)
        for (int i = 0; i < w; i++)
          a[i] = static_cast<typename V::Lane>(static_cast<Wrapping>(a[i]) * static_cast<Wrapping>(a[i + w]));
      return a[0];
    }
  }
};

template <class T>
constexpr T lowest_of() {
  if constexpr (T(0.5) == T(0))
    return INT64_MIN;
  else
    return static_cast<T>(-kInf);
}
template <class T>
constexpr T highest_of() {
  if constexpr (T(0.5) == T(0))
    return INT64_MAX;
  else
    return static_cast<T>(kInf);
}

template <class T>
struct Reducer<Reduce::Max, Vec<T>> : ValueReducer<Vec<T>> {
  using V = Vec<T>;
  static FLAMBEAU_INLINE V identity() { return V(lowest_of<T>()); }
  FLAMBEAU_INLINE V add(V acc, V x) const { return max(x, acc); }
  static FLAMBEAU_INLINE V join(V a, V b) { return max(a, b); }
  static FLAMBEAU_INLINE T total(V acc) { return any(isnan(acc)) ? static_cast<T>(kNaN) : max(acc); }
};
template <class T>
struct Reducer<Reduce::Min, Vec<T>> : ValueReducer<Vec<T>> {
  using V = Vec<T>;
  static FLAMBEAU_INLINE V identity() { return V(highest_of<T>()); }
  FLAMBEAU_INLINE V add(V acc, V x) const { return min(x, acc); }
  static FLAMBEAU_INLINE V join(V a, V b) { return min(a, b); }
  static FLAMBEAU_INLINE T total(V acc) { return any(isnan(acc)) ? static_cast<T>(kNaN) : min(acc); }
};
template <class T>
struct Reducer<Reduce::MaxAbs, Vec<T>> : Reducer<Reduce::Max, Vec<T>> {
  using V = Vec<T>;
  static FLAMBEAU_INLINE V identity() { return V(0); }
  FLAMBEAU_INLINE V add(V acc, V x) const { return max(abs(x), acc); }
};

// What "is not zero" gives: a mask, or a bool for a complex number.
template <class V>
using TruthOf = decltype(V{} != V{});

template <class V>
struct TruthReducer {
  using Acc = TruthOf<V>;
  using Out = uint8_t;
  static FLAMBEAU_INLINE Acc truth(bool b) {
    if constexpr (Access<V>::N == 1)
      return b;
    else
      return b ? !no_lane<typename V::Lane>() : no_lane<typename V::Lane>();
  }
  static FLAMBEAU_INLINE Acc choose(Acc m, Acc a, Acc b) { return (m & a) | ((m ^ truth(true)) & b); }
  static FLAMBEAU_INLINE void store_lanes(Acc acc, uint8_t* out, int lanes) {
    uint8_t bytes[Access<V>::N];
    Access<Acc>::store(acc, bytes);
    for (int i = 0; i < lanes; i++) out[i] = bytes[i];
  }
};
template <class V>
struct Reducer<Reduce::Any, V> : TruthReducer<V> {
  using Acc = TruthOf<V>;
  static FLAMBEAU_INLINE Acc identity() { return TruthReducer<V>::truth(false); }
  FLAMBEAU_INLINE Acc add(Acc acc, V x) const { return acc | (x != V(0)); }
  static FLAMBEAU_INLINE Acc join(Acc a, Acc b) { return a | b; }
  static FLAMBEAU_INLINE uint8_t total(Acc acc) {
    if constexpr (Access<V>::N == 1)
      return acc;
    else
      return any(acc);
  }
};
template <class V>
struct Reducer<Reduce::All, V> : TruthReducer<V> {
  using Acc = TruthOf<V>;
  static FLAMBEAU_INLINE Acc identity() { return TruthReducer<V>::truth(true); }
  FLAMBEAU_INLINE Acc add(Acc acc, V x) const { return acc & (x != V(0)); }
  static FLAMBEAU_INLINE Acc join(Acc a, Acc b) { return a & b; }
  static FLAMBEAU_INLINE uint8_t total(Acc acc) {
    if constexpr (Access<V>::N == 1)
      return acc;
    else
      return all(acc);
  }
};

// Lane counters as wide as the lane; 2^31 steps of one accumulator are more than any block has.
template <class T>
struct Reducer<Reduce::CountNonzero, Vec<T>> {
  using V = Vec<T>;
  using Acc = Vec<Bits<T>>;
  using Out = int64_t;
  static FLAMBEAU_INLINE Acc identity() { return Acc(0); }
  FLAMBEAU_INLINE Acc add(Acc acc, V x) const { return acc - Acc((Raw<Bits<T>>)(x != V(0)).v); }  // true is -1
  static FLAMBEAU_INLINE Acc join(Acc a, Acc b) { return a + b; }
  static FLAMBEAU_INLINE Acc choose(Mask<T> m, Acc a, Acc b) { return select(Mask<Bits<T>>{m.v}, a, b); }
  static FLAMBEAU_INLINE int64_t total(Acc acc) {
    int64_t n = 0;
    for (int i = 0; i < Acc::N; i++) n += acc[i];
    return n;
  }
  static FLAMBEAU_INLINE void store_lanes(Acc acc, int64_t* out, int lanes) {
    for (int i = 0; i < lanes; i++) out[i] = acc[i];
  }
};
template <class T>
struct Reducer<Reduce::CountNonzero, Complex<T>> {
  using Acc = int64_t;
  using Out = int64_t;
  static FLAMBEAU_INLINE Acc identity() { return 0; }
  FLAMBEAU_INLINE Acc add(Acc acc, Complex<T> x) const { return acc + (x != Complex<T>(0)); }
  static FLAMBEAU_INLINE Acc join(Acc a, Acc b) { return a + b; }
  static FLAMBEAU_INLINE int64_t total(Acc acc) { return acc; }
  static FLAMBEAU_INLINE void store_lanes(Acc acc, int64_t* out, int) { *out = acc; }
};

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
