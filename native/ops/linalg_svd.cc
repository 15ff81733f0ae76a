// The singular value decomposition: reduction to a real bidiagonal matrix, then implicit QR on it (Golub and Van Loan,
// Matrix Computations, 8.6). In double precision.
#include "ops/linalg_rotate.h"

namespace flambeau::linalg {
namespace {

constexpr int64_t kWide = 128 * 128;  // elements from which reflecting uses the threads

// c = (I - factor v v^H) c over blocks of columns.
template <class T>
void reflect_left(const T* x, int64_t step, T factor, const Mat<T>& c, T* room) {
  if (c.rows * c.cols < kWide) return reflect(x, step, factor, c, room);
  parallel(0, c.cols, 64, [&](int64_t begin, int64_t end) {
    reflect(x, step, factor, c.cols_from(begin, end - begin), room + begin);
  });
}
// c = c (I - factor v v^H), v contiguous with v[0] = 1 implied: v = [1; x].
template <class T>
void reflect_right(const T* x, T factor, const Mat<T>& c) {
  if (factor == T(0)) return;
  const auto rows = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      T* row = c.at + i * c.rs;
      T sum = row[0];
      for (int64_t j = 1; j < c.cols; j++) sum += row[j] * x[j - 1];
      sum *= factor;
      row[0] -= sum;
      for (int64_t j = 1; j < c.cols; j++) row[j] -= sum * conj(x[j - 1]);
    }
  };
  if (c.rows * c.cols < kWide) return rows(0, c.rows);
  parallel(0, c.rows, 64, rows);
}

// a [m, n], m >= n, = Q B P^H with B upper bidiagonal and real: d on its diagonal, e above it. The reflections of Q
// stay below a's diagonal, those of P to the right of it, each as a row.
template <class T>
void bidiagonalize(const Mat<T>& a, double* d, double* e, T* tau_q, T* tau_p, T* room) {
  const int64_t m = a.rows, n = a.cols;
  for (int64_t k = 0; k < n; k++) {
    T* column = a.at + (k + 1) * a.rs + k;
    tau_q[k] = reflection(a(k, k), column, m - k - 1, a.rs);
    d[k] = re(a(k, k));
    reflect_left(column, a.rs, conj(tau_q[k]), a.block(k, k + 1, m - k, n - k - 1), room);
    if (k + 1 == n) break;
    const Mat<T> row = a.block(k, k + 1, 1, n - k - 1);
    conjugate(row);
    tau_p[k] = reflection(a(k, k + 1), row.at + 1, n - k - 2, 1);
    e[k] = re(a(k, k + 1));
    reflect_right(row.at + 1, tau_p[k], a.block(k + 1, k + 1, m - k - 1, n - k - 1));
  }
}

// One implicit QR step on the block [lo, hi], all of whose d and e are not zero.
void step(int64_t lo, int64_t hi, double* d, double* e, Rotations& left, Rotations& right) {
  // The eigenvalue of the last 2 x 2 block of B^T B that is nearer to its last element.
  const double above = hi - 1 > lo ? e[hi - 2] : 0;
  const double t11 = d[hi - 1] * d[hi - 1] + above * above, t12 = d[hi - 1] * e[hi - 1];
  const double t22 = d[hi] * d[hi] + e[hi - 1] * e[hi - 1];
  const double half = (t11 - t22) / 2;
  const double gap = half + std::copysign(std::hypot(half, t12), half);
  const double shift = gap == 0 ? t22 : t22 - t12 * (t12 / gap);
  double y = d[lo] - shift / d[lo], z = e[lo], c, s;
  for (int64_t k = lo; k < hi; k++) {
    const double r = rotation(y, z, c, s);
    if (k > lo) e[k - 1] = r;
    right.add(k, k + 1, c, s);
    y = c * d[k] + s * e[k];
    e[k] = c * e[k] - s * d[k];
    z = s * d[k + 1];
    d[k + 1] = c * d[k + 1];
    d[k] = rotation(y, z, c, s);
    left.add(k, k + 1, c, s);
    y = c * e[k] + s * d[k + 1];
    d[k + 1] = c * d[k + 1] - s * e[k];
    if (k + 1 < hi) {
      z = s * e[k + 1];
      e[k + 1] = c * e[k + 1];
    }
  }
  e[hi - 1] = y;
}

