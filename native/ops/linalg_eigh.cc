// Eigenvalues and eigenvectors of symmetric and Hermitian matrices: reduction to tridiagonal form, then implicit QL
// (Golub and Van Loan, Matrix Computations, 8.3). In double precision.
#include "ops/linalg_rotate.h"

namespace flambeau::linalg {
namespace {

// Rows from which matrix-vector products use the threads.
constexpr int64_t kWide = 256;

template <class F>
void over_rows(int64_t n, const F& fn) {
  if (n < kWide) return fn(0, n);
  parallel(0, n, 64, fn);
}

// Hermitian a (both triangles) = Q T Q^H. T's diagonal goes to d, what is beside it to e; reflections stay below the
// diagonal of a. room: 3 n elements.
template <class T>
void tridiagonalize(const Mat<T>& a, double* d, double* e, T* tau, T* room) {
  const int64_t n = a.rows;
  T* v = room;
  T* p = room + n;
  for (int64_t k = 0; k + 1 < n; k++) {
    const int64_t m = n - k - 1;
    const Mat<T> rest = a.block(k + 1, k + 1, m, m);
    T* column = a.at + (k + 2) * a.rs + k;
    tau[k] = reflection(a(k + 1, k), column, m - 1, a.rs);
    d[k] = re(a(k, k));
    e[k] = re(a(k + 1, k));
    // H^H A H with H = I - tau v v^H: p = A v, w = tau (p - (tau' v^H p / 2) v), A -= w v^H + v w^H.
    if (tau[k] == T(0)) continue;
    v[0] = T(1);
    for (int64_t i = 1; i < m; i++) v[i] = column[(i - 1) * a.rs];
    over_rows(m, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const T* row = rest.at + i * rest.rs;
        T sum = 0;
        for (int64_t j = 0; j < m; j++) sum += row[j] * v[j];
        p[i] = sum;
      }
    });
    T dot = 0;
    for (int64_t i = 0; i < m; i++) dot += conj(v[i]) * p[i];
    const T half = T(0.5) * tau[k] * conj(tau[k]) * dot;
    for (int64_t i = 0; i < m; i++) p[i] = tau[k] * p[i] - half * v[i];
    over_rows(m, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        T* row = rest.at + i * rest.rs;
        const T x = v[i], y = p[i];
        for (int64_t j = 0; j < m; j++) row[j] -= x * conj(p[j]) + y * conj(v[j]);
      }
    });
  }
  if (n > 0) d[n - 1] = re(a(n - 1, n - 1));
}

