// Convolutions over up to three spatial dimensions, on contiguous float32 and float64 data.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

// Sizes are (depth, height, width); one and two spatial dimensions have leading ones (stride 1, pad 0, dilation 1).
// x: [n, c, in...], w: [o, c / groups, kernel...], y: [n, o, out...], all contiguous. For the forward pass
// out = floor((in + 2 pad - dilation (kernel - 1) - 1) / stride) + 1; backward_input accepts any `in` that is at least
// large enough for `out`, so that it also serves transposed convolutions with output padding.
struct ConvShape {
  int64_t n, c, o, groups;
  int64_t in[3], kernel[3], out[3], stride[3], pad[3], dilation[3];
};

// What is done with a convolution's result at once: max(y, 0), and the largest element of each window of that. Windows
// lie side by side from the first position on; positions that fill none are left out. y is the same bit by bit as from
// the three steps.
struct ConvTail {
  int64_t window[2];  // height and width; (1, 1) for no windows
  uint8_t* places;    // the place of each maximum in its window, row by row, kClosed where it is not above 0; or null
};
inline constexpr uint8_t kClosed = 255;  // windows have fewer elements

struct ConvKernels {
  // y = conv(x, w) + bias; packed: w's packed form or null; bias: [o] or null.
  void (*forward)(DType type, const ConvShape& s, const void* x, const void* w, const void* packed, const void* bias,
                  void* y);
  // The bytes of the form that w takes in this forward pass before it is multiplied; 0 where it is read as it lies, or
  // cheap to pack. Shapes whose forms have the same size, for the same type, sizes of w and groups, have the same form,
  // and y is the same bit by bit whether it is given or made anew.
  int64_t (*packed_bytes)(DType type, const ConvShape& s);
  void (*pack)(DType type, const ConvShape& s, const void* w, void* form);  // 64-byte aligned
  // Whether forward_with is there for the shape: groups of two spatial dimensions with many output channels.
  bool (*takes_tail)(DType type, const ConvShape& s, const int64_t (&window)[2]);
  void (*forward_with)(DType type, const ConvShape& s, const void* x, const void* w, const void* packed,
                       const void* bias, const ConvTail& tail, void* y);
  // gx = gradient of the convolution by its input, which is a transposed convolution of gy; bias: [c] or null is added
  // for that use. Every element of gx is written.
  void (*backward_input)(DType type, const ConvShape& s, const void* gy, const void* w, const void* bias, void* gx);
  // gw = gradient of the convolution by its weight.
  void (*backward_weight)(DType type, const ConvShape& s, const void* gy, const void* x, void* gw);
};

// clang-format off
namespace baseline { void fill(ConvKernels& k); }
namespace avx2 { void fill(ConvKernels& k); }
namespace avx512 { void fill(ConvKernels& k); }
namespace neon { void fill(ConvKernels& k); }
// clang-format on

}  // namespace flambeau
