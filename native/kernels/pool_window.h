// Pooling windows: which input elements an output element sees, and a loop over whole rows of them.
#pragma once
#include "kernels/pool.h"
#include "kernels/rows.h"
#include "parallel/pool.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t kPoolGrain = 8192;  // elements that are worth a second thread

FLAMBEAU_INLINE int64_t volume(const int64_t (&size)[3]) { return size[0] * size[1] * size[2]; }

// Input positions begin, begin + step ... below end.
struct Span {
  int64_t begin, end, step;

  FLAMBEAU_INLINE int64_t count() const { return end > begin ? (end - begin + step - 1) / step : 0; }
};

// The part inside the input of window o of dimension d.
FLAMBEAU_INLINE Span window(const PoolShape& s, int d, int64_t o, int64_t dilation) {
  int64_t begin = o * s.stride[d] - s.pad[d];
  const int64_t end = begin + (s.kernel[d] - 1) * dilation + 1;
  if (begin < 0) begin += (-begin + dilation - 1) / dilation * dilation;
  return {begin, end < s.in[d] ? end : s.in[d], dilation};
}

FLAMBEAU_INLINE Span adaptive_window(const PoolShape& s, int d, int64_t o) {
  if (s.out[d] == 1) return {0, s.in[d], 1};
  return {o * s.in[d] / s.out[d], ((o + 1) * s.in[d] + s.out[d] - 1) / s.out[d], 1};
}

// Those outputs of a row whose windows lie inside the input's row altogether: [begin, end), perhaps empty.
FLAMBEAU_INLINE Span inner_columns(const PoolShape& s, int64_t dilation) {
  int64_t begin = (s.pad[2] + s.stride[2] - 1) / s.stride[2];
  const int64_t last = s.in[2] - 1 - (s.kernel[2] - 1) * dilation + s.pad[2];
  int64_t end = last < 0 ? 0 : last / s.stride[2] + 1;
  if (end > s.out[2]) end = s.out[2];
  if (begin > end) begin = end;
  return {begin, end, 1};
}

// Elements p[0], p[stride] ... in the first `count` lanes, for a stride of 1 or 2.
template <class T>
FLAMBEAU_INLINE Vec<T> load_lanes(const T* p, int64_t stride, int count) {
  return stride == 1 ? get(p, count) : load_second(p, count);
}

// How many elements the windows of a plane read: of one that is larger than the input, the input's.
FLAMBEAU_INLINE int64_t elements_read(const PoolShape& s) {
  int64_t n = volume(s.out);
  for (int d = 0; d < 3; d++) n *= s.kernel[d] < s.in[d] ? s.kernel[d] : s.in[d];
  return n;
}

// Calls f(plane, d, h) for every row of every output plane; `work` is that of a plane.
template <class F>
void each_output_row(const PoolShape& s, int64_t work, const F& f) {
  const int64_t rows = s.out[0] * s.out[1];
  if (rows <= 0 || s.out[2] <= 0) return;
  parallel(0, s.planes * rows, kPoolGrain * rows / (work + 1) + 1, [&](int64_t begin, int64_t end) {
    // Counted up and not divided anew: rows may be as short as a vector.
    int64_t p = begin / rows, d = begin % rows / s.out[1], h = begin % rows % s.out[1];
    for (int64_t i = begin; i < end; i++) {
      f(p, d, h);
      if (++h < s.out[1]) continue;
      h = 0;
      if (++d < s.out[0]) continue;
      d = 0;
      p++;
    }
  });
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
