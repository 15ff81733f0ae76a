// The passes of a Stockham transform (Van Loan, Computational Frameworks for the Fast Fourier Transform, 1.7). The
// inner loops run over contiguous elements that share their twiddle factors, so the compiler vectorizes them.
#include "kernels/fft.h"

#include "kernels/set.h"

// The results of a pass do not overlap its operands: said to the compiler loop by loop, as it does not see it through
// the pointers that are computed on the way.
#if defined(__clang__)
#define FLAMBEAU_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define FLAMBEAU_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

template <class T>
struct Root {
  T re, im;
};

// Element i of re and im is x * w.
template <class T>
inline void store(T* re, T* im, int64_t i, T x_re, T x_im, Root<T> w) {
  re[i] = x_re * w.re - x_im * w.im;
  im[i] = x_re * w.im + x_im * w.re;
}

// Real and imaginary parts of a pass's operand and result.
template <class T>
struct Lines {
  const T* __restrict x_re;
  const T* __restrict x_im;
  T* __restrict y_re;
  T* __restrict y_im;
};

template <class T, int64_t S>
void pass2(const FftPass& p, int64_t row, Lines<T> l) {
  const int64_t s = S > 0 ? S : row;
  const Root<T>* w = static_cast<const Root<T>*>(p.twiddle);
  const int64_t far = p.m * s;
  for (int64_t k = 0; k < p.m; k++) {
    const Root<T> w1 = w[k];
    const T* __restrict a_re = l.x_re + k * s;
    const T* __restrict a_im = l.x_im + k * s;
    T* __restrict b_re = l.y_re + 2 * k * s;
    T* __restrict b_im = l.y_im + 2 * k * s;
    FLAMBEAU_INDEPENDENT
    for (int64_t q = 0; q < s; q++) {
      const T r0 = a_re[q], i0 = a_im[q], r1 = a_re[q + far], i1 = a_im[q + far];
      b_re[q] = r0 + r1;
      b_im[q] = i0 + i1;
      store(b_re, b_im, q + s, r0 - r1, i0 - i1, w1);
    }
  }
}

template <class T, int64_t S>
void pass3(const FftPass& p, int64_t row, Lines<T> l) {
  const int64_t s = S > 0 ? S : row;
  const Root<T>* w = static_cast<const Root<T>*>(p.twiddle);
  const int64_t far = p.m * s;
  const T half = static_cast<T>(0.5), sine = static_cast<T>(0.86602540378443864676);
  for (int64_t k = 0; k < p.m; k++) {
    const Root<T> w1 = w[2 * k], w2 = w[2 * k + 1];
    const T* __restrict a_re = l.x_re + k * s;
    const T* __restrict a_im = l.x_im + k * s;
    T* __restrict b_re = l.y_re + 3 * k * s;
    T* __restrict b_im = l.y_im + 3 * k * s;
    FLAMBEAU_INDEPENDENT
    for (int64_t q = 0; q < s; q++) {
      const T r0 = a_re[q], i0 = a_im[q];
      const T sr = a_re[q + far] + a_re[q + 2 * far], si = a_im[q + far] + a_im[q + 2 * far];
      const T dr = sine * (a_re[q + far] - a_re[q + 2 * far]), di = sine * (a_im[q + far] - a_im[q + 2 * far]);
      const T mr = r0 - half * sr, mi = i0 - half * si;
      b_re[q] = r0 + sr;
      b_im[q] = i0 + si;
      store(b_re, b_im, q + s, mr + di, mi - dr, w1);
      store(b_re, b_im, q + 2 * s, mr - di, mi + dr, w2);
    }
  }
}

