// What attention is built of: packed operands, the tile products, rows of the mask and of dropout.
#pragma once
#include <cstddef>

#include "kernels/attention.h"
#include "kernels/gemm_micro.h"
#include "kernels/gemm_pack.h"
#include "kernels/rows.h"
#include "simd/exp_log.h"
#include "simd/half.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Scores lie in rows of kScoreStride elements, a constant so that the tile products reach all rows of a strip from one
// pointer; not a power of two, so that the rows spread over the sets of the first cache.
constexpr int64_t kForwardKeys = 192;  // keys whose packed parts stay in the second cache
constexpr int64_t kBackwardKeys = 96;
constexpr int64_t kForwardStride = kForwardKeys + 16, kBackwardStride = kBackwardKeys + 16;
// Rows of queries that are worked on together: one register tile where it is high, several where it is low, so that a
// panel of keys is read from the second cache once for all of them.
template <class T>
constexpr int64_t kStrip = kRows<T> < 12 ? 16 : kRows<T>;

constexpr int64_t padded(int64_t x, int64_t to) { return (x + to - 1) / to * to; }
template <class T>
constexpr int64_t whole_panels(int64_t width) {
  return padded(width, kCols<T>);
}

// ---- reading elements of any type ----

// dst[j] = src element (i, j) for j < n; src is already at its batch and head.
template <class T>
FLAMBEAU_INLINE void fetch_row(DType type, const AttentionOperand& src, int64_t i, int64_t first, int64_t n, T* dst) {
  const auto each = [&](const auto* p, auto convert) FLAMBEAU_LAMBDA {
    p += i * src.row + first * src.col;
    for (int64_t j = 0; j < n; j++) dst[j] = static_cast<T>(convert(p[j * src.col]));
  };
  if constexpr (sizeof(T) == 4) {
    if (src.col == 1 && type == DType::F16)
      return convert_halves(n, static_cast<const Half*>(src.p) + i * src.row + first, dst);
    if (src.col == 1 && type == DType::BF16)
      return convert_halves(n, static_cast<const BFloat16*>(src.p) + i * src.row + first, dst);
  }
  switch (type) {
    case DType::F32: return each(static_cast<const float*>(src.p), [](float x) FLAMBEAU_LAMBDA { return x; });
    case DType::F64: return each(static_cast<const double*>(src.p), [](double x) FLAMBEAU_LAMBDA { return x; });
    case DType::F16: return each(static_cast<const Half*>(src.p), [](Half x) FLAMBEAU_LAMBDA { return to_float(x); });
    case DType::BF16:
      return each(static_cast<const BFloat16*>(src.p), [](BFloat16 x) FLAMBEAU_LAMBDA { return to_float(x); });
    default:
      return each(static_cast<const uint8_t*>(src.p),
                  [](uint8_t x) FLAMBEAU_LAMBDA { return x ? T(0) : -static_cast<T>(__builtin_inf()); });
  }
}

template <class T>
FLAMBEAU_INLINE bool is_own(DType type) {
  return type == (sizeof(T) == 4 ? DType::F32 : DType::F64);
}

// The operand at its place in batch and head.
FLAMBEAU_INLINE AttentionOperand at_head(const AttentionOperand& x, DType type, int64_t b, int64_t h) {
  AttentionOperand y = x;
  y.p = static_cast<const char*>(x.p) + (b * x.batch + h * x.head) * item_size(type);
  return y;
}

// ---- packing ----

// Row panels: dst[c][i][C], panel c holding columns c * C .. of all rows, zeros beyond the last row up to `room` rows
// and beyond the last column. Serves as the right operand [rows, width] of a product and, row by row, as a left one.
template <class T>
__attribute__((noinline)) void pack_rows(T* dst, DType type, const AttentionOperand& src, int64_t first, int64_t rows,
                                         int64_t room, int64_t width, T scale) {
  constexpr int64_t C = kCols<T>;
  for (int64_t c = 0; c < width; c += C, dst += room * C) {
    const int64_t n = width - c < C ? width - c : C;
    const bool direct = is_own<T>(type) && src.col == 1 && n == C;
    for (int64_t i = 0; i < rows; i++) {
      T* out = dst + i * C;
      const T* in = out;
      if (direct) {
        in = static_cast<const T*>(src.p) + (first + i) * src.row + c;
      } else {
        fetch_row(type, src, first + i, c, n, out);
        for (int64_t j = n; j < C; j++) out[j] = T(0);
      }
      if (!direct && scale == T(1)) continue;
      for (int64_t v = 0; v < C; v += kLanes<T>) (Vec<T>::load(in + v) * Vec<T>(scale)).store(out + v);
    }
    for (int64_t i = rows * C; i < room * C; i++) dst[i] = T(0);
  }
}

