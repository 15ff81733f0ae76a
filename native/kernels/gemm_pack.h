// Packing: operands are copied into panels that the register tile reads from front to back.
#pragma once
#include <utility>

#include "kernels/gemm_vec.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

// A matrix operand in place: element (i, p) at p[i * row + p * col].
template <class T>
struct Operand {
  const T* p;
  int64_t row, col;

  Operand at(int64_t i, int64_t j) const { return {p + i * row + j * col, row, col}; }
  Operand transposed() const { return {p, col, row}; }
  // Lines that are a multiple of 4 KiB apart share one set of the first cache, and few of the second.
  bool spread() const { return (col == 1 ? row : col) * static_cast<int64_t>(sizeof(T)) % 4096 != 0; }
};

// Rows of a square of 16-byte rows: 4 by 4 elements of 4 bytes, or 2 by 2 of 8.
template <class T>
constexpr int kSquare = 16 / static_cast<int>(sizeof(T));

template <class T>
struct QuadOf {
  typedef T type __attribute__((vector_size(16)));
};
template <class T>
using Quad = typename QuadOf<T>::type;

// The square v, transposed.
template <class T>
FLAMBEAU_INLINE void transpose_quads(Quad<T> (&v)[kSquare<T>]) {
  if constexpr (sizeof(T) == 4) {
    const Quad<T> ab0 = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5);
    const Quad<T> ab1 = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
    const Quad<T> cd0 = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5);
    const Quad<T> cd1 = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
    v[0] = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
    v[1] = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
    v[2] = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
    v[3] = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
  } else {
    const Quad<T> a = v[0];
    v[0] = __builtin_shufflevector(a, v[1], 0, 2);
    v[1] = __builtin_shufflevector(a, v[1], 1, 3);
  }
}

// dst[p * width + i] = rows[i][at + p] for a square.
template <class T>
FLAMBEAU_INLINE void transpose_square(const T* const (&rows)[kSquare<T>], int64_t at, T* dst, int64_t width) {
  Quad<T> v[kSquare<T>];
#pragma GCC unroll 4
  for (int i = 0; i < kSquare<T>; i++) __builtin_memcpy(&v[i], rows[i] + at, 16);
  transpose_quads<T>(v);
#pragma GCC unroll 4
  for (int i = 0; i < kSquare<T>; i++) __builtin_memcpy(dst + i * width, &v[i], 16);
}

// dst[p * width + i] = src[i * step + p] for p < k and as many i below `rows` as fill squares; how many these are.
template <class T>
FLAMBEAU_INLINE int64_t transpose_rows(T* dst, int64_t width, const T* src, int64_t step, int64_t rows, int64_t k) {
  constexpr int S = kSquare<T>;
  int64_t i = 0;
  for (; i + S <= rows; i += S) {
    const T* lines[S];
    for (int r = 0; r < S; r++) lines[r] = src + (i + r) * step;
    int64_t p = 0;
    for (; p + S <= k; p += S) {
      // The rows that follow: short ones end before a processor has seen where they lead.
      if (p % (64 / static_cast<int64_t>(sizeof(T))) == 0) {
        for (int r = 0; r < S; r++) __builtin_prefetch(lines[r] + S * step + p);
      }
      transpose_square(lines, p, dst + p * width + i, width);
    }
    for (; p < k; p++) {
      for (int r = 0; r < S; r++) dst[p * width + i + r] = lines[r][p];
    }
  }
  return i;
}

// The shuffles that transpose a square of vectors, made of 16-byte lanes of S elements. From lane l of both operands:
// Low and High take turns in pieces of `piece` elements, from its lower or upper half. Even and Odd take whole lanes.
enum class Shuffle { Low, High, Even, Odd };
template <class T>
constexpr int shuffled(Shuffle kind, int piece, int i) {
  constexpr int S = kSquare<T>, L = kLanes<T>;
  const int lane = i / S, at = i % S;
  if (kind == Shuffle::Low || kind == Shuffle::High) {
    const int from = lane * S + (kind == Shuffle::High ? S / 2 : 0) + at / (2 * piece) * piece + at % piece;
    return at / piece % 2 == 0 ? from : L + from;
  }
  const int taken = 2 * lane + (kind == Shuffle::Odd ? 1 : 0);  // of the lanes of both operands
  return taken * S + at;
}
template <class T, Shuffle kKind, int kPiece, int... I>
FLAMBEAU_INLINE V<T> shuffle_of(V<T> a, V<T> b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, shuffled<T>(kKind, kPiece, I)...);
}
// a and b become the Low or Even, and the High or Odd, of both.
template <class T, Shuffle kFirst, Shuffle kSecond, int kPiece = 1>
FLAMBEAU_INLINE void exchange_parts(V<T>& a, V<T>& b) {
  const auto lanes = std::make_integer_sequence<int, kLanes<T>>();
  const V<T> first = shuffle_of<T, kFirst, kPiece>(a, b, lanes);
  b = shuffle_of<T, kSecond, kPiece>(a, b, lanes);
  a = first;
}

