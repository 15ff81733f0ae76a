// The element types a tensor can hold. The order is the wire format between TypeScript (lib/core/dtype.ts) and C++.
#pragma once
#include <cstdint>

namespace flambeau {

//  name, enumerator, bytes per element
#define FLAMBEAU_DTYPES(X) \
  X(uint8, U8, 1)          \
  X(int8, I8, 1)           \
  X(int16, I16, 2)         \
  X(int32, I32, 4)         \
  X(int64, I64, 8)         \
  X(float16, F16, 2)       \
  X(float32, F32, 4)       \
  X(float64, F64, 8)       \
  X(complex64, C64, 8)     \
  X(complex128, C128, 16)  \
  X(bool, Bool, 1)         \
  X(bfloat16, BF16, 2)

enum class DType : uint8_t {
#define X(name, id, size) id,
  FLAMBEAU_DTYPES(X)
#undef X
};

inline constexpr int kDTypeCount = 12;

constexpr int item_size(DType t) {
  constexpr int sizes[] = {
#define X(name, id, size) size,
      FLAMBEAU_DTYPES(X)
#undef X
  };
  return sizes[static_cast<int>(t)];
}

constexpr const char* dtype_name(DType t) {
  constexpr const char* names[] = {
#define X(name, id, size) #name,
      FLAMBEAU_DTYPES(X)
#undef X
  };
  return names[static_cast<int>(t)];
}

constexpr bool is_float(DType t) { return t == DType::F16 || t == DType::BF16 || t == DType::F32 || t == DType::F64; }
constexpr bool is_complex(DType t) { return t == DType::C64 || t == DType::C128; }
constexpr bool is_integral(DType t) { return !is_float(t) && !is_complex(t) && t != DType::Bool; }

// Arithmetic happens in one of five types; narrower elements are converted tile by tile on their way through the
// first-level cache, so that a kernel is written and compiled five times and not twelve. int8 to int32 wrap as
// PyTorch's do, because truncating a 64-bit sum, difference or product gives the same low bits.
enum class Compute : uint8_t { F32, F64, I64, C64, C128 };
inline constexpr int kComputeCount = 5;

constexpr Compute compute_of(DType t) {
  switch (t) {
    case DType::F64: return Compute::F64;
    case DType::F32:
    case DType::F16:
    case DType::BF16: return Compute::F32;
    case DType::C64: return Compute::C64;
    case DType::C128: return Compute::C128;
    default: return Compute::I64;
  }
}

constexpr DType dtype_of(Compute c) {
  constexpr DType types[] = {DType::F32, DType::F64, DType::I64, DType::C64, DType::C128};
  return types[static_cast<int>(c)];
}

}  // namespace flambeau
