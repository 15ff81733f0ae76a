// One way to load and store every kind of value that kernels compute with.
#pragma once
#include "simd/complex.h"
#include "simd/vec.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

// What an operand and a result look like in memory, per kind of value.
template <class V>
struct Access;

template <class T>
struct Access<Vec<T>> {
  using Memory = T;
  static constexpr int N = Vec<T>::N;
  static FLAMBEAU_INLINE Vec<T> load(const T* p) { return Vec<T>::load(p); }
  static FLAMBEAU_INLINE void store(Vec<T> v, T* p) { v.store(p); }
  static FLAMBEAU_INLINE void stream(Vec<T> v, T* p) { v.stream(p); }
};
template <class T>
struct Access<Mask<T>> {
  using Memory = uint8_t;
  static FLAMBEAU_INLINE Mask<T> load(const uint8_t* p) { return load_bool<T>(p); }
  static FLAMBEAU_INLINE void store(Mask<T> v, uint8_t* p) { store_bool(v, p); }
};
template <class T>
struct Access<Complex<T>> {
  using Memory = Complex<T>;
  static constexpr int N = 1;
  static FLAMBEAU_INLINE Complex<T> load(const Complex<T>* p) { return *p; }
  static FLAMBEAU_INLINE void store(Complex<T> v, Complex<T>* p) { *p = v; }
};
template <>
struct Access<bool> {
  using Memory = uint8_t;
  static FLAMBEAU_INLINE bool load(const uint8_t* p) { return *p != 0; }
  static FLAMBEAU_INLINE void store(bool v, uint8_t* p) { *p = v; }
};
template <>
struct Access<int> : Access<bool> {};  // what &, | and ^ make of two bools
template <>
struct Access<float> {
  using Memory = float;
  static FLAMBEAU_INLINE void store(float v, float* p) { *p = v; }
};
template <>
struct Access<double> {
  using Memory = double;
  static FLAMBEAU_INLINE void store(double v, double* p) { *p = v; }
};

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