// Singular values of the bidiagonal matrix into d (not sorted, not negative); false where the iteration does not
// settle.
bool iterate(int64_t n, double* d, double* e, Rotations& left, Rotations& right) {
  const double eps = std::numeric_limits<double>::epsilon();
  double most = 0;
  for (int64_t i = 0; i < n; i++) most = std::max({most, std::fabs(d[i]), i + 1 < n ? std::fabs(e[i]) : 0.0});
  const double none = eps * most;
  int64_t rounds = 40 * n + 100;
  for (int64_t hi = n - 1; hi > 0;) {
    for (int64_t i = 0; i < hi; i++)
      if (std::fabs(e[i]) <= eps * (std::fabs(d[i]) + std::fabs(d[i + 1]))) e[i] = 0;
    if (e[hi - 1] == 0) {
      hi--;
      continue;
    }
    if (rounds-- == 0) return false;
    int64_t lo = hi - 1;
    while (lo > 0 && e[lo - 1] != 0) lo--;
    int64_t zero = hi;
    while (zero >= lo && std::fabs(d[zero]) > none) zero--;
    if (zero < lo) {
      step(lo, hi, d, e, left, right);
      continue;
    }
    d[zero] = 0;
    double c, s;
    if (zero == hi) {
      // A zero at the end: its column is cleared upwards.
      double f = e[hi - 1];
      e[hi - 1] = 0;
      for (int64_t j = hi - 1; j >= lo && f != 0; j--) {
        d[j] = rotation(d[j], f, c, s);
        right.add(j, hi, c, s);
        if (j > lo) {
          f = -s * e[j - 1];
          e[j - 1] = c * e[j - 1];
        }
      }
    } else {
      // A zero inside: its row is cleared to the right.
      double f = e[zero];
      e[zero] = 0;
      for (int64_t j = zero + 1; j <= hi && f != 0; j++) {
        d[j] = rotation(d[j], f, c, s);
        left.add(j, zero, c, s);
        if (j < hi) {
          f = -s * e[j];
          e[j] = c * e[j];
        }
      }
    }
  }
  left.apply();
  right.apply();
  return true;
}

struct Shape {
  int64_t m, n, columns;  // m >= n; how many left vectors
  bool vectors;
};

template <class T>
int64_t room_of(const Shape& s) {
  const int64_t whole = s.vectors ? s.m * s.columns + s.n * s.n : 0;
  return Room::bytes<T>(s.m * s.n) + Room::bytes<T>(s.n * s.n) + 3 * Room::bytes<T>(s.n) + Room::bytes<double>(s.n) +
         Room::bytes<int64_t>(s.n) + Room::bytes<T>(apply_q_room<T>(s.m, std::max(s.columns, s.n))) +
         Room::bytes<T>(whole) + Room::bytes<T>(s.columns * s.columns) + 2 * Room::bytes<Rotations>(1);
}

// a [m, n] (overwritten), m >= n: values into d, the columns of U and V as rows of `left` [columns, m] and `right`
// [n, n] (V^T, not conjugated).
template <class T>
bool decompose(const Shape& s, const Mat<T>& a, double* d, T* left_at, T* right_at, Room part) {
  const int64_t m = s.m, n = s.n;
  const int64_t lanes = sizeof(T) / sizeof(double);
  double* e = part.take<double>(n);
  T* tau_q = part.take<T>(n);
  T* tau_p = part.take<T>(n);
  T* tau = part.take<T>(n);
  T* work = part.take<T>(apply_q_room<T>(m, std::max(s.columns, n)));
  T* square = part.take<T>(n * n);
  T* u_at = part.take<T>(s.vectors ? m * s.columns + n * n : 0);
  auto* left = part.take<Rotations>(1);
  auto* right = part.take<Rotations>(1);
  // A tall matrix is reduced to its R first: the bidiagonal form of R costs less.
  const bool tall = m > n + n / 2;
  Mat<T> core = a;
  if (tall) {
    factor_qr(a, tau, work);
    core = dense(square, n, n);
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) core(i, j) = j >= i ? a(i, j) : T(0);
  }
  bidiagonalize(core, d, e, tau_q, tau_p, work);
  double* left_rows = nullptr;
  double* right_rows = nullptr;
  if (s.vectors) {
    const Mat<T> u = dense(u_at, m, s.columns);
    if (tall) {
      // U = Q [Q_R, 0; 0, I].
      identity(u);
      make_q(core, tau_q, n, u.block(0, 0, n, n), work);
      apply_q(a, tau, u, false, work);
    } else {
      make_q(core, tau_q, n, u, work);
    }
    assign(dense(left_at, s.columns, m), u.t());
    const Mat<T> v = dense(u_at, n, n);
    identity(v);
    if (n > 1) make_q(core.block(0, 1, n - 1, n - 1).t(), tau_p, n - 1, v.block(1, 1, n - 1, n - 1), work);
    assign(dense(right_at, n, n), v.t());
    left_rows = reinterpret_cast<double*>(left_at);
    right_rows = reinterpret_cast<double*>(right_at);
  }
  new (left) Rotations(left_rows, m * lanes);
  new (right) Rotations(right_rows, n * lanes);
  if (!iterate(n, d, e, *left, *right)) return false;
  for (int64_t k = 0; k < n; k++) {
    if (std::signbit(d[k]) == 0) continue;
    d[k] = -d[k];
    if (s.vectors)
      for (int64_t j = 0; j < n; j++) right_at[k * n + j] = -right_at[k * n + j];
  }
  return true;
}

