#include "ops/linalg_schur.h"

#include <array>

namespace flambeau::linalg {
namespace {

constexpr double kRound = std::numeric_limits<double>::epsilon();
constexpr int kRounds = 60;  // steps without a deflation after which the iteration is given up

}  // namespace

template <class T>
void balance(const Mat<T>& a, double* d) {
  const int64_t n = a.rows;
  std::fill(d, d + n, 1.0);
  for (bool again = true; again;) {
    again = false;
    for (int64_t i = 0; i < n; i++) {
      double row = 0, column = 0;
      for (int64_t j = 0; j < n; j++) {
        if (j == i) continue;
        row += size1(a(i, j));
        column += size1(a(j, i));
      }
      if (row == 0 || column == 0) continue;
      double f = 1;
      const double sum = row + column;
      for (; column < row / 2 && f < 0x1p500; column *= 4) f *= 2;
      for (; column >= row * 2 && f > 0x1p-500; column /= 4) f /= 2;
      if (f == 1 || (column + row) / f >= 0.95 * sum) continue;
      again = true;
      d[i] *= f;
      for (int64_t j = 0; j < n; j++) {
        a(i, j) = a(i, j) * T(1 / f);
      }
      for (int64_t j = 0; j < n; j++) a(j, i) = a(j, i) * T(f);
    }
  }
}

template <class T>
void reduce_to_hessenberg(const Mat<T>& a, T* zt, T* tau, T* room) {
  const int64_t n = a.rows;
  for (int64_t k = 0; k + 2 < n; k++) {
    const int64_t m = n - k - 1;
    T* column = a.at + (k + 2) * a.rs + k;
    tau[k] = reflection(a(k + 1, k), column, m - 1, a.rs);
    reflect(column, a.rs, conj(tau[k]), a.block(k + 1, k + 1, m, m), room);
    // Columns k + 1.. of all rows: c = c (I - tau v v^H).
    if (tau[k] == T(0)) continue;
    for (int64_t i = 0; i < n; i++) {
      T* row = a.at + i * a.rs + k + 1;
      T sum = row[0];
      for (int64_t j = 1; j < m; j++) sum += row[j] * column[(j - 1) * a.rs];
      sum *= tau[k];
      row[0] -= sum;
      for (int64_t j = 1; j < m; j++) row[j] -= sum * conj(column[(j - 1) * a.rs]);
    }
  }
  if (zt) {
    const Mat<T> z = dense(zt, n, n);
    identity(z);
    // The transpose of Q: make_q writes through a view whose rows are columns of zt.
    if (n > 2) make_q(a.block(1, 0, n - 1, n - 2), tau, n - 2, z.block(1, 1, n - 1, n - 1).t(), room);
  }
  for (int64_t i = 2; i < n; i++)
    for (int64_t j = 0; j + 1 < i; j++) a(i, j) = T(0);
}
template void balance(const Mat<double>&, double*);
template void balance(const Mat<Cx<double>>&, double*);
template void reduce_to_hessenberg(const Mat<double>&, double*, double*, double*);
template void reduce_to_hessenberg(const Mat<Cx<double>>&, Cx<double>*, Cx<double>*, Cx<double>*);

namespace {

// Rows and columns i and i + 1 of h, and rows of zt, turned so that a block with real eigenvalues becomes triangular.
void split_real_pair(const Mat<double>& h, double* zt, int64_t i) {
  const int64_t n = h.rows, j = i + 1;
  const double p = (h(i, i) - h(j, j)) / 2, b = h(i, j), c = h(j, i);
  const double q = p * p + b * c;
  if (c == 0 || q < 0) return;
  // An eigenvector of the block, (z, c) with z = p +- sqrt(q), becomes the first axis.
  const double z = p + std::copysign(std::sqrt(q), p), r = std::hypot(z, c);
  const double cs = z / r, sn = c / r;
  for (int64_t k = i; k < n; k++) {
    const double x = h(i, k), y = h(j, k);
    h(i, k) = cs * x + sn * y;
    h(j, k) = cs * y - sn * x;
  }
  for (int64_t k = 0; k <= j; k++) {
    const double x = h(k, i), y = h(k, j);
    h(k, i) = cs * x + sn * y;
    h(k, j) = cs * y - sn * x;
  }
  for (int64_t k = 0; zt && k < n; k++) {
    const double x = zt[i * n + k], y = zt[j * n + k];
    zt[i * n + k] = cs * x + sn * y;
    zt[j * n + k] = cs * y - sn * x;
  }
  h(j, i) = 0;
}

// h = P h P with P = I - tau v v^T on rows and columns k.. of `size` (2 or 3).
void reflect_small(const Mat<double>& h, double* zt, int64_t k, int size, const std::array<double, 3>& v, double tau,
                   int64_t first_column, int64_t last_row) {
  const int64_t n = h.rows;
  const double v1 = v[1], v2 = size == 3 ? v[2] : 0;
  double* r0 = h.at + k * h.rs;
  double* r1 = r0 + h.rs;
  double* r2 = size == 3 ? r1 + h.rs : r1;
  for (int64_t j = first_column; j < n; j++) {
    const double sum = tau * (r0[j] + v1 * r1[j] + v2 * r2[j]);
    r0[j] -= sum;
    r1[j] -= sum * v1;
    if (size == 3) r2[j] -= sum * v2;
  }
  for (int64_t i = 0; i <= last_row; i++) {
    double* x = h.at + i * h.rs + k;
    const double sum = tau * (x[0] + v1 * x[1] + (size == 3 ? v2 * x[2] : 0));
    x[0] -= sum;
    x[1] -= sum * v1;
    if (size == 3) x[2] -= sum * v2;
  }
  if (zt == nullptr) return;
  double* z0 = zt + k * n;
  double* z1 = z0 + n;
  double* z2 = size == 3 ? z1 + n : z1;
  for (int64_t i = 0; i < n; i++) {
    const double sum = tau * (z0[i] + v1 * z1[i] + v2 * z2[i]);
    z0[i] -= sum;
    z1[i] -= sum * v1;
    if (size == 3) z2[i] -= sum * v2;
  }
}

// The first row of the block [l, ..] where the subdiagonal is negligible, searched from `hi` upwards.
template <class T>
int64_t find_block(const Mat<T>& h, int64_t hi, double whole) {
  int64_t l = hi;
  for (; l > 0; l--) {
    double near = size1(h(l - 1, l - 1)) + size1(h(l, l));
    if (near == 0) near = whole;
    if (size1(h(l, l - 1)) <= kRound * near) {
      h(l, l - 1) = T(0);
      break;
    }
  }
  return l;
}

}  // namespace

// Francis' double-shift QR (Golub and Van Loan, 7.5).
bool schur(const Mat<double>& h, double* zt) {
  const int64_t n = h.rows;
  double whole = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) whole = std::max(whole, std::fabs(h(i, j)));
  int rounds = 0;
  for (int64_t hi = n - 1; hi >= 0;) {
    const int64_t lo = find_block(h, hi, whole);
    if (lo == hi) {
      hi--;
      rounds = 0;
      continue;
    }
    if (lo == hi - 1) {
      split_real_pair(h, zt, lo);
      hi -= 2;
      rounds = 0;
      continue;
    }
    if (rounds++ == kRounds) return false;
    // The trace and determinant of the last 2 x 2 block give both shifts at once; every tenth step takes others, which
    // ends cycles.
    double trace = h(hi - 1, hi - 1) + h(hi, hi);
    double det = h(hi - 1, hi - 1) * h(hi, hi) - h(hi - 1, hi) * h(hi, hi - 1);
    if (rounds % 10 == 0) {
      const double s = std::fabs(h(hi, hi - 1)) + std::fabs(h(hi - 1, hi - 2));
      const double base = h(hi, hi);
      trace = 2 * base + 1.5 * s;
      det = base * base + 1.5 * s * base + s * s;
    }
    // The first column of (H - s1)(H - s2), and where in the block the step may start: two consecutive small
    // subdiagonal elements separate what is above.
    int64_t start = hi - 2;
    std::array<double, 3> v{};
    for (;; start--) {
      const double a = h(start, start), b = h(start + 1, start + 1), c = h(start + 1, start);
      v[0] = a * a + h(start, start + 1) * c - trace * a + det;
      v[1] = c * (a + b - trace);
      v[2] = c * h(start + 2, start + 1);
      const double size = std::fabs(v[0]) + std::fabs(v[1]) + std::fabs(v[2]);
      if (size > 0)
        for (double& x : v) x /= size;
      if (start == lo) break;
      const double above = std::fabs(h(start, start - 1)) * (std::fabs(v[1]) + std::fabs(v[2]));
      const double near = std::fabs(v[0]) * (std::fabs(h(start - 1, start - 1)) + std::fabs(a) + std::fabs(b));
      if (above <= kRound * near) break;
    }
    for (int64_t k = start; k < hi; k++) {
      const int size = k + 2 <= hi ? 3 : 2;
      if (k > start) {
        v[0] = h(k, k - 1);
        v[1] = h(k + 1, k - 1);
        v[2] = size == 3 ? h(k + 2, k - 1) : 0;
      }
      double alpha = v[0];
      std::array<double, 3> u = {1, v[1], v[2]};
      const double tau = reflection(alpha, u.data() + 1, size - 1, 1);
      if (tau == 0) continue;
      if (k > start) {
        h(k, k - 1) = alpha;
        h(k + 1, k - 1) = 0;
        if (size == 3) h(k + 2, k - 1) = 0;
      } else if (k > lo) {
        // The step started inside the block: what is left of it changes only by the reflection's first factor.
        h(k, k - 1) *= 1 - tau;
      }
      reflect_small(h, zt, k, size, u, tau, k, std::min(k + 3, hi));
    }
  }
  return true;
}

