// LU factorization with partial pivoting, and the systems that it solves.
#include "ops/linalg.h"

namespace flambeau::linalg {
namespace {

// Column by column: for panels of at most this many columns.
constexpr int64_t kColumns = 8;

template <class T>
void swap_rows(const Mat<T>& a, int64_t i, int64_t j) {
  if (i == j) return;
  for (int64_t c = 0; c < a.cols; c++) std::swap(a(i, c), a(j, c));
}

template <class T>
int32_t factor_panel(const Mat<T>& a, int32_t* pivots) {
  const int64_t k = std::min(a.rows, a.cols);
  int32_t info = 0;
  for (int64_t j = 0; j < k; j++) {
    int64_t best = j;
    for (int64_t i = j + 1; i < a.rows; i++)
      if (size1(a(i, j)) > size1(a(best, j))) best = i;
    pivots[j] = static_cast<int32_t>(best + 1);
    if (a(best, j) == T(0)) {
      if (info == 0) info = static_cast<int32_t>(j + 1);
      continue;
    }
    swap_rows(a, j, best);
    for (int64_t i = j + 1; i < a.rows; i++) {
      const T factor = a(i, j) = a(i, j) / a(j, j);
      for (int64_t c = j + 1; c < a.cols; c++) a(i, c) -= factor * a(j, c);
    }
  }
  return info;
}

}  // namespace

template <class T>
void exchange_rows(const Mat<T>& b, const int32_t* pivots, int64_t n, bool back) {
  for (int64_t step = 0; step < n; step++) {
    const int64_t i = back ? n - 1 - step : step;
    swap_rows(b, i, static_cast<int64_t>(pivots[i]) - 1);
  }
}

// By halves of the columns (Toledo, Locality of reference in LU decomposition): most work is in products.
template <class T>
int32_t factor_lu(const Mat<T>& a, int32_t* pivots) {
  const int64_t k = std::min(a.rows, a.cols);
  if (k <= kColumns) return factor_panel(a, pivots);
  const int64_t h = k > 2 * kColumns ? (k / 2 + 7) / 8 * 8 : kColumns;
  const Mat<T> left = a.cols_from(0, h), right = a.cols_from(h, a.cols - h);
  const Mat<T> top = right.rows_from(0, h), rest = right.rows_from(h, a.rows - h);
  int32_t info = factor_lu(left, pivots);
  exchange_rows(right, pivots, h, false);
  solve_triangular(left.rows_from(0, h), top, false, true);
  multiply(-1, left.rows_from(h, a.rows - h), top, 1, rest);
  const int32_t later = factor_lu(rest, pivots + h);
  exchange_rows(left.rows_from(h, a.rows - h), pivots + h, k - h, false);
  for (int64_t i = h; i < k; i++) pivots[i] += static_cast<int32_t>(h);
  if (info == 0 && later != 0) info = later + static_cast<int32_t>(h);
  return info;
}

#define FLAMBEAU_LU(T)                                 \
  template int32_t factor_lu(const Mat<T>&, int32_t*); \
  template void exchange_rows(const Mat<T>&, const int32_t*, int64_t, bool);
FLAMBEAU_LU(float)
FLAMBEAU_LU(double)
FLAMBEAU_LU(Cx<float>)
FLAMBEAU_LU(Cx<double>)
#undef FLAMBEAU_LU

namespace {

// linalg_lu_factor(a) -> lu [.., m, n], pivots int32 [.., k], info int32 [..]
FLAMBEAU_OP(linalg_lu_factor, OnMeta::Serve) {
  const Tensor& a = call.tensor();
  check_matrices("linalg.lu_factor", a);
  const Batch batch(a, 2);
  const int64_t m = a.sizes[a.ndim() - 2], n = a.sizes[a.ndim() - 1], k = std::min(m, n);
  Ref lu = fresh(a, a.dtype);
  Ref pivots = empty(batch.with({k}), DType::I32);
  Ref info = empty(batch.sizes, DType::I32);
  by_type("linalg_lu_factor", a.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_in_room(batch.count, cost(m, n, k), 0, [&](int64_t i, char*) {
      info->as<int32_t>()[i] = factor_lu(dense(lu->as<T>() + i * m * n, m, n), pivots->as<int32_t>() + i * k);
    });
  });
  call.result(lu);
  call.result(pivots);
  call.result(info);
}

void check_pivots(const char* name, const Tensor& pivots, int64_t n) {
  const Ref flat = contiguous(pivots, DType::I32);
  for (int64_t i = 0; i < flat->numel && !dry_run(); i++) {
    const int32_t p = flat->as<int32_t>()[i];
    FLAMBEAU_CHECK(p >= 1 && p <= n, Kind::Runtime,
                   "%s: Pivots given to lu_solve must all be greater or equal to 1 and at most %lld. "
                   "Did you properly pass the result of lu_factor?",
                   name, static_cast<long long>(n));
  }
}

// linalg_lu_solve(lu, pivots, b, adjoint) -> a^-1 b or a^-H b; all with the same batch
FLAMBEAU_OP(linalg_lu_solve, OnMeta::Serve) {
  const Tensor& given = call.tensor();
  const Tensor& pivots = call.tensor();
  const Tensor& b = call.tensor();
  const bool adjoint = call.flag();
  check_square("linalg.lu_solve", given);
  const Batch batch(given, 2);
  const int64_t n = given.sizes[given.ndim() - 1], columns = b.sizes[b.ndim() - 1];
  FLAMBEAU_CHECK(Batch(b, 2).sizes == batch.sizes && b.sizes[b.ndim() - 2] == n && b.dtype == given.dtype &&
                     pivots.sizes == batch.with({n}),
                 Kind::Runtime, "linalg.lu_solve: LU %s, pivots %s and B %s do not fit", show(given.sizes).c_str(),
                 show(pivots.sizes).c_str(), show(b.sizes).c_str());
  check_pivots("linalg.lu_solve", pivots, n);
  const Ref lu = contiguous(given);
  const Ref rows = contiguous(pivots, DType::I32);
  Ref x = fresh(b, b.dtype);
  by_type("linalg_lu_solve", given.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_in_room(batch.count, 2 * cost(n, n, columns), 0, [&](int64_t i, char*) {
      const Mat<T> a = dense(lu->as<T>() + i * n * n, n, n), to = dense(x->as<T>() + i * n * columns, n, columns);
      const int32_t* p = rows->as<int32_t>() + i * n;
      if (!adjoint) {
        exchange_rows(to, p, n, false);
        solve_triangular(a, to, false, true);
        solve_triangular(a, to, true, false);
      } else {
        // A^H x = b is the conjugate of A^T conj(x) = conj(b).
        conjugate(to);
        solve_triangular(a.t(), to, false, false);
        solve_triangular(a.t(), to, true, true);
        exchange_rows(to, p, n, true);
        conjugate(to);
      }
    });
  });
  call.result(x);
}

