// Eigenvalues and eigenvectors of general matrices, from their Schur forms. In double precision.
#include "ops/linalg_schur.h"

namespace flambeau::linalg {
namespace {

using C = Cx<double>;

// The eigenvalues on the diagonal of a Schur form; pairs from a real block of two, the positive imaginary part first.
void values_of(const Mat<double>& t, C* w) {
  for (int64_t i = 0; i < t.rows; i++) {
    if (i + 1 == t.rows || t(i + 1, i) == 0) {
      w[i] = C(t(i, i));
      continue;
    }
    const double p = (t(i, i) - t(i + 1, i + 1)) / 2, q = p * p + t(i, i + 1) * t(i + 1, i);
    const double centre = t(i + 1, i + 1) + p, size = std::sqrt(std::fabs(q));
    w[i] = C(centre, size);
    w[i + 1] = C(centre, -size);
    i++;
  }
}
void values_of(const Mat<C>& t, C* w) {
  for (int64_t i = 0; i < t.rows; i++) w[i] = t(i, i);
}

C wide(double x) { return C(x); }
C wide(C x) { return x; }

// x[0..top] solves (T - w I) x = -r on a Schur form whose blocks of two are told by its subdiagonal; x holds r on
// entry. A pivot that vanishes (a repeated eigenvalue) is replaced by `least`; what grows is scaled, with x[..last].
template <class T>
void substitute_back(const Mat<T>& t, C w, C* x, int64_t top, int64_t last, double least) {
  const auto pivot = [&](C p) { return size1(p) < least ? C(least) : p; };
  const auto subtract = [&](int64_t column, int64_t rows) {
    const C factor = x[column];
    for (int64_t i = 0; i < rows; i++) x[i] += wide(t(i, column)) * factor;
  };
  for (int64_t i = top; i >= 0;) {
    const bool pair = !is_cx<T> && i > 0 && t(i, i - 1) != T(0);
    if (!pair) {
      x[i] = -x[i] / pivot(wide(t(i, i)) - w);
    } else {
      const C a = wide(t(i - 1, i - 1)) - w, b = wide(t(i - 1, i)), c = wide(t(i, i - 1)), d = wide(t(i, i)) - w;
      // Elimination, the larger element of the first column first: Cramer's rule is not accurate near singular blocks.
      const bool swapped = size1(c) > size1(a);
      const C head = pivot(swapped ? c : a), right = swapped ? d : b;
      const C factor = (swapped ? a : c) / head;
      const C r = swapped ? -x[i] : -x[i - 1], s = swapped ? -x[i - 1] : -x[i];
      x[i] = (s - factor * r) / pivot((swapped ? b : d) - factor * right);
      x[i - 1] = (r - right * x[i]) / head;
    }
    const int64_t first = pair ? i - 1 : i;
    const double size = std::max(size1(x[i]), size1(x[first]));
    if (size > 1e100) {
      for (int64_t j = 0; j <= last; j++) x[j] *= C(1 / size);
    }
    subtract(i, first);
    if (pair) subtract(i - 1, first);
    i = first - 1;
  }
}

// Column k of `vectors` [n, n]: the eigenvector of T for w[k] in the basis of Z.
template <class T>
void vector_of(const Mat<T>& t, const C* w, int64_t k, C* x, double least) {
  const int64_t n = t.rows;
  std::fill(x, x + n, C());
  const bool pair = !is_cx<T> && k + 1 < n && t(k + 1, k) != T(0);
  if (!pair) {
    x[k] = C(1);
    for (int64_t i = 0; i < k; i++) x[i] = wide(t(i, k));
    return substitute_back(t, w[k], x, k - 1, k, least);
  }
  // (T_22 - w) (x_k, x_k+1) = 0 for the block of two; the larger of two equal answers.
  const C a = wide(t(k, k)) - w[k], b = wide(t(k, k + 1)), c = wide(t(k + 1, k)), d = wide(t(k + 1, k + 1)) - w[k];
  if (size1(b) >= size1(c)) {
    x[k] = C(1);
    x[k + 1] = -a / b;
  } else {
    x[k] = -d / c;
    x[k + 1] = C(1);
  }
  for (int64_t i = 0; i < k; i++) x[i] = wide(t(i, k)) * x[k] + wide(t(i, k + 1)) * x[k + 1];
  substitute_back(t, w[k], x, k - 1, k + 1, least);
}

// v = D Z x, of length one, its largest element real (as LAPACK's geev gives complex vectors).
void normalize(C* v, int64_t n, const double* d, bool real) {
  double most = 0;
  for (int64_t i = 0; i < n; i++) {
    v[i] *= C(d[i]);
    most = std::max(most, modulus(v[i]));
  }
  if (!(most > 0) || !std::isfinite(most)) return;
  double sum = 0;
  int64_t at = 0;
  for (int64_t i = 0; i < n; i++) {
    v[i] *= C(1 / most);
    sum += norm2(v[i]);
    if (norm2(v[i]) > norm2(v[at])) at = i;
  }
  const double length = std::sqrt(sum);
  const C turn = real ? C(1 / length) : conj(v[at]) * C(1 / (modulus(v[at]) * length));
  for (int64_t i = 0; i < n; i++) v[i] *= turn;
  if (!real) v[at].im = 0;
}

// linalg_eig(a, vectors) -> values [.., n] (complex), and vectors as columns [.., n, n] if asked for
FLAMBEAU_OP(linalg_eig, OnMeta::Serve) {
  const Tensor& a = call.tensor();
  const bool vectors = call.flag();
  check_square("linalg.eig", a);
  const Batch batch(a, 2);
  const int64_t n = a.sizes[a.ndim() - 1];
  Ref values = empty(batch.with({n}), DType::C128);
  Ref v = vectors ? empty(batch.with({n, n}), DType::C128) : Ref();
  int64_t failed = -1;
  bool bad_input = false;
  by_wide_type("linalg_eig", a.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Ref work = fresh(a, Traits<T>::dtype);
    const int64_t room = Room::bytes<T>(n * n) + Room::bytes<T>(n) + Room::bytes<T>(apply_q_room<T>(n, n)) +
                         Room::bytes<double>(n) + 3 * Room::bytes<C>(vectors ? n * n : 0);
    for_each_in_room(batch.count, 20 * cost(n, n, n), room, [&](int64_t i, char* space) {
      Room part(space);
      const Mat<T> t = dense(work->as<T>() + i * n * n, n, n);
      T* zt = part.template take<T>(n * n);
      T* tau = part.template take<T>(n);
      T* q_room = part.template take<T>(apply_q_room<T>(n, n));
      double* d = part.template take<double>(n);
      C* w = values->as<C>() + i * n;
      if (!finite(t.at, n * n)) {
        __atomic_store_n(&failed, i, __ATOMIC_RELAXED);
        __atomic_store_n(&bad_input, true, __ATOMIC_RELAXED);
        return;
      }
      const double scale = balancing_power(largest(t.at, n * n));
      for (int64_t k = 0; k < n * n; k++) t.at[k] *= T(scale);
      balance(t, d);
      reduce_to_hessenberg(t, vectors ? zt : nullptr, tau, q_room);
      if (!schur(t, vectors ? zt : nullptr)) {
        __atomic_store_n(&failed, i, __ATOMIC_RELAXED);
        return;
      }
      values_of(t, w);
      if (vectors) {
        double size = 0;
        for (int64_t k = 0; k < n * n; k++) size = std::max(size, size1(t.at[k]));
        const double least = std::max(size * std::numeric_limits<double>::epsilon(), 1e-290);
        // Row k of x is the eigenvector for w[k] in the basis of Z: v^T = x Z^T.
        const Mat<C> x = dense(part.template take<C>(n * n), n, n);
        const Mat<C> z = dense(part.template take<C>(n * n), n, n);
        const Mat<C> vt = dense(part.template take<C>(n * n), n, n);
        const auto conjugate_of_last = [&](int64_t k) { return !is_cx<T> && k > 0 && w[k].im < 0; };
        for (int64_t k = 0; k < n; k++)
          if (!conjugate_of_last(k))
            vector_of(t, w, k, x.at + k * n, least);
          else
            std::fill(x.at + k * n, x.at + (k + 1) * n, C());
        for (int64_t k = 0; k < n * n; k++) z.at[k] = wide(zt[k]);
        multiply(1, x, z, 0, vt);
        const Mat<C> to = dense(v->as<C>() + i * n * n, n, n);
        for (int64_t k = 0; k < n; k++) {
          C* row = vt.at + k * n;
          if (conjugate_of_last(k))
            for (int64_t j = 0; j < n; j++) row[j] = conj(row[j - n]);
          else
            normalize(row, n, d, !is_cx<T> && w[k].im == 0);
          for (int64_t j = 0; j < n; j++) to(j, k) = row[j];
        }
      }
      for (int64_t k = 0; k < n; k++) w[k] *= C(1 / scale);
    });
  });
  FLAMBEAU_CHECK(!bad_input, Kind::Runtime, "torch.linalg.eig: input tensor should not contain infs or NaNs.");
  FLAMBEAU_CHECK(
      failed < 0, Kind::Runtime,
      "linalg.eig: %sThe algorithm failed to converge because the input matrix is ill-conditioned or has too "
      "many repeated eigenvalues (error code: %lld).",
      batch.sizes.size() ? ("(Batch element " + std::to_string(failed) + "): ").c_str() : "",
      static_cast<long long>(n));
  const DType type = a.dtype == DType::F32 || a.dtype == DType::C64 ? DType::C64 : DType::C128;
  call.result(contiguous(*values, type));
  if (vectors) call.result(contiguous(*v, type));
}

}  // namespace
}  // namespace flambeau::linalg
