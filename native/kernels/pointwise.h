// The pointwise family: every element of the output depends on the elements of the inputs at the same place alone.
// What a row is called, which types it takes and what it computes is stated once, in pointwise.def.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

// One kernel call: n contiguous elements of the compute type per input. The output is contiguous too: in the compute
// type (Result::Same), uint8 with values 0 and 1 (Result::Bool), or in the real type that belongs to the compute type
// (Result::Real: float for C64, double for C128, the compute type itself for the others). An input may be the same
// memory as the output if the element sizes agree; partial overlap is not allowed. `params` holds the row's scalars.
// With `stream` the output is written past the caches where streams_itself() says so; other threads see it after
// ConvertKernels::stream_end.
using PointwiseFn = void (*)(int64_t n, const void* const* in, void* out, const double* params, bool stream);

enum class Result : uint8_t { Same, Bool, Real };

// Same: operands are promoted to their common type and computed there. Float: as Same, but integers and bool become
// the default float type first. Where: the first input is an array of uint8 (nonzero is true), the others as Same.
enum class TypeRule : uint8_t { Same, Float, Where };

struct PointwiseRow {
  const char* name;
  uint8_t arity;
  uint8_t params;
  Result result;
  TypeRule rule;
  uint8_t computes;  // bit i: has a kernel for the Compute of value i
  bool bool_ok;      // accepts bool operands (computed in I64 or, by TypeRule::Float, in the default float type)
  bool divides;      // the second operand, of integers, may hold no zero
};

// Whether the kernel for c can stream: its output comes in whole registers.
constexpr bool streams_itself(const PointwiseRow& row, Compute c) {
  return row.result != Result::Bool && c != Compute::C64 && c != Compute::C128;
}
constexpr bool computes(const PointwiseRow& row, Compute c) { return row.computes >> static_cast<int>(c) & 1; }

// The letters that the rows' type column is written with.
namespace row_types {
inline constexpr int F = 1 << static_cast<int>(Compute::F32) | 1 << static_cast<int>(Compute::F64);
inline constexpr int I = 1 << static_cast<int>(Compute::I64);
inline constexpr int C = 1 << static_cast<int>(Compute::C64) | 1 << static_cast<int>(Compute::C128);
inline constexpr int B = 1 << kComputeCount;
inline constexpr int Z = B << 1;
inline constexpr int kComputes = B - 1;
}  // namespace row_types

enum class Pointwise : uint16_t {
#define ROW(name, ...) name,
#include "kernels/pointwise.def"
#undef ROW
};

inline constexpr PointwiseRow kPointwiseRows[] = {
#define ROW(name, arity, params, result, rule, types, ...) \
  {#name,                                                  \
   arity,                                                  \
   params,                                                 \
   Result::result,                                         \
   TypeRule::rule,                                         \
   [] {                                                    \
     using namespace row_types;                            \
     return static_cast<uint8_t>((types)&kComputes);       \
   }(),                                                    \
   [] {                                                    \
     using namespace row_types;                            \
     return ((types)&B) != 0;                              \
   }(),                                                    \
   [] {                                                    \
     using namespace row_types;                            \
     return ((types)&Z) != 0;                              \
   }()},
#include "kernels/pointwise.def"
#undef ROW
};
inline constexpr int kPointwiseCount = sizeof(kPointwiseRows) / sizeof(kPointwiseRows[0]);
inline constexpr int kMaxPointwiseArity = 3;
inline constexpr int kMaxPointwiseParams = 4;

struct PointwiseKernels {
  PointwiseFn fn[kPointwiseCount][kComputeCount];  // null where a compute type is unsupported
};

namespace baseline {
void fill(PointwiseKernels&);
}
namespace avx2 {
void fill(PointwiseKernels&);
}
namespace avx512 {
void fill(PointwiseKernels&);
}
namespace neon {
void fill(PointwiseKernels&);
}

}  // namespace flambeau
