// Factorizations of symmetric and Hermitian matrices without iteration: Cholesky, and LDL with diagonal pivoting.
#include "ops/linalg.h"

namespace flambeau::linalg {
namespace {

constexpr int64_t kDirect = 24;

// a -= x x^H on and below the diagonal; `turned` is x^H.
template <class T>
void subtract_square(const Mat<T>& a, const Mat<T>& x, const Mat<T>& turned) {
  const int64_t n = a.rows;
  if (n <= 2 * kDirect) return multiply(-1, x, turned, 1, a);
  const int64_t h = (n / 2 + 7) / 8 * 8, rest = n - h;
  subtract_square(a.block(0, 0, h, h), x.rows_from(0, h), turned.cols_from(0, h));
  multiply(-1, x.rows_from(h, rest), turned.cols_from(0, h), 1, a.block(h, 0, rest, h));
  subtract_square(a.block(h, h, rest, rest), x.rows_from(h, rest), turned.cols_from(h, rest));
}

// a = L L^H on and below the diagonal, the rest is scratch; the order of the first minor that is not positive, or 0.
// room: half of a's elements.
template <class T>
int32_t factor(const Mat<T>& a, T* room) {
  const int64_t n = a.rows;
  if (n <= kDirect) {
    for (int64_t j = 0; j < n; j++) {
      Real<T> d = re(a(j, j));
      for (int64_t p = 0; p < j; p++) d -= static_cast<Real<T>>(re(a(j, p) * conj(a(j, p))));
      if (!(d > 0)) {
        a(j, j) = d;
        return static_cast<int32_t>(j + 1);
      }
      const Real<T> root = std::sqrt(d);
      a(j, j) = root;
      for (int64_t i = j + 1; i < n; i++) {
        T sum = a(i, j);
        for (int64_t p = 0; p < j; p++) sum -= a(i, p) * conj(a(j, p));
        a(i, j) = sum / T(root);
      }
    }
    return 0;
  }
  const int64_t h = (n / 2 + 7) / 8 * 8, rest = n - h;
  const Mat<T> a11 = a.block(0, 0, h, h), a21 = a.block(h, 0, rest, h), a22 = a.block(h, h, rest, rest);
  if (const int32_t info = factor(a11, room)) return info;
  // X L^H = A21 is the transpose of conj(L) X^T = A21^T, so L conj(X)^T = conj(A21)^T.
  conjugate(a21);
  solve_triangular(a11, a21.t(), false, false);
  Mat<T> turned = a21.t();
  if constexpr (is_cx<T>) {
    turned = dense(room, h, rest);
    assign(turned, a21.t());
    conjugate(a21);
  }
  subtract_square(a22, a21, turned);
  const int32_t info = factor(a22, room);
  return info ? info + static_cast<int32_t>(h) : 0;
}

// linalg_cholesky(a, upper) -> L (or U = L^H) with zeros in the other triangle, info int32 [..]
FLAMBEAU_OP(linalg_cholesky, OnMeta::Serve) {
  const Tensor& a = call.tensor();
  const bool upper = call.flag();
  check_square("linalg.cholesky", a);
  const Batch batch(a, 2);
  const int64_t n = a.sizes[a.ndim() - 1];
  Ref out = fresh(a, a.dtype);
  Ref info = empty(batch.sizes, DType::I32);
  by_type("linalg_cholesky", a.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_in_room(batch.count, cost(n, n, n) / 3, is_cx<T> ? Room::bytes<T>(n * n) : 0, [&](int64_t i, char* room) {
      const Mat<T> stored = dense(out->as<T>() + i * n * n, n, n);
      // A = U^H U makes A^T = U^T (U^T)^H: the upper factor is the lower one of the transpose.
      const Mat<T> lower = upper ? stored.t() : stored;
      info->as<int32_t>()[i] = factor(lower, reinterpret_cast<T*>(room));
      for (int64_t r = 0; r < n; r++)
        for (int64_t c = r + 1; c < n; c++) lower(r, c) = 0;
    });
  });
  call.result(out);
  call.result(info);
}

// A = L D L^T or L D L^H from the lower triangle, with blocks of one and two on D's diagonal (Bunch and Kaufman 1977;
// pivots as LAPACK's sytf2 and hetf2 give them: negative twice for a block of two).
template <class T>
int32_t factor_ldl(const Mat<T>& a, int32_t* pivots, bool hermitian) {
  const int64_t n = a.rows;
  const Real<T> alpha = (1 + std::sqrt(Real<T>(17))) / 8;
  const auto mirror = [&](T x) { return hermitian ? conj(x) : x; };
  const auto real_diagonal = [&](int64_t i) {
    if (hermitian) a(i, i) = re(a(i, i));
  };
  int32_t info = 0;
  for (int64_t k = 0; k < n;) {
    int64_t size = 1, other = k;
    const Real<T> here = hermitian ? std::fabs(re(a(k, k))) : size1(a(k, k));
    int64_t big = k;
    Real<T> most = 0;
    for (int64_t i = k + 1; i < n; i++)
      if (big == k || size1(a(i, k)) > most) big = i, most = size1(a(i, k));
    if (std::max(here, most) == 0 || std::isnan(here)) {
      if (info == 0) info = static_cast<int32_t>(k + 1);
      real_diagonal(k);
      pivots[k] = static_cast<int32_t>(k + 1);
      k++;
      continue;
    }
    if (here < alpha * most) {
      Real<T> row = 0;
      for (int64_t j = k; j < n; j++)
        if (j != big) row = std::max(row, size1(j < big ? a(big, j) : a(j, big)));
      const Real<T> there = hermitian ? std::fabs(re(a(big, big))) : size1(a(big, big));
      if (here >= alpha * most * (most / row))
        other = k;
      else if (there >= alpha * row)
        other = big;
      else
        other = big, size = 2;
    }
    const int64_t last = k + size - 1;
    if (other != last) {
      for (int64_t i = other + 1; i < n; i++) std::swap(a(i, last), a(i, other));
      for (int64_t j = last + 1; j < other; j++) {
        const T held = mirror(a(j, last));
        a(j, last) = mirror(a(other, j));
        a(other, j) = held;
      }
      a(other, last) = mirror(a(other, last));
      std::swap(a(last, last), a(other, other));
      if (size == 2) std::swap(a(last, k), a(other, k));
    }
    for (int64_t i = k; i <= last; i++) real_diagonal(i);
    if (size == 1) {
      const T d = a(k, k);
      for (int64_t j = k + 1; j < n; j++) {
        const T factor = mirror(a(j, k)) / d;
        for (int64_t i = j; i < n; i++) a(i, j) -= a(i, k) * factor;
        real_diagonal(j);
      }
      for (int64_t i = k + 1; i < n; i++) a(i, k) = a(i, k) / d;
    } else {
      // W = A21 D^-1 for the 2 x 2 block D = [d11, d21*; d21, d22].
      const T d11 = a(k, k), d21 = a(k + 1, k), d22 = a(k + 1, k + 1), d12 = mirror(d21);
      // Scaled by d21, the determinant neither overflows nor underflows.
      const T p = d11 / d12, q = d22 / d21, det = p * q - T(1);
      for (int64_t j = k + 2; j < n; j++) {
        const T x = a(j, k), y = a(j, k + 1);
        const T w1 = (x * q - y) / det / d12, w2 = (y * p - x) / det / d21;
        const T m1 = mirror(w1), m2 = mirror(w2);
        for (int64_t i = j; i < n; i++) a(i, j) -= a(i, k) * m1 + a(i, k + 1) * m2;
        a(j, k) = w1;
        a(j, k + 1) = w2;
        real_diagonal(j);
      }
    }
    for (int64_t i = k; i <= last; i++) pivots[i] = static_cast<int32_t>(size == 1 ? other + 1 : -(other + 1));
    k += size;
  }
  return info;
}

// linalg_ldl_factor(a, hermitian) -> LD with zeros above the diagonal, pivots int32 [.., n], info int32 [..]
FLAMBEAU_OP(linalg_ldl_factor, OnMeta::Serve) {
  const Tensor& a = call.tensor();
  const bool hermitian = call.flag();
  check_square("torch.linalg.ldl_factor_ex", a);
  const Batch batch(a, 2);
  const int64_t n = a.sizes[a.ndim() - 1];
  Ref out = fresh(a, a.dtype);
  Ref pivots = empty(batch.with({n}), DType::I32);
  Ref info = empty(batch.sizes, DType::I32);
  by_type("linalg_ldl_factor", a.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_in_room(batch.count, cost(n, n, n) / 3, 0, [&](int64_t i, char*) {
      const Mat<T> m = dense(out->as<T>() + i * n * n, n, n);
      info->as<int32_t>()[i] = factor_ldl(m, pivots->as<int32_t>() + i * n, hermitian);
      for (int64_t r = 0; r < n; r++)
        for (int64_t c = r + 1; c < n; c++) m(r, c) = 0;
    });
  });
  call.result(out);
  call.result(pivots);
  call.result(info);
}

