// Products of bfloat16 on the instruction that multiplies pairs of them and adds both to a float32 lane (vdpbf16ps,
// AVX512-BF16). It is asked for at run time: the set that this file is compiled for does not have it. It takes
// subnormal factors for zero, and so do PyTorch's products on such processors.
#pragma once
#include "kernels/gemm_micro.h"
#include "kernels/gemm_pack.h"
#include "kernels/gemm_small.h"
#include "simd/half.h"

#if defined(__AVX512F__)
#define FLAMBEAU_BF16_PAIRS  1
#define FLAMBEAU_BF16_TARGET __attribute__((noinline, target("avx512bf16")))
#else
#define FLAMBEAU_BF16_PAIRS 0
#endif

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// dst = first[0], second[0], first[1], second[1] ...
template <int W>
FLAMBEAU_INLINE void interleave(BFloat16* dst, const BFloat16* first, const BFloat16* second) {
  typedef uint16_t Eight __attribute__((vector_size(16)));
  int i = 0;
#pragma GCC unroll 4
  for (; i + 8 <= W; i += 8) {
    Eight a, b;
    __builtin_memcpy(&a, first + i, 16);
    __builtin_memcpy(&b, second + i, 16);
    const Eight low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    const Eight high = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    __builtin_memcpy(static_cast<void*>(dst + 2 * i), &low, 16);
    __builtin_memcpy(static_cast<void*>(dst + 2 * i + 8), &high, 16);
  }
  for (; i < W; i++) {
    dst[2 * i] = first[i];
    dst[2 * i + 1] = second[i];
  }
}

// Panels of W rows of src for rows [0, rows): dst[(p / 2 * W + i) * 2 + p % 2] = src(i, p), zeros where the last panel
// has no row and the last pair no second element. Both elements of a pair lie in one 32-bit lane.
template <int W>
void pack_pairs_panel(BFloat16* dst, Operand<BFloat16> src, int64_t rows, int64_t k) {
  const int64_t pairs = (k + 1) / 2;
  if (rows < W || k % 2) __builtin_memset(static_cast<void*>(dst), 0, static_cast<size_t>(pairs * W) * 4);
  if (src.col == 1) {
    int64_t i = 0;
    for (; i + 4 <= rows; i += 4) {
      const BFloat16* line = src.p + i * src.row;
      int64_t p = 0;
      for (; p + 8 <= k; p += 8) {
        Quad<uint32_t> pairs_of[4];
        for (int r = 0; r < 4; r++) __builtin_memcpy(&pairs_of[r], line + r * src.row + p, 16);
        transpose_quads<uint32_t>(pairs_of);
        for (int q = 0; q < 4; q++) __builtin_memcpy(dst + ((p / 2 + q) * W + i) * 2, &pairs_of[q], 16);
      }
      for (; p < k; p++) {
        for (int64_t r = 0; r < 4; r++) dst[(p / 2 * W + i + r) * 2 + p % 2] = line[r * src.row + p];
      }
    }
    for (; i < rows; i++) {
      for (int64_t p = 0; p < k; p++) dst[(p / 2 * W + i) * 2 + p % 2] = src.p[i * src.row + p];
    }
    return;
  }
  if (src.row == 1 && rows == W) {
    for (int64_t p = 0; p + 2 <= k; p += 2) interleave<W>(dst + p * W, src.p + p * src.col, src.p + (p + 1) * src.col);
    if (k % 2) {
      for (int i = 0; i < W; i++) dst[(k - 1) * W + 2 * i] = src.p[(k - 1) * src.col + i];
    }
    return;
  }
  for (int64_t p = 0; p < k; p++) {
    for (int64_t i = 0; i < rows; i++) dst[(p / 2 * W + i) * 2 + p % 2] = src.p[i * src.row + p * src.col];
  }
}

template <int W>
__attribute__((noinline)) void pack_pairs(BFloat16* dst, Operand<BFloat16> src, int64_t rows, int64_t k) {
  const int64_t panel = (k + 1) / 2 * 2 * W;
  for (int64_t i = 0; i < rows; i += W, dst += panel) {
    pack_pairs_panel<W>(dst, src.at(i, 0), rows - i < W ? rows - i : W, k);
  }
}

#if FLAMBEAU_BF16_PAIRS

inline bool has_bf16_pairs() { return __builtin_cpu_supports("avx512bf16"); }

// How a tile of sums leaves: to float32 sums of which there are more to come, or finished and rounded.
struct SumsOut {
  Target<float> c;
  Epilogue<float> e;

  SumsOut at(int64_t i, int64_t j) const { return {c.at(i, j), e.at(i, j)}; }
  template <int R, int NV>
  FLAMBEAU_INLINE void write(V<float> (&acc)[R][NV], int64_t rows, int64_t cols) const {
    emit(acc, rows, cols, c, e);
  }
};
struct RoundedOut {
  Rounded<BFloat16> out;