// Column panels: dst[r][j][C], panel r holding element j of rows r * C ..: the right operand [width, rows] of a product
// with the transpose. `spare`: C * width elements.
template <class T>
__attribute__((noinline)) void pack_columns(T* dst, DType type, const AttentionOperand& src, int64_t first,
                                            int64_t rows, int64_t width, T* spare) {
  constexpr int64_t C = kCols<T>;
  for (int64_t r = 0; r < rows; r += C, dst += C * width) {
    const int64_t n = rows - r < C ? rows - r : C;
    if (is_own<T>(type)) {
      const Operand<T> in{static_cast<const T*>(src.p), src.row, src.col};
      pack_panel<T, C>(dst, in.at(first + r, 0), n, width);
    } else {
      for (int64_t i = 0; i < n; i++) fetch_row(type, src, first + r + i, 0, width, spare + i * width);
      pack_panel<T, C>(dst, {spare, width, 1}, n, width);
    }
  }
}

// ---- products ----

template <class T, int NV, int64_t AR, int64_t AC>
FLAMBEAU_INLINE void accumulate(int64_t k, const T* a, const T* b, V<T> (&acc)[kRows<T>][NV]) {
  constexpr int R = kRows<T>, L = kLanes<T>;
#pragma GCC unroll 4
  for (int64_t p = 0; p < k; p++) {
    V<T> row[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) row[v] = load(b + v * L);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const V<T> x = splat(a[i * AR]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) acc[i][v] = fma<T>(x, row[v], acc[i][v]);
    }
    a += AC;
    b += kCols<T>;
  }
}

// c[R, C] = a b over `width`: a from row panels that are `a_panel` elements apart, b one column panel.
template <class T, int64_t Stride>
__attribute__((noinline)) void score_tile(int64_t width, const T* a, int64_t a_panel, const T* b, T* c) {
  constexpr int R = kRows<T>, NV = Tile<T>::NV, L = kLanes<T>;
  constexpr int64_t C = kCols<T>;
  V<T> acc[R][NV];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) acc[i][v] = V<T>{};
  }
  for (int64_t p = 0; p < width; p += C, a += a_panel, b += C * C)
    accumulate<T, NV, C, 1>(width - p < C ? width - p : C, a, b, acc);
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) store(c + i * Stride + v * L, acc[i][v]);
  }
}

// A strip of scores: [rows rounded up to R, keys rounded up to C] = q k^T.
template <class T, int64_t Stride>
FLAMBEAU_INLINE void score_strip(int64_t rows, int64_t keys, int64_t width, const T* q, int64_t q_panel, const T* k,
                                 T* scores) {
  for (int64_t j = 0; j < keys; j += kCols<T>) {
    for (int64_t i = 0; i < rows; i += kRows<T>)
      score_tile<T, Stride>(width, q + i * kCols<T>, q_panel, k + j * width, scores + i * Stride + j);
  }
}

// c[R, NV vectors] = factors[i] * c + a b, with k terms; without factors c is taken as it is, or as zero if `fresh`.
template <class T, int NV, int64_t AR, int64_t AC>
__attribute__((noinline)) void product_tile(int64_t k, const T* a, const T* b, T* c, int64_t c_row, const T* factors,
                                            bool fresh) {
  constexpr int R = kRows<T>, L = kLanes<T>;
  V<T> acc[R][NV];
  if (fresh) {
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) acc[i][v] = V<T>{};
    }
  } else if (factors) {
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const Vec<T> x(factors[i]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) acc[i][v] = (Vec<T>::load(c + i * c_row + v * L) * x).v;
    }
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) acc[i][v] = load(c + i * c_row + v * L);
    }
  }
  accumulate<T, NV, AR, AC>(k, a, b, acc);
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) store(c + i * c_row + v * L, acc[i][v]);
  }
}