template <class T, int64_t S>
void pass4(const FftPass& p, int64_t row, Lines<T> l) {
  const int64_t s = S > 0 ? S : row;
  const Root<T>* w = static_cast<const Root<T>*>(p.twiddle);
  const int64_t far = p.m * s;
  for (int64_t k = 0; k < p.m; k++) {
    const Root<T> w1 = w[3 * k], w2 = w[3 * k + 1], w3 = w[3 * k + 2];
    const T* __restrict a_re = l.x_re + k * s;
    const T* __restrict a_im = l.x_im + k * s;
    T* __restrict b_re = l.y_re + 4 * k * s;
    T* __restrict b_im = l.y_im + 4 * k * s;
    FLAMBEAU_INDEPENDENT
    for (int64_t q = 0; q < s; q++) {
      const T ar = a_re[q] + a_re[q + 2 * far], ai = a_im[q] + a_im[q + 2 * far];
      const T br = a_re[q] - a_re[q + 2 * far], bi = a_im[q] - a_im[q + 2 * far];
      const T cr = a_re[q + far] + a_re[q + 3 * far], ci = a_im[q + far] + a_im[q + 3 * far];
      const T dr = a_re[q + far] - a_re[q + 3 * far], di = a_im[q + far] - a_im[q + 3 * far];
      b_re[q] = ar + cr;
      b_im[q] = ai + ci;
      store(b_re, b_im, q + s, br + di, bi - dr, w1);
      store(b_re, b_im, q + 2 * s, ar - cr, ai - ci, w2);
      store(b_re, b_im, q + 3 * s, br - di, bi + dr, w3);
    }
  }
}

template <class T, int64_t S>
void pass5(const FftPass& p, int64_t row, Lines<T> l) {
  const int64_t s = S > 0 ? S : row;
  const Root<T>* w = static_cast<const Root<T>*>(p.twiddle);
  const int64_t far = p.m * s;
  const T c1 = static_cast<T>(0.30901699437494742410), c2 = static_cast<T>(-0.80901699437494742410);
  const T s1 = static_cast<T>(0.95105651629515357212), s2 = static_cast<T>(0.58778525229247312917);
  for (int64_t k = 0; k < p.m; k++) {
    const Root<T>* v = w + 4 * k;
    const Root<T> w1 = v[0], w2 = v[1], w3 = v[2], w4 = v[3];
    const T* __restrict a_re = l.x_re + k * s;
    const T* __restrict a_im = l.x_im + k * s;
    T* __restrict b_re = l.y_re + 5 * k * s;
    T* __restrict b_im = l.y_im + 5 * k * s;
    FLAMBEAU_INDEPENDENT
    for (int64_t q = 0; q < s; q++) {
      const T r0 = a_re[q], i0 = a_im[q];
      const T ar = a_re[q + far] + a_re[q + 4 * far], ai = a_im[q + far] + a_im[q + 4 * far];
      const T br = a_re[q + 2 * far] + a_re[q + 3 * far], bi = a_im[q + 2 * far] + a_im[q + 3 * far];
      const T cr = a_re[q + far] - a_re[q + 4 * far], ci = a_im[q + far] - a_im[q + 4 * far];
      const T dr = a_re[q + 2 * far] - a_re[q + 3 * far], di = a_im[q + 2 * far] - a_im[q + 3 * far];
      const T er = r0 + c1 * ar + c2 * br, ei = i0 + c1 * ai + c2 * bi;
      const T fr = r0 + c2 * ar + c1 * br, fi = i0 + c2 * ai + c1 * bi;
      const T gr = s1 * cr + s2 * dr, gi = s1 * ci + s2 * di;
      const T hr = s2 * cr - s1 * dr, hi = s2 * ci - s1 * di;
      b_re[q] = r0 + ar + br;
      b_im[q] = i0 + ai + bi;
      store(b_re, b_im, q + s, er + gi, ei - gr, w1);
      store(b_re, b_im, q + 2 * s, fr + hi, fi - hr, w2);
      store(b_re, b_im, q + 3 * s, fr - hi, fi + hr, w3);
      store(b_re, b_im, q + 4 * s, er - gi, ei + gr, w4);
    }
  }
}