// linalg_svd(a, full, vectors) -> S descending [.., k] (real), and before and after it U [.., m, k or m] and
// Vh [.., k or n, n] if asked for: U, S, Vh
FLAMBEAU_OP(linalg_svd, OnMeta::Serve) {
  const Tensor& a = call.tensor();
  const bool full = call.flag();
  const bool vectors = call.flag();
  check_matrices("linalg.svd", a);
  const Batch batch(a, 2);
  const int64_t rows = a.sizes[a.ndim() - 2], cols = a.sizes[a.ndim() - 1];
  const int64_t k = std::min(rows, cols);
  // A wide matrix is decomposed as A^H = V S U^H.
  const bool wide = rows < cols;
  Shape s{std::max(rows, cols), k, full ? std::max(rows, cols) : k, vectors};
  Ref values = empty(batch.with({k}), DType::F64);
  Ref u, vh;
  int64_t failed = -1;
  bool bad_input = false;
  by_wide_type("linalg_svd", a.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Ref source = contiguous(a, Traits<T>::dtype);
    const int64_t u_cols = full ? rows : k, v_rows = full ? cols : k;
    if (vectors) {
      u = empty(batch.with({rows, u_cols}), Traits<T>::dtype);
      vh = empty(batch.with({v_rows, cols}), Traits<T>::dtype);
    }
    const int64_t parts = vectors ? Room::bytes<T>(s.columns * s.m) + Room::bytes<T>(k * k) : 0;
    for_each_in_room(batch.count, 10 * cost(s.m, s.n, s.n), room_of<T>(s) + parts, [&](int64_t i, char* space) {
      Room part(space);
      const Mat<T> given = dense(source->as<T>() + i * rows * cols, rows, cols);
      const Mat<T> work = dense(part.template take<T>(s.m * s.n), s.m, s.n);
      T* left = part.template take<T>(vectors ? s.columns * s.m : 0);
      T* right = part.template take<T>(vectors ? k * k : 0);
      int64_t* order = part.template take<int64_t>(k);
      double* d = values->as<double>() + i * k;
      if (!finite(given.at, rows * cols)) {
        __atomic_store_n(&failed, i, __ATOMIC_RELAXED);
        __atomic_store_n(&bad_input, true, __ATOMIC_RELAXED);
        return;
      }
      assign(work, wide ? given.t() : given);
      if (wide) conjugate(work);
      const double scale = balancing_power(largest(work.at, s.m * s.n));
      for (int64_t j = 0; j < s.m * s.n; j++) work.at[j] *= T(scale);
      if (!decompose(s, work, d, left, right, part)) {
        __atomic_store_n(&failed, i, __ATOMIC_RELAXED);
        return;
      }
      for (int64_t j = 0; j < k; j++) {
        d[j] /= scale;
        order[j] = j;
      }
      std::sort(order, order + k, [&](int64_t x, int64_t y) { return d[x] != d[y] ? d[x] > d[y] : x < y; });
      if (vectors) {
        // Rows of `left` and `right` are columns of the long and of the short side's vectors.
        const Mat<T> big = dense(left, s.columns, s.m), small = dense(right, k, k);
        const Mat<T> to_u = dense(u->as<T>() + i * rows * u_cols, rows, u_cols);
        const Mat<T> to_v = dense(vh->as<T>() + i * v_rows * cols, v_rows, cols);
        for (int64_t j = 0; j < s.columns; j++) {
          const int64_t from = j < k ? order[j] : j;
          if (wide)
            assign(to_v.rows_from(j, 1), big.rows_from(from, 1));
          else
            assign(to_u.cols_from(j, 1), big.rows_from(from, 1).t());
        }
        for (int64_t j = 0; j < k; j++) {
          if (wide)
            assign(to_u.cols_from(j, 1), small.rows_from(order[j], 1).t());
          else
            assign(to_v.rows_from(j, 1), small.rows_from(order[j], 1));
        }
        conjugate(to_v);
      }
      std::sort(d, d + k, [](double x, double y) { return x > y; });
    });
  });
  if (failed >= 0) {
    const std::string where = batch.sizes.size() ? "(Batch element " + std::to_string(failed) + "): " : "";
    if (bad_input)
      fail(Kind::Runtime,
           "linalg.svd: %sThe algorithm failed to converge because the input matrix contained non-finite values.",
           where.c_str());
    fail(Kind::Runtime,
         "linalg.svd: %sThe algorithm failed to converge because the input matrix is ill-conditioned or has too many "
         "repeated singular values (error code: %lld).",
         where.c_str(), static_cast<long long>(k > 1 ? k - 1 : 1));
  }
  const DType real = a.dtype == DType::F32 || a.dtype == DType::C64 ? DType::F32 : DType::F64;
  if (vectors) call.result(contiguous(*u, a.dtype));
  call.result(contiguous(*values, real));
  if (vectors) call.result(contiguous(*vh, a.dtype));
}

}  // namespace
}  // namespace flambeau::linalg