// The eigenvalues of a symmetric tridiagonal matrix into d, its eigenvectors' rotations into `turns`; false where the
// iteration does not settle. d: n, e: n (the last is scratch).
bool iterate(int64_t n, double* d, double* e, Rotations& turns) {
  const double eps = std::numeric_limits<double>::epsilon();
  if (n > 0) e[n - 1] = 0;
  for (int64_t l = 0; l < n; l++) {
    for (int64_t round = 0;; round++) {
      int64_t m = l;
      while (m + 1 < n && std::fabs(e[m]) > eps * (std::fabs(d[m]) + std::fabs(d[m + 1]))) m++;
      if (m == l) break;
      if (round == 60) return false;
      // Wilkinson's shift, chased from the bottom of the block to its top.
      double g = (d[l + 1] - d[l]) / (2 * e[l]);
      g = d[m] - d[l] + e[l] / (g + std::copysign(std::hypot(g, 1.0), g));
      double s = 1, c = 1, p = 0;
      int64_t i = m - 1;
      for (; i >= l; i--) {
        const double f = s * e[i], b = c * e[i];
        double r = std::hypot(f, g);
        e[i + 1] = r;
        if (r == 0) {
          // The matrix has split: start over on its parts.
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        turns.add(i, i + 1, c, -s);
      }
      if (i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  turns.apply();
  return true;
}

// linalg_eigh(a, upper, vectors) -> values ascending [.., n] (real), and vectors as columns [.., n, n] if asked for
FLAMBEAU_OP(linalg_eigh, OnMeta::Serve) {
  const Tensor& a = call.tensor();
  const bool upper = call.flag();
  const bool vectors = call.flag();
  check_square("linalg.eigh", a);
  const Batch batch(a, 2);
  const int64_t n = a.sizes[a.ndim() - 1];
  Ref values = empty(batch.with({n}), DType::F64);
  Ref turned, v;
  int64_t failed = -1;
  by_wide_type("linalg_eigh", a.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Ref work = fresh(a, Traits<T>::dtype);
    if (vectors) {
      turned = empty(batch.with({n, n}), Traits<T>::dtype);
      v = empty(batch.with({n, n}), Traits<T>::dtype);
    }
    const int64_t room = Room::bytes<T>(4 * n) + Room::bytes<double>(n) + Room::bytes<int64_t>(n) +
                         Room::bytes<T>(apply_q_room<T>(n, n)) + Room::bytes<T>(n * n) + Room::bytes<Rotations>(1);
    for_each_in_room(batch.count, 10 * cost(n, n, n), room, [&](int64_t i, char* space) {
      Room part(space);
      const Mat<T> m = dense(work->as<T>() + i * n * n, n, n);
      T* tau = part.template take<T>(4 * n);
      double* d = values->as<double>() + i * n;
      double* e = part.template take<double>(n);
      int64_t* order = part.template take<int64_t>(n);
      T* q_room = part.template take<T>(apply_q_room<T>(n, n));
      T* q_at = part.template take<T>(n * n);
      auto* turns = part.template take<Rotations>(1);
      for (int64_t r = 0; r < n; r++) {
        m(r, r) = re(m(r, r));
        for (int64_t c = 0; c < r; c++) {
          if (upper)
            m(r, c) = conj(m(c, r));
          else
            m(c, r) = conj(m(r, c));
        }
      }
      if (!finite(m.at, n * n)) {
        __atomic_store_n(&failed, i, __ATOMIC_RELAXED);
        return;
      }
      const double scale = balancing_power(largest(m.at, n * n));
      for (int64_t k = 0; k < n * n; k++) m.at[k] *= T(scale);
      tridiagonalize(m, d, e, tau, tau + n);
      double* rows = nullptr;
      if (vectors) {
        // Rows of `turned` are columns of Q, then of the eigenvectors.
        const Mat<T> q = dense(q_at, n, n);
        identity(q);
        if (n > 1) make_q(m.block(1, 0, n - 1, n - 1), tau, n - 1, q.block(1, 1, n - 1, n - 1), q_room);
        const Mat<T> to = dense(turned->as<T>() + i * n * n, n, n);
        assign(to, q.t());
        rows = reinterpret_cast<double*>(to.at);
      }
      new (turns) Rotations(rows, n * static_cast<int64_t>(sizeof(T) / sizeof(double)));
      if (!iterate(n, d, e, *turns)) {
        __atomic_store_n(&failed, i, __ATOMIC_RELAXED);
        return;
      }
      for (int64_t k = 0; k < n; k++) {
        d[k] /= scale;
        order[k] = k;
      }
      std::sort(order, order + n, [&](int64_t x, int64_t y) { return d[x] < d[y]; });
      if (vectors) {
        const Mat<T> from = dense(turned->as<T>() + i * n * n, n, n), to = dense(v->as<T>() + i * n * n, n, n);
        for (int64_t k = 0; k < n; k++) assign(to.cols_from(k, 1), from.rows_from(order[k], 1).t());
      }
      std::sort(d, d + n);
    });
  });
  FLAMBEAU_CHECK(
      failed < 0, Kind::Runtime,
      "linalg.eigh: %sThe algorithm failed to converge because the input matrix is ill-conditioned or has too "
      "many repeated eigenvalues (error code: %lld).",
      batch.sizes.size() ? ("(Batch element " + std::to_string(failed) + "): ").c_str() : "",
      static_cast<long long>(n > 1 ? n - 1 : 1));
  const DType real = a.dtype == DType::F32 || a.dtype == DType::C64 ? DType::F32 : DType::F64;
  call.result(contiguous(*values, real));
  if (vectors) call.result(contiguous(*v, a.dtype));
}

}  // namespace
}  // namespace flambeau::linalg
