// The building blocks of the factorizations: products, triangular systems, reflections one by one and in blocks.
#include "ops/linalg.h"

#include "kernels/kernels.h"

namespace flambeau::linalg {
namespace {

// Below this many multiplications a call of the kernel costs more than the product.
constexpr int64_t kTinyProduct = 256;
// Triangular systems of at most this order are solved directly, larger ones by halves and products.
constexpr int64_t kTriangle = 24;
// Reflections applied together.
constexpr int64_t kPanel = 32;

template <class T>
void solve_small(const Mat<T>& a, const Mat<T>& b, bool upper, bool unit) {
  const int64_t n = a.rows;
  const bool columns = b.cs > b.rs;  // walk b along its contiguous direction
  for (int64_t step = 0; step < n; step++) {
    const int64_t i = upper ? n - 1 - step : step;
    const int64_t from = upper ? i + 1 : 0, to = upper ? n : i;
    if (columns) {
      for (int64_t c = 0; c < b.cols; c++) {
        T sum = b(i, c);
        for (int64_t j = from; j < to; j++) sum -= a(i, j) * b(j, c);
        b(i, c) = unit ? sum : sum / a(i, i);
      }
      continue;
    }
    for (int64_t j = from; j < to; j++) {
      const T factor = a(i, j);
      for (int64_t c = 0; c < b.cols; c++) b(i, c) -= factor * b(j, c);
    }
    if (!unit)
      for (int64_t c = 0; c < b.cols; c++) b(i, c) = b(i, c) / a(i, i);
  }
}

// sqrt of the sum of squares, without overflow or underflow on the way.
template <class T>
double norm(const T* x, int64_t n, int64_t step) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += norm2(x[i * step]);
  if (sum > 1e-280 && sum < 1e280) return std::sqrt(sum);
  double most = 0;
  for (int64_t i = 0; i < n; i++) most = std::max<double>(most, modulus(x[i * step]));
  if (!(most > 0) || !std::isfinite(most)) return std::isnan(sum) ? sum : most;
  double scaled = 0;
  for (int64_t i = 0; i < n; i++) {
    const double m = modulus(x[i * step]) / most;
    scaled += m * m;
  }
  return most * std::sqrt(scaled);
}

}  // namespace

void check_matrices(const char* name, const Tensor& t) {
  FLAMBEAU_CHECK(t.ndim() >= 2, Kind::Runtime, "%s: The input tensor A must have at least 2 dimensions.", name);
}
void check_square(const char* name, const Tensor& t) {
  check_matrices(name, t);
  FLAMBEAU_CHECK(t.sizes[t.ndim() - 1] == t.sizes[t.ndim() - 2], Kind::Runtime,
                 "%s: A must be batches of square matrices, but they are %lld by %lld matrices", name,
                 static_cast<long long>(t.sizes[t.ndim() - 2]), static_cast<long long>(t.sizes[t.ndim() - 1]));
}

template <class T>
void multiply(double alpha, const Mat<T>& a, const Mat<T>& b, double beta, const Mat<T>& c) {
  const int64_t k = a.cols;
  if (c.rows == 0 || c.cols == 0) return;
  if (c.rows * c.cols * k <= kTinyProduct) {
    const T scale = static_cast<Real<T>>(alpha), keep = static_cast<Real<T>>(beta);
    for (int64_t i = 0; i < c.rows; i++)
      for (int64_t j = 0; j < c.cols; j++) {
        T sum = 0;
        for (int64_t p = 0; p < k; p++) sum += a(i, p) * b(p, j);
        c(i, j) = beta == 0 ? scale * sum : scale * sum + keep * c(i, j);
      }
    return;
  }
  GemmArgs g;
  g.m = c.rows;
  g.n = c.cols;
  g.k = k;
  g.a = a.at;
  g.a_row = a.rs;
  g.a_col = a.cs;
  g.b = b.at;
  g.b_row = b.rs;
  g.b_col = b.cs;
  g.c = c.at;
  g.c_row = c.rs;
  g.c_col = c.cs;
  g.alpha = alpha;
  g.beta = beta;
  kernels().gemm.gemm(Traits<T>::dtype, g);
}