template <class T>
void solve_ldl(const Mat<T>& a, const int32_t* pivots, const Mat<T>& b, bool hermitian) {
  const int64_t n = a.rows;
  const auto mirror = [&](T x) { return hermitian ? conj(x) : x; };
  const auto swap_rows = [&](int64_t i, int64_t j) {
    if (i != j)
      for (int64_t c = 0; c < b.cols; c++) std::swap(b(i, c), b(j, c));
  };
  for (int64_t k = 0; k < n;) {
    const int64_t size = pivots[k] > 0 || k + 1 == n ? 1 : 2, last = k + size - 1;
    swap_rows(last, std::abs(static_cast<int64_t>(pivots[k])) - 1);
    for (int64_t j = k; j <= last; j++)
      for (int64_t i = last + 1; i < n; i++)
        for (int64_t c = 0; c < b.cols; c++) b(i, c) -= a(i, j) * b(j, c);
    if (size == 1) {
      for (int64_t c = 0; c < b.cols; c++) b(k, c) = b(k, c) / a(k, k);
    } else {
      const T d21 = a(k + 1, k), d12 = mirror(d21), p = a(k, k) / d12, q = a(k + 1, k + 1) / d21, det = p * q - T(1);
      for (int64_t c = 0; c < b.cols; c++) {
        const T x = b(k, c) / d12, y = b(k + 1, c) / d21;
        b(k, c) = (q * x - y) / det;
        b(k + 1, c) = (p * y - x) / det;
      }
    }
    k += size;
  }
  for (int64_t k = n - 1; k >= 0;) {
    const int64_t size = pivots[k] > 0 || k == 0 ? 1 : 2, first = k - size + 1;
    for (int64_t j = first; j <= k; j++)
      for (int64_t i = k + 1; i < n; i++)
        for (int64_t c = 0; c < b.cols; c++) b(j, c) -= mirror(a(i, j)) * b(i, c);
    swap_rows(k, std::abs(static_cast<int64_t>(pivots[k])) - 1);
    k -= size;
  }
}

