// Packing: operands are copied into panels that the register tile reads from front to back.
#pragma once
#include "kernels/gemm_vec.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// A matrix operand in place: element (i, p) at p[i * row + p * col].
template <class T>
struct Operand {
  const T* p;
  int64_t row, col;

  Operand at(int64_t i, int64_t j) const { return {p + i * row + j * col, row, col}; }
  Operand transposed() const { return {p, col, row}; }
};

// Transposes a square of 16-byte rows: 4 by 4 elements of 4 bytes, or 2 by 2 of 8. dst rows are `width` apart.
template <class T>
constexpr int kSquare = 16 / static_cast<int>(sizeof(T));

template <class T>
FLAMBEAU_INLINE void transpose_square(const T* const (&rows)[kSquare<T>], int64_t at, T* dst, int64_t width) {
  typedef T Quad __attribute__((vector_size(16)));
  if constexpr (sizeof(T) == 4) {
    Quad a, b, c, d;
    __builtin_memcpy(&a, rows[0] + at, 16);
    __builtin_memcpy(&b, rows[1] + at, 16);
    __builtin_memcpy(&c, rows[2] + at, 16);
    __builtin_memcpy(&d, rows[3] + at, 16);
    const Quad ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Quad cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const Quad r0 = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5), r1 = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
    const Quad r2 = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5), r3 = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
    __builtin_memcpy(dst, &r0, 16);
    __builtin_memcpy(dst + width, &r1, 16);
    __builtin_memcpy(dst + 2 * width, &r2, 16);
    __builtin_memcpy(dst + 3 * width, &r3, 16);
  } else {
    Quad a, b;
    __builtin_memcpy(&a, rows[0] + at, 16);
    __builtin_memcpy(&b, rows[1] + at, 16);
    const Quad r0 = __builtin_shufflevector(a, b, 0, 2), r1 = __builtin_shufflevector(a, b, 1, 3);
    __builtin_memcpy(dst, &r0, 16);
    __builtin_memcpy(dst + width, &r1, 16);
  }
}

// One panel: dst[p * W + i] = src(i, p) for i < rows <= W and p < k, zeros for the rows that are missing.
template <class T, int W>
FLAMBEAU_INLINE void pack_panel(T* dst, Operand<T> src, int64_t rows, int64_t k) {
  constexpr int S = kSquare<T>;
  if (rows < W) {
    for (int64_t p = 0; p < k; p++) {
      for (int64_t i = rows; i < W; i++) dst[p * W + i] = T(0);
    }
  }
  if (src.row == 1 && rows == W) {
    for (int64_t p = 0; p < k; p++) __builtin_memcpy(dst + p * W, src.p + p * src.col, W * sizeof(T));
    return;
  }
  int64_t i = 0;
  if (src.col == 1) {
    for (; i + S <= rows; i += S) {
      const T* s = src.p + i * src.row;
      const T* lines[S];
      for (int r = 0; r < S; r++) lines[r] = s + r * src.row;
      int64_t p = 0;
      for (; p + S <= k; p += S) transpose_square(lines, p, dst + p * W + i, W);
      for (; p < k; p++) {
        for (int r = 0; r < S; r++) dst[p * W + i + r] = s[r * src.row + p];
      }
    }
  }
  if (i == rows) return;
  for (int64_t p = 0; p < k; p++) {
    for (int64_t r = i; r < rows; r++) dst[p * W + r] = src.p[r * src.row + p * src.col];
  }
}

// Panels of W rows of src for rows [0, rows): dst has rows / W, rounded up, panels of k * W elements.
template <class T, int W>
__attribute__((noinline)) void pack(T* dst, Operand<T> src, int64_t rows, int64_t k) {
  for (int64_t i = 0; i < rows; i += W, dst += W * k) {
    pack_panel<T, W>(dst, src.at(i, 0), rows - i < W ? rows - i : W, k);
  }
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