// linalg_pivots(pivots, m) -> int64 [.., m]: row i of P^T A is row p[i] of A
FLAMBEAU_OP(linalg_pivots, OnMeta::Serve) {
  const Tensor& pivots = call.tensor();
  const int64_t m = call.integer();
  FLAMBEAU_CHECK(pivots.ndim() >= 1 && pivots.sizes[pivots.ndim() - 1] <= m, Kind::Runtime,
                 "torch.lu_unpack: pivots %s do not fit matrices of %lld rows", show(pivots.sizes).c_str(),
                 static_cast<long long>(m));
  check_pivots("torch.lu_unpack", pivots, m);
  const Batch batch(pivots, 1);
  const int64_t k = pivots.sizes[pivots.ndim() - 1];
  const Ref from = contiguous(pivots, DType::I32);
  Ref order = empty(batch.with({m}), DType::I64);
  for (int64_t i = 0; i < batch.count && !dry_run(); i++) {
    int64_t* p = order->as<int64_t>() + i * m;
    for (int64_t j = 0; j < m; j++) p[j] = j;
    for (int64_t j = 0; j < k; j++) std::swap(p[j], p[from->as<int32_t>()[i * k + j] - 1]);
  }
  call.result(order);
}

// linalg_solve_triangular(a, b, upper, unit) -> a^-1 b; both with the same batch
FLAMBEAU_OP(linalg_solve_triangular, OnMeta::Serve) {
  const Tensor& given = call.tensor();
  const Tensor& b = call.tensor();
  const bool upper = call.flag();
  const bool unit = call.flag();
  check_square("linalg.solve_triangular", given);
  const Batch batch(given, 2);
  const int64_t n = given.sizes[given.ndim() - 1], columns = b.sizes[b.ndim() - 1];
  FLAMBEAU_CHECK(Batch(b, 2).sizes == batch.sizes && b.sizes[b.ndim() - 2] == n && b.dtype == given.dtype,
                 Kind::Runtime, "linalg.solve_triangular: A %s and B %s do not fit", show(given.sizes).c_str(),
                 show(b.sizes).c_str());
  const Ref a = contiguous(given);
  Ref x = fresh(b, b.dtype);
  by_type("linalg_solve_triangular", given.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_in_room(batch.count, cost(n, n, columns), 0, [&](int64_t i, char*) {
      solve_triangular(dense(a->as<T>() + i * n * n, n, n), dense(x->as<T>() + i * n * columns, n, columns), upper,
                       unit);
    });
  });
  call.result(x);
}

}  // namespace
}  // namespace flambeau::linalg