// linalg_ldl_solve(ld, pivots, b, hermitian) -> a^-1 b; all with the same batch
FLAMBEAU_OP(linalg_ldl_solve, OnMeta::Serve) {
  const Tensor& given = call.tensor();
  const Tensor& pivots = call.tensor();
  const Tensor& b = call.tensor();
  const bool hermitian = call.flag();
  check_square("torch.linalg.ldl_solve", given);
  const Batch batch(given, 2);
  const int64_t n = given.sizes[given.ndim() - 1], columns = b.sizes[b.ndim() - 1];
  FLAMBEAU_CHECK(Batch(b, 2).sizes == batch.sizes && b.sizes[b.ndim() - 2] == n && b.dtype == given.dtype &&
                     pivots.sizes == batch.with({n}),
                 Kind::Runtime, "torch.linalg.ldl_solve: LD %s, pivots %s and B %s do not fit",
                 show(given.sizes).c_str(), show(pivots.sizes).c_str(), show(b.sizes).c_str());
  const Ref ld = contiguous(given);
  const Ref rows = contiguous(pivots, DType::I32);
  for (int64_t i = 0; i < rows->numel && !dry_run(); i++) {
    const int64_t p = std::abs(static_cast<int64_t>(rows->as<int32_t>()[i]));
    FLAMBEAU_CHECK(p >= 1 && p <= n, Kind::Runtime, "torch.linalg.ldl_solve: pivot %lld is not a row of the matrix",
                   static_cast<long long>(p));
  }
  Ref x = fresh(b, b.dtype);
  by_type("linalg_ldl_solve", given.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_in_room(batch.count, 2 * cost(n, n, columns), 0, [&](int64_t i, char*) {
      solve_ldl(dense(ld->as<T>() + i * n * n, n, n), rows->as<int32_t>() + i * n,
                dense(x->as<T>() + i * n * columns, n, columns), hermitian);
    });
  });
  call.result(x);
}

}  // namespace
}  // namespace flambeau::linalg