template <class T>
void solve_triangular(const Mat<T>& a, const Mat<T>& b, bool upper, bool unit) {
  const int64_t n = a.rows;
  if (n <= kTriangle) return solve_small(a, b, upper, unit);
  const int64_t h = (n / 2 + 7) / 8 * 8, rest = n - h;
  const Mat<T> b1 = b.rows_from(0, h), b2 = b.rows_from(h, rest);
  if (upper) {
    solve_triangular(a.block(h, h, rest, rest), b2, upper, unit);
    multiply(-1, a.block(0, h, h, rest), b2, 1, b1);
    solve_triangular(a.block(0, 0, h, h), b1, upper, unit);
  } else {
    solve_triangular(a.block(0, 0, h, h), b1, upper, unit);
    multiply(-1, a.block(h, 0, rest, h), b1, 1, b2);
    solve_triangular(a.block(h, h, rest, rest), b2, upper, unit);
  }
}

template <class T>
T reflection(T& alpha, T* x, int64_t n, int64_t step) {
  const double size = norm(x, n, step);
  const double a_re = re(alpha), a_im = im(alpha);
  if (size == 0 && a_im == 0) return T(0);
  // The sign against alpha's avoids cancellation.
  const double beta = -std::copysign(std::hypot(std::hypot(a_re, a_im), size), a_re);
  T tau, scale;
  if constexpr (is_cx<T>) {
    tau = T(static_cast<Real<T>>((beta - a_re) / beta), static_cast<Real<T>>(-a_im / beta));
    const Cx<double> inverse = Cx<double>(1) / Cx<double>(a_re - beta, a_im);
    scale = T(static_cast<Real<T>>(inverse.re), static_cast<Real<T>>(inverse.im));
  } else {
    tau = static_cast<T>((beta - a_re) / beta);
    scale = static_cast<T>(1 / (a_re - beta));
  }
  if (std::isfinite(re(scale)) && std::isfinite(im(scale))) {
    for (int64_t i = 0; i < n; i++) x[i * step] *= scale;
  } else {
    // 1 / (alpha - beta) overflows for a column of subnormal numbers; the quotients do not.
    const T divisor = alpha - T(static_cast<Real<T>>(beta));
    for (int64_t i = 0; i < n; i++) x[i * step] = x[i * step] / divisor;
  }
  alpha = T(static_cast<Real<T>>(beta));
  return tau;
}

template <class T>
void reflect(const T* x, int64_t step, T factor, const Mat<T>& c, T* room) {
  if (factor == T(0) || c.cols == 0) return;
  for (int64_t j = 0; j < c.cols; j++) room[j] = c(0, j);
  for (int64_t i = 1; i < c.rows; i++) {
    const T v = conj(x[(i - 1) * step]);
    for (int64_t j = 0; j < c.cols; j++) room[j] += v * c(i, j);
  }
  for (int64_t j = 0; j < c.cols; j++) c(0, j) -= factor * room[j];
  for (int64_t i = 1; i < c.rows; i++) {
    const T v = factor * x[(i - 1) * step];
    for (int64_t j = 0; j < c.cols; j++) c(i, j) -= v * room[j];
  }
}

namespace {

// c = (I - V T V^H) c or (I - V T^H V^H) c for the nb reflections below the diagonal of `v`, which multiply to
// I - V T V^H (Schreiber and Van Loan, A storage-efficient WY representation).
template <class T>
void apply_block(const Mat<T>& v, const T* tau, const Mat<T>& c, bool adjoint, T* room) {
  const int64_t m = v.rows, nb = v.cols;
  const Mat<T> wide = dense(room, m, nb);
  room += m * nb;
  const Mat<T> turned = dense(room, nb, m);
  room += nb * m;
  const Mat<T> t = dense(room, nb, nb);
  room += nb * nb;
  const Mat<T> w = dense(room, nb, c.cols);
  room += nb * c.cols;
  const Mat<T> tw = dense(room, nb, c.cols);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < nb; j++) {
      const T value = i > j ? v(i, j) : i == j ? T(1) : T(0);
      wide(i, j) = value;
      turned(j, i) = conj(value);
    }
  // T is upper triangular: T[:j, j] = -tau_j T[:j, :j] (V^H V)[:j, j].
  multiply(1, turned, wide, 0, t);
  for (int64_t j = 0; j < nb; j++) {
    for (int64_t i = 0; i < j; i++) {
      T sum = 0;
      for (int64_t p = i; p < j; p++) sum += t(i, p) * t(p, j);
      t(i, j) = -tau[j] * sum;
    }
    t(j, j) = tau[j];
    for (int64_t i = j + 1; i < nb; i++) t(i, j) = 0;
  }
  multiply(1, turned, c, 0, w);
  if (adjoint) {
    conjugate(t);
    multiply(1, t.t(), w, 0, tw);
  } else {
    multiply(1, t, w, 0, tw);
  }
  multiply(-1, wide, tw, 1, c);
}