// dst[p * width + i] = src[i * step + p] for i < kLanes and p < n <= kLanes; zeros for i from `rows` on.
template <class T>
FLAMBEAU_INLINE void transpose_vectors(T* dst, int64_t width, const T* src, int64_t step, int rows, int n) {
  constexpr int S = kSquare<T>, L = kLanes<T>, Q = L / S;
  V<T> v[L];
  if (rows == L && n == L) {
#pragma GCC unroll 16
    for (int i = 0; i < L; i++) v[i] = load(src + i * step);
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < L; i++) v[i] = i < rows ? load_n(src + i * step, n) : V<T>{};
  }
  // Squares within lanes: then v[S g + t] has in lane q the elements S q + t of rows S g and on.
#pragma GCC unroll 4
  for (int g = 0; g < L; g += S) {
    if constexpr (S == 4) {
      exchange_parts<T, Shuffle::Low, Shuffle::High>(v[g], v[g + 1]);
      exchange_parts<T, Shuffle::Low, Shuffle::High>(v[g + 2], v[g + 3]);
      exchange_parts<T, Shuffle::Low, Shuffle::High, 2>(v[g], v[g + 2]);
      exchange_parts<T, Shuffle::Low, Shuffle::High, 2>(v[g + 1], v[g + 3]);
      const V<T> second = v[g + 1];
      v[g + 1] = v[g + 2];
      v[g + 2] = second;
    } else {
      exchange_parts<T, Shuffle::Low, Shuffle::High>(v[g], v[g + 1]);
    }
  }
  // Squares of lanes.
#pragma GCC unroll 4
  for (int t = 0; t < S; t++) {
    if constexpr (Q == 4) {
      exchange_parts<T, Shuffle::Even, Shuffle::Odd>(v[t], v[S + t]);
      exchange_parts<T, Shuffle::Even, Shuffle::Odd>(v[2 * S + t], v[3 * S + t]);
      exchange_parts<T, Shuffle::Even, Shuffle::Odd>(v[t], v[2 * S + t]);
      exchange_parts<T, Shuffle::Even, Shuffle::Odd>(v[S + t], v[3 * S + t]);
    } else if constexpr (Q == 2) {
      exchange_parts<T, Shuffle::Even, Shuffle::Odd>(v[t], v[S + t]);
    }
  }
  if (n == L) {
#pragma GCC unroll 16
    for (int p = 0; p < L; p++) store(dst + p * width, v[p]);
  } else {
#pragma GCC unroll 16
    for (int p = 0; p < L; p++) {
      if (p < n) store(dst + p * width, v[p]);
    }
  }
}

// One panel: dst[p * W + i] = src(i, p) for i < rows <= W and p < k, zeros for the rows that are missing.
template <class T, int W>
FLAMBEAU_INLINE void pack_panel(T* dst, Operand<T> src, int64_t rows, int64_t k) {
  if (rows < W) {
    for (int64_t p = 0; p < k; p++) {
      for (int64_t i = rows; i < W; i++) dst[p * W + i] = T(0);
    }
  }
  if (src.row == 1 && rows == W) {
    for (int64_t p = 0; p < k; p++) __builtin_memcpy(dst + p * W, src.p + p * src.col, W * sizeof(T));
    return;
  }
  if constexpr (W % kLanes<T> == 0) {
    if (src.col == 1) {
      constexpr int L = kLanes<T>;
      for (int64_t i = 0; i < rows; i += L) {
        const int height = static_cast<int>(rows - i < L ? rows - i : L);
        for (int64_t p = 0; p < k; p += L) {
          transpose_vectors(dst + p * W + i, W, src.p + i * src.row + p, src.row, height,
                            static_cast<int>(k - p < L ? k - p : L));
        }
      }
      return;
    }
  }
  const int64_t i = src.col == 1 ? transpose_rows(dst, W, src.p, src.row, rows, k) : 0;
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