  RoundedOut at(int64_t i, int64_t j) const { return {out.at(i, j)}; }
  template <int R, int NV>
  FLAMBEAU_INLINE void write(V<float> (&acc)[R][NV], int64_t rows, int64_t cols) const {
    constexpr int L = kLanes<float>;
    alignas(64) float tile[R][NV * L];
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 2
      for (int v = 0; v < NV; v++) store(tile[i] + v * L, acc[i][v]);
    }
    const bool plain = out.alpha == 1.0f && out.beta == 0.0f && !out.row_bias && !out.col_bias && out.c.col == 1;
    for (int64_t i = 0; i < rows; i++) {
      if (plain && cols == NV * L) {
        convert_halves(NV * L, tile[i], out.c.p + i * out.c.row);
      } else {
        finish_row(cols, tile[i], out.at(i, 0));
      }
    }
  }
};

template <int R, int NV, class Out>
FLAMBEAU_BF16_TARGET void multiply_pairs_tile(int64_t rows, int64_t cols, int64_t pairs, const BFloat16* a,
                                              const BFloat16* b, const BFloat16* ahead, const Out& out) {
  V<float> acc[R][NV];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 2
    for (int v = 0; v < NV; v++) acc[i][v] = V<float>{};
  }
#pragma GCC unroll 4
  for (int64_t p = 0; p < pairs; p++) {
    if (p % 4 == 0) {
      __builtin_prefetch(ahead, 0, 2);
      __builtin_prefetch(ahead + 32, 0, 2);
      ahead += 2 * kCols<float>;
    }
    __m512bh row[NV];
#pragma GCC unroll 2
    for (int v = 0; v < NV; v++) row[v] = (__m512bh)_mm512_loadu_si512(b + 32 * v);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      int pair;
      __builtin_memcpy(&pair, a + 2 * i, 4);
      const __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 2
      for (int v = 0; v < NV; v++) acc[i][v] = _mm512_dpbf16_ps(acc[i][v], x, row[v]);
    }
    a += 2 * kRows<float>;
    b += 2 * kCols<float>;
  }
  out.write(acc, rows, cols);
}

// As multiply_block, with panels of pairs.
template <class Out>
void multiply_pairs(int64_t m, int64_t n, int64_t k, const BFloat16* a, const BFloat16* b, const Out& out) {
  constexpr int R = kRows<float>, C = kCols<float>, L = kLanes<float>;
  const int64_t pairs = (k + 1) / 2;
  for (int64_t j = 0; j < n; j += C, b += 2 * C * pairs) {
    const BFloat16* panel = a;
    const int64_t cols = n - j < C ? n - j : C;
    const BFloat16* const quarters = j + C < n ? b + 2 * C * pairs : b;
    int quarter = 0;
    for (int64_t i = 0; i < m; i += R, panel += 2 * R * pairs) {
      const int64_t rows = m - i < R ? m - i : R;
      const auto tile = rows > 8   ? (cols > L ? multiply_pairs_tile<R, 2, Out> : multiply_pairs_tile<R, 1, Out>)
                        : rows > 4 ? (cols > L ? multiply_pairs_tile<8, 2, Out> : multiply_pairs_tile<8, 1, Out>)
                                   : (cols > L ? multiply_pairs_tile<4, 2, Out> : multiply_pairs_tile<4, 1, Out>);
      tile(rows, cols, pairs, panel, b, quarters + quarter * 2 * C * (pairs / 4), out.at(i, j));
      quarter = quarter < 3 ? quarter + 1 : 3;
    }
  }
}

// C[i, j .. j + J) for all rows i of A, as dot products of lines that are contiguous along k.
template <int J>
FLAMBEAU_BF16_TARGET void dot_pairs(int64_t m, int64_t k, Operand<BFloat16> a, const BFloat16* b, int64_t b_stride,
                                    const Target<float>& c, const Epilogue<float>& e) {
  for (int64_t i = 0; i < m; i++) {
    const BFloat16* x = a.p + i * a.row;
    __m512 acc[J];
#pragma GCC unroll 4
    for (int j = 0; j < J; j++) acc[j] = _mm512_setzero_ps();
    for (int64_t p = 0; p < k; p += 32) {
      const __mmask32 in = k - p >= 32 ? ~0u : (1u << (k - p)) - 1;
      const int64_t bytes = (k - p >= 32 ? 32 : k - p) * static_cast<int64_t>(sizeof(BFloat16));
      show_read(x + p, bytes);
      const __m512bh left = (__m512bh)_mm512_maskz_loadu_epi16(in, x + p);
#pragma GCC unroll 4
      for (int j = 0; j < J; j++) {
        show_read(b + j * b_stride + p, bytes);
        acc[j] = _mm512_dpbf16_ps(acc[j], left, (__m512bh)_mm512_maskz_loadu_epi16(in, b + j * b_stride + p));
      }
    }
    for (int j = 0; j < J; j++) finish(sum_lanes<float>(acc[j]), i, j, c, e);
  }
}

#endif

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