// QR with Wilkinson's shift, chased by plane rotations.
bool schur(const Mat<Cx<double>>& h, Cx<double>* zt) {
  using C = Cx<double>;
  const int64_t n = h.rows;
  double whole = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) whole = std::max(whole, size1(h(i, j)));
  const auto square_root = [](C x) {
    const double size = modulus(x);
    const double a = std::sqrt((size + std::fabs(x.re)) / 2);
    if (a == 0) return C();
    const double b = std::fabs(x.im) / (2 * a);
    return x.re >= 0 ? C(a, std::copysign(b, x.im)) : C(b, std::copysign(a, x.im));
  };
  int rounds = 0;
  for (int64_t hi = n - 1; hi >= 0;) {
    const int64_t lo = find_block(h, hi, whole);
    if (lo == hi) {
      hi--;
      rounds = 0;
      continue;
    }
    if (rounds++ == kRounds) return false;
    C shift = h(hi, hi);
    if (rounds % 10 == 0) {
      shift = C(modulus(h(hi, hi - 1))) + h(hi, hi);
    } else {
      const C p = C(0.5) * (h(hi - 1, hi - 1) - h(hi, hi)), bc = h(hi - 1, hi) * h(hi, hi - 1);
      C root = square_root(p * p + bc);
      if (p.re * root.re + p.im * root.im < 0) root = -root;
      const C sum = p + root;
      if (sum != C()) shift -= bc / sum;
    }
    C x = h(lo, lo) - shift, y = h(lo + 1, lo);
    for (int64_t k = lo; k < hi; k++) {
      // [c, s; -conj(s), c] (x, y) = (r, 0) with a real c.
      const double ax = modulus(x), ay = modulus(y), r = std::hypot(ax, ay);
      double c = 1;
      C s;
      if (r > 0) {
        const C phase = ax > 0 ? C(x.re / ax, x.im / ax) : C(1);
        c = ax / r;
        s = phase * conj(y) * C(1 / r);
      }
      const auto turn_rows = [&](C& a, C& b) {
        const C u = a, v = b;
        a = C(c) * u + s * v;
        b = C(c) * v - conj(s) * u;
      };
      const auto turn_columns = [&](C& a, C& b) {
        const C u = a, v = b;
        a = C(c) * u + conj(s) * v;
        b = C(c) * v - s * u;
      };
      for (int64_t j = k > lo ? k - 1 : k; j < n; j++) turn_rows(h(k, j), h(k + 1, j));
      for (int64_t i = 0; i <= std::min(k + 2, hi); i++) turn_columns(h(i, k), h(i, k + 1));
      if (zt)
        for (int64_t i = 0; i < n; i++) turn_columns(zt[k * n + i], zt[(k + 1) * n + i]);
      if (k > lo) h(k + 1, k - 1) = C();
      if (k + 2 <= hi) {
        x = h(k + 1, k);
        y = h(k + 2, k);
      }
    }
  }
  return true;
}

}  // namespace flambeau::linalg
