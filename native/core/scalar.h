// A number that came from JavaScript, with the kind that type promotion needs.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

struct Scalar {
  enum class Kind : uint8_t { Bool, Int, Float, Complex } kind = Kind::Int;
  int64_t i = 0;          // Bool, Int
  double re = 0, im = 0;  // all kinds (rounded for an Int beyond 2^53)

  static Scalar of(bool b) { return {Kind::Bool, b, b ? 1.0 : 0.0, 0}; }
  static Scalar of(int64_t i) { return {Kind::Int, i, static_cast<double>(i), 0}; }
  static Scalar of(double d) { return {Kind::Float, 0, d, 0}; }

  bool floating() const { return kind == Kind::Float; }
  bool complex() const { return kind == Kind::Complex; }
  double real() const { return re; }
  int64_t integer() const {
    if (kind == Kind::Bool || kind == Kind::Int) return i;
    // Out of range is undefined in C++; PyTorch on x86 gives the lowest integer.
    return re >= -9.2233720368547758e18 && re < 9.2233720368547758e18 ? static_cast<int64_t>(re) : INT64_MIN;
  }

  // Writes the value as one element of type t.
  void store(DType t, void* out) const;
};

}  // namespace flambeau
