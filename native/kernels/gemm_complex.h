// Complex products: the real and imaginary parts are packed into planes of their own, so that a complex multiplication
// is four real ones on full vectors.
#pragma once
#include "kernels/gemm_micro.h"
#include "kernels/gemm_pack.h"
#include "simd/complex.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

#if defined(__AVX512F__)
constexpr int kComplexVecs = 2;
#else
constexpr int kComplexVecs = 1;
#endif
constexpr int kComplexRows = 4;
template <class T>
constexpr int kComplexCols = kComplexVecs * kLanes<T>;

// Panels of W rows of src: dst[(2 p) * W + i] is the real part of src(i, p), dst[(2 p + 1) * W + i] the imaginary part,
// and zero for rows that are missing.
template <class T, int W>
__attribute__((noinline)) void pack_complex(T* dst, Operand<Complex<T>> src, int64_t rows, int64_t k) {
  for (int64_t i = 0; i < rows; i += W, dst += 2 * W * k) {
    const int64_t here = rows - i < W ? rows - i : W;
    // The unit stride goes innermost.
    if (src.col == 1) {
      for (int64_t r = 0; r < W; r++) {
        const Complex<T>* s = src.p + (i + r) * src.row;
        for (int64_t p = 0; p < k; p++) {
          dst[2 * p * W + r] = r < here ? s[p].re : T(0);
          dst[(2 * p + 1) * W + r] = r < here ? s[p].im : T(0);
        }
      }
    } else {
      for (int64_t p = 0; p < k; p++) {
        const Complex<T>* s = src.p + i * src.row + p * src.col;
        for (int64_t r = 0; r < W; r++) {
          dst[2 * p * W + r] = r < here ? s[r * src.row].re : T(0);
          dst[(2 * p + 1) * W + r] = r < here ? s[r * src.row].im : T(0);
        }
      }
    }
  }
}

template <class T>
__attribute__((noinline)) void multiply_complex(int64_t m, int64_t n, int64_t k, const T* a, const T* b,
                                                Target<Complex<T>> c, const Epilogue<Complex<T>>& e) {
  constexpr int R = kComplexRows, NV = kComplexVecs, C = kComplexCols<T>, L = kLanes<T>;
  for (int64_t j = 0; j < n; j += C, b += 2 * C * k) {
    const T* panel = a;
    for (int64_t i = 0; i < m; i += R) {
      V<T> re[R][NV], im[R][NV];
#pragma GCC unroll 4
      for (int r = 0; r < R; r++) {
#pragma GCC unroll 2
        for (int v = 0; v < NV; v++) re[r][v] = im[r][v] = V<T>{};
      }
      const T* q = b;
      for (int64_t p = 0; p < k; p++, panel += 2 * R, q += 2 * C) {
#pragma GCC unroll 2
        for (int v = 0; v < NV; v++) {
          const V<T> x = load(q + v * L), y = load(q + C + v * L);
#pragma GCC unroll 4
          for (int r = 0; r < R; r++) {
            const V<T> s = splat(panel[r]), t = splat(panel[R + r]);
            re[r][v] = fnma<T>(t, y, fma<T>(s, x, re[r][v]));
            im[r][v] = fma<T>(t, x, fma<T>(s, y, im[r][v]));
          }
        }
      }
      T tile_re[R][C], tile_im[R][C];
#pragma GCC unroll 4
      for (int r = 0; r < R; r++) {
#pragma GCC unroll 2
        for (int v = 0; v < NV; v++) {
          store(tile_re[r] + v * L, re[r][v]);
          store(tile_im[r] + v * L, im[r][v]);
        }
      }
      const Target<Complex<T>> out = c.at(i, j);
      const Epilogue<Complex<T>> own = e.at(i, j);
      for (int64_t r = 0; r < R && i + r < m; r++) {
        for (int64_t s = 0; s < C && j + s < n; s++) {
          finish(Complex<T>(tile_re[r][s], tile_im[r][s]), r, s, out, own);
        }
      }
    }
  }
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