// Any small odd radix, by sums and differences of the elements j and radix - j; blocks of a row keep them at hand.
template <class T>
void pass_any(const FftPass& p, int64_t s, Lines<T> l) {
  constexpr int64_t kBlock = 32;
  const Root<T>* w = static_cast<const Root<T>*>(p.twiddle);
  const Root<T>* roots = static_cast<const Root<T>*>(p.roots);
  const int64_t r = p.radix, half = (r - 1) / 2, far = p.m * s;
  T sum_re[kMaxRadix / 2][kBlock], sum_im[kMaxRadix / 2][kBlock];
  T dif_re[kMaxRadix / 2][kBlock], dif_im[kMaxRadix / 2][kBlock];
  for (int64_t k = 0; k < p.m; k++) {
    for (int64_t from = 0; from < s; from += kBlock) {
      const int64_t n = s - from < kBlock ? s - from : kBlock;
      const T* x_re = l.x_re + k * s + from;
      const T* x_im = l.x_im + k * s + from;
      T* y_re = l.y_re + r * k * s + from;
      T* y_im = l.y_im + r * k * s + from;
      for (int64_t j = 0; j < half; j++) {
        const T* a_re = x_re + (j + 1) * far;
        const T* a_im = x_im + (j + 1) * far;
        const T* b_re = x_re + (r - 1 - j) * far;
        const T* b_im = x_im + (r - 1 - j) * far;
        FLAMBEAU_INDEPENDENT
        for (int64_t q = 0; q < n; q++) {
          sum_re[j][q] = a_re[q] + b_re[q];
          sum_im[j][q] = a_im[q] + b_im[q];
          dif_re[j][q] = a_re[q] - b_re[q];
          dif_im[j][q] = a_im[q] - b_im[q];
        }
      }
      FLAMBEAU_INDEPENDENT
      for (int64_t q = 0; q < n; q++) {
        T re = x_re[q], im = x_im[q];
        for (int64_t j = 0; j < half; j++) {
          re += sum_re[j][q];
          im += sum_im[j][q];
        }
        y_re[q] = re;
        y_im[q] = im;
      }
      for (int64_t j = 1; j <= half; j++) {
        T even_re[kBlock], even_im[kBlock], odd_re[kBlock], odd_im[kBlock];
        FLAMBEAU_INDEPENDENT
        for (int64_t q = 0; q < n; q++) {
          even_re[q] = x_re[q];
          even_im[q] = x_im[q];
          odd_re[q] = odd_im[q] = 0;
        }
        for (int64_t i = 1; i <= half; i++) {
          const Root<T> c = roots[i * j % r];
          FLAMBEAU_INDEPENDENT
          for (int64_t q = 0; q < n; q++) {
            even_re[q] += c.re * sum_re[i - 1][q];
            even_im[q] += c.re * sum_im[i - 1][q];
            odd_re[q] -= c.im * dif_im[i - 1][q];
            odd_im[q] += c.im * dif_re[i - 1][q];
          }
        }
        const Root<T> near = w[(r - 1) * k + j - 1], other = w[(r - 1) * k + r - j - 1];
        FLAMBEAU_INDEPENDENT
        for (int64_t q = 0; q < n; q++) {
          store(y_re, y_im, q + j * s, even_re[q] + odd_re[q], even_im[q] + odd_im[q], near);
          store(y_re, y_im, q + (r - j) * s, even_re[q] - odd_re[q], even_im[q] - odd_im[q], other);
        }
      }
    }
  }
}

template <class T, int64_t S>
void pass_of(const FftPass& p, int64_t s, Lines<T> l) {
  switch (p.radix) {
    case 2: return pass2<T, S>(p, s, l);
    case 3: return pass3<T, S>(p, s, l);
    case 4: return pass4<T, S>(p, s, l);
    default: return pass5<T, S>(p, s, l);
  }
}

template <class T>
void run(const FftPass& p, int64_t s, const void* x_re, const void* x_im, void* y_re, void* y_im) {
  const Lines<T> l{static_cast<const T*>(x_re), static_cast<const T*>(x_im), static_cast<T*>(y_re),
                   static_cast<T*>(y_im)};
  // Rows too short for a vector are unrolled.
  if (p.radix > 5) return pass_any(p, s, l);
  switch (s) {
    case 1: return pass_of<T, 1>(p, s, l);
    case 2: return pass_of<T, 2>(p, s, l);
    case 4: return pass_of<T, 4>(p, s, l);
    default: return pass_of<T, 0>(p, s, l);
  }
}

void pass(DType type, const FftPass& p, int64_t s, const void* x_re, const void* x_im, void* y_re, void* y_im) {
  if (type == DType::F64)
    run<double>(p, s, x_re, x_im, y_re, y_im);
  else
    run<float>(p, s, x_re, x_im, y_re, y_im);
}

}  // namespace

void fill(FftKernels& k) { k.pass = pass; }

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
