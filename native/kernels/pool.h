// Pooling over up to three spatial dimensions of contiguous planes.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

// x: [planes, in...], y: [planes, out...]; sizes are (depth, height, width), fewer dimensions have leading ones (kernel
// 1, stride 1, pad 0, dilation 1). The caller computes `out`, with ceil_mode or not; windows may reach past the padded
// input but each must touch it. Average pooling reads no dilation, the adaptive forms only planes, in and out.
struct PoolShape {
  int64_t planes;
  int64_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
  bool count_include_pad;  // average: divide by the window's size with padding, not by the elements inside the input
  int64_t divisor;         // average: divide by this instead, when not 0
};

struct PoolKernels {
  // Types F32, F64 and I64. The first of equal maxima wins, NaN beats all and the last NaN wins (as in PyTorch).
  // indices: [planes, out...] or null, positions within the input plane.
  void (*max_forward)(DType type, const PoolShape& s, const void* x, void* y, int64_t* indices);
  // gx[p, indices[p, i]] += gy[p, i]; gx is zeroed first. Serves the adaptive form too, which is why it takes plain
  // sizes: in_size and out_size are elements per plane. Whether all indices are in [0, in_size). Types F32 and F64.
  bool (*max_backward)(DType type, int64_t planes, int64_t in_size, int64_t out_size, const void* gy,
                       const int64_t* indices, void* gx);
  // Types F32, F64 and, for the forward, I64 (truncating division).
  void (*avg_forward)(DType type, const PoolShape& s, const void* x, void* y);
  void (*avg_backward)(DType type, const PoolShape& s, const void* gy, void* gx);
  // Window i of out covers [floor(i in / out), ceil((i + 1) in / out)). Types F32 and F64.
  void (*adaptive_avg_forward)(DType type, const PoolShape& s, const void* x, void* y);
  void (*adaptive_avg_backward)(DType type, const PoolShape& s, const void* gy, void* gx);
  void (*adaptive_max_forward)(DType type, const PoolShape& s, const void* x, void* y, int64_t* indices);
  // Windows side by side, of two dimensions (kernel, in and out count): gx = gy at the place of each window's maximum,
  // 0 elsewhere; places: [planes, out...], row by row within the window, any other number for none. Types F32 and F64.
  void (*scatter_places)(DType type, const PoolShape& s, const void* gy, const uint8_t* places, void* gx);
};

// clang-format off
namespace baseline { void fill(PoolKernels& k); }
namespace avx2 { void fill(PoolKernels& k); }
namespace avx512 { void fill(PoolKernels& k); }
namespace neon { void fill(PoolKernels& k); }
// clang-format on

}  // namespace flambeau
