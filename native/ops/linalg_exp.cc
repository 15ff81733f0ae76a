// The exponential of matrices: scaling and squaring with Pade approximants (Higham, The scaling and squaring method for
// the matrix exponential revisited, SIAM J. Matrix Anal. Appl. 26, 2005).
#include "ops/linalg.h"

namespace flambeau::linalg {
namespace {

struct Degree {
  int degree;
  double bound;  // of the 1-norm, up to which the approximant is exact to rounding
};
constexpr Degree kSingle[] = {{3, 4.258730016922831e-1}, {5, 1.880152677804762}, {7, 3.925724783138660}};
constexpr Degree kDouble[] = {{3, 1.495585217958292e-2},
                              {5, 2.539398330063230e-1},
                              {7, 9.504178996162932e-1},
                              {9, 2.097847961257068},
                              {13, 5.371920351148152}};

template <class T>
double one_norm(const Mat<T>& a) {
  double most = 0;
  for (int64_t j = 0; j < a.cols; j++) {
    double sum = 0;
    for (int64_t i = 0; i < a.rows; i++) sum += modulus(a(i, j));
    if (!(sum <= most)) most = sum;
  }
  return most;
}

// The coefficients of the numerator of exp's [m/m] approximant, highest last: b[j] = (2m - j)! / ((m - j)! j!) up to a
// common factor.
void coefficients(int m, double* b) {
  b[m] = 1;
  for (int j = m; j > 0; j--) b[j - 1] = b[j] * j * (2 * m - j + 1) / (m - j + 1);
}

// to = exp(a); a is overwritten. room: 6 n^2 elements and n pivots.
template <class T>
void exponential(const Mat<T>& a, const Mat<T>& to, T* room, int32_t* pivots) {
  const int64_t n = a.rows, nn = n * n;
  const double size = one_norm(a);
  if (!std::isfinite(size)) {
    for (int64_t i = 0; i < nn; i++) to.at[i] = T(std::numeric_limits<Real<T>>::quiet_NaN());
    return;
  }
  const bool single = sizeof(Real<T>) == 4;
  const Degree* degrees = single ? kSingle : kDouble;
  const int count = single ? 3 : 5;
  int m = degrees[count - 1].degree, squarings = 0;
  for (int i = count - 1; i >= 0; i--)
    if (size <= degrees[i].bound) m = degrees[i].degree;
  if (size > degrees[count - 1].bound) {
    squarings = std::max(0, static_cast<int>(std::ceil(std::log2(size / degrees[count - 1].bound))));
    const T scale = static_cast<Real<T>>(std::ldexp(1.0, -squarings));
    for (int64_t i = 0; i < nn; i++) a.at[i] *= scale;
  }
  double b[14];
  coefficients(m, b);
  // p(A) = A U' + V with even polynomials U' and V; exp(A) ~ (V - A U')^-1 (V + A U').
  const Mat<T> a2 = dense(room, n, n), power = dense(room + nn, n, n), next = dense(room + 2 * nn, n, n);
  const Mat<T> odd = dense(room + 3 * nn, n, n), even = dense(room + 4 * nn, n, n), u = dense(room + 5 * nn, n, n);
  identity(power);
  multiply(1, a, a, 0, a2);
  const auto real = [](double x) { return T(static_cast<Real<T>>(x)); };
  for (int64_t i = 0; i < nn; i++) odd.at[i] = even.at[i] = T(0);
  const Mat<T>* now = &power;
  const Mat<T>* then = &next;
  for (int k = 0; 2 * k <= m; k++) {
    if (k > 0) {
      multiply(1, *now, a2, 0, *then);
      std::swap(now, then);
    }
    for (int64_t i = 0; i < nn; i++) {
      even.at[i] += real(b[2 * k]) * now->at[i];
      if (2 * k + 1 <= m) odd.at[i] += real(b[2 * k + 1]) * now->at[i];
    }
  }
  multiply(1, a, odd, 0, u);
  for (int64_t i = 0; i < nn; i++) {
    to.at[i] = even.at[i] + u.at[i];
    even.at[i] -= u.at[i];
  }
  factor_lu(even, pivots);
  exchange_rows(to, pivots, n, false);
  solve_triangular(even, to, false, true);
  solve_triangular(even, to, true, false);
  for (int k = 0; k < squarings; k++) {
    multiply(1, to, to, 0, a2);
    assign(to, a2);
  }
}

// linalg_matrix_exp(a)
FLAMBEAU_OP(linalg_matrix_exp, OnMeta::Serve) {
  const Tensor& a = call.tensor();
  check_square("linalg.matrix_exp", a);
  const Batch batch(a, 2);
  const int64_t n = a.sizes[a.ndim() - 1];
  Ref work = fresh(a, a.dtype);
  Ref out = empty(a.sizes, a.dtype);
  by_type("linalg_matrix_exp", a.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_in_room(batch.count, 10 * cost(n, n, n), Room::bytes<T>(6 * n * n) + Room::bytes<int32_t>(n),
                     [&](int64_t i, char* space) {
                       Room part(space);
                       T* room = part.template take<T>(6 * n * n);
                       exponential(dense(work->as<T>() + i * n * n, n, n), dense(out->as<T>() + i * n * n, n, n), room,
                                   part.template take<int32_t>(n));
                     });
  });
  call.result(out);
}

}  // namespace
}  // namespace flambeau::linalg