// Columns [0, width) of c for `rows` rows (rounded up to R), b: row panels that are `b_panel` elements apart.
template <class T, int64_t AR, int64_t AC>
FLAMBEAU_INLINE void product_strip(int64_t rows, int64_t width, int64_t k, const T* a, const T* b, int64_t b_panel,
                                   T* c, int64_t c_row, const T* factors, bool fresh) {
  constexpr int NV = Tile<T>::NV;
  for (int64_t j = 0; j < width; j += kCols<T>, b += b_panel) {
    const int64_t vectors = (width - j + kLanes<T> - 1) / kLanes<T>;
    for (int64_t i = 0; i < rows; i += kRows<T>) {
      const T* x = a + i * AR;
      T* y = c + i * c_row + j;
      const T* f = factors ? factors + i : nullptr;
      if (vectors >= NV) {
        product_tile<T, NV, AR, AC>(k, x, b, y, c_row, f, fresh);
      } else if (NV > 2 && vectors == 2) {
        product_tile<T, NV == 1 ? 1 : 2, AR, AC>(k, x, b, y, c_row, f, fresh);
      } else {
        product_tile<T, 1, AR, AC>(k, x, b, y, c_row, f, fresh);
      }
    }
  }
}

// ---- rows of the mask and of dropout ----

// What is added to the scores of row i for keys first .. first + n: a pointer into the mask, or `spare` filled.
template <class T>
FLAMBEAU_INLINE const T* mask_row(const AttentionArgs& a, const AttentionOperand& mask, int64_t i, int64_t first,
                                  int64_t n, T* spare) {
  if (is_own<T>(a.mask_type) && mask.col == 1) return static_cast<const T*>(mask.p) + i * mask.row + first;
  fetch_row(a.mask_type, mask, i, first, n, spare);
  return spare;
}

struct DropKey {
  uint32_t first, second;
};

// Two independent halves for one row of weights (SplitMix64, Steele et al. 2014).
FLAMBEAU_INLINE DropKey drop_key(uint64_t seed, int64_t row) {
  uint64_t z = seed + (static_cast<uint64_t>(row) + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return {static_cast<uint32_t>(z), static_cast<uint32_t>(z >> 32)};
}

// An integer hash of low bias (C. Wellons, "hash prospector").
FLAMBEAU_INLINE uint32_t mix(uint32_t x) {
  x = (x ^ x >> 16) * 0x7feb352du;
  x = (x ^ x >> 15) * 0x846ca68bu;
  return x ^ x >> 16;
}

template <class T>
struct Dropping {
  int32_t threshold;  // of 2^24
  T kept;

  explicit Dropping(double p)
      : threshold(static_cast<int32_t>(p * 0x1p24 + 0.5)), kept(p < 1 ? static_cast<T>(1 / (1 - p)) : T(0)) {}

  // The factors of keys first .. first + n.
  FLAMBEAU_INLINE void row(DropKey key, int64_t first, int64_t n, T* out) const {
    for (int64_t j = 0; j < n; j++) {
      const uint32_t x = mix(mix(static_cast<uint32_t>(first + j) + key.first) ^ key.second);
      out[j] = static_cast<int32_t>(x >> 8) < threshold ? T(0) : kept;
    }
  }
};

// ---- writing ----

// dst row i, columns contiguous, = x[0, n) * factor in the element type.
template <class T>
FLAMBEAU_INLINE void write_row(DType type, const AttentionOperand& dst, int64_t i, int64_t n, T* x, T factor) {
  if (n == 0) return;  // dst may have no memory then
  each_vector<T>(n,
                 [&](int64_t j, int count) FLAMBEAU_LAMBDA { put(x + j, count, get(x + j, count) * Vec<T>(factor)); });
  char* out = static_cast<char*>(const_cast<void*>(dst.p)) + i * dst.row * item_size(type);
  if constexpr (sizeof(T) == 4) {
    if (type == DType::F16) return convert_halves(n, x, reinterpret_cast<Half*>(out));
    if (type == DType::BF16) return convert_halves(n, x, reinterpret_cast<BFloat16*>(out));
  }
  __builtin_memcpy(out, x, static_cast<size_t>(n) * sizeof(T));
}

// Cuts a thread's working memory into parts, each on its own cache lines; over null it only counts.
template <class T>
class Carve {
 public:
  explicit Carve(void* at) : at_(static_cast<T*>(at)) {}
  T* take(int64_t n) {
    T* part = at_ ? at_ + used_ : nullptr;
    used_ += padded(n, 64 / static_cast<int64_t>(sizeof(T)));
    return part;
  }
  int64_t bytes() const { return used_ * static_cast<int64_t>(sizeof(T)); }

 private:
  T* at_;
  int64_t used_ = 0;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