template <class T>
void apply_some(const Mat<T>& v, const T* tau, const Mat<T>& c, bool adjoint, T* room) {
  const int64_t k = v.cols;
  if (k >= 8 && c.cols >= 8) return apply_block(v, tau, c, adjoint, room);
  for (int64_t step = 0; step < k; step++) {
    const int64_t j = adjoint ? step : k - 1 - step;
    reflect(v.at + (j + 1) * v.rs + j * v.cs, v.rs, adjoint ? conj(tau[j]) : tau[j], c.rows_from(j, c.rows - j), room);
  }
}

}  // namespace

template <class T>
int64_t apply_q_room(int64_t rows, int64_t cols) {
  return 2 * rows * kPanel + kPanel * kPanel + 2 * kPanel * cols + cols;
}

template <class T>
void apply_q(const Mat<T>& qr, const T* tau, const Mat<T>& c, bool adjoint, T* room) {
  const int64_t k = qr.cols;
  const int64_t panels = (k + kPanel - 1) / kPanel;
  for (int64_t step = 0; step < panels; step++) {
    const int64_t j = (adjoint ? step : panels - 1 - step) * kPanel;
    const int64_t nb = std::min(kPanel, k - j), below = qr.rows - j;
    apply_some(qr.block(j, j, below, nb), tau + j, c.rows_from(j, below), adjoint, room);
  }
}

template <class T>
void factor_qr(const Mat<T>& a, T* tau, T* room) {
  const int64_t k = std::min(a.rows, a.cols);
  for (int64_t j = 0; j < k; j += kPanel) {
    const int64_t nb = std::min(kPanel, k - j), end = j + nb;
    for (int64_t i = j; i < end; i++) {
      T* below = a.at + (i + 1) * a.rs + i * a.cs;
      tau[i] = reflection(a(i, i), below, a.rows - i - 1, a.rs);
      reflect(below, a.rs, conj(tau[i]), a.block(i, i + 1, a.rows - i, end - i - 1), room);
    }
    apply_some(a.block(j, j, a.rows - j, nb), tau + j, a.block(j, end, a.rows - j, a.cols - end), true, room);
  }
}

template <class T>
void make_q(const Mat<T>& qr, const T* tau, int64_t k, const Mat<T>& q, T* room) {
  identity(q);
  // Columns left of a panel are still unit vectors where the panel acts.
  const int64_t panels = (k + kPanel - 1) / kPanel;
  for (int64_t step = panels - 1; step >= 0; step--) {
    const int64_t j = step * kPanel, nb = std::min(kPanel, k - j), below = qr.rows - j;
    apply_some(qr.block(j, j, below, nb), tau + j, q.block(j, j, below, q.cols - j), false, room);
  }
}

#define FLAMBEAU_LINALG(T)                                                             \
  template void multiply(double, const Mat<T>&, const Mat<T>&, double, const Mat<T>&); \
  template void solve_triangular(const Mat<T>&, const Mat<T>&, bool, bool);            \
  template T reflection(T&, T*, int64_t, int64_t);                                     \
  template void reflect(const T*, int64_t, T, const Mat<T>&, T*);                      \
  template int64_t apply_q_room<T>(int64_t, int64_t);                                  \
  template void apply_q(const Mat<T>&, const T*, const Mat<T>&, bool, T*);             \
  template void factor_qr(const Mat<T>&, T*, T*);                                      \
  template void make_q(const Mat<T>&, const T*, int64_t, const Mat<T>&, T*);
FLAMBEAU_LINALG(float)
FLAMBEAU_LINALG(double)
FLAMBEAU_LINALG(Cx<float>)
FLAMBEAU_LINALG(Cx<double>)
#undef FLAMBEAU_LINALG

}  // namespace flambeau::linalg
