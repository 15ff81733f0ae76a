// QR factorizations in LAPACK's form, and the orthogonal matrices that their reflections make.
#include "ops/linalg.h"

namespace flambeau::linalg {
namespace {

void check_reflections(const char* name, const Tensor& qr, const Tensor& tau) {
  check_matrices(name, qr);
  const Batch batch(qr, 2);
  FLAMBEAU_CHECK(tau.ndim() >= 1 && Batch(tau, 1).sizes == batch.sizes && tau.dtype == qr.dtype &&
                     tau.sizes[tau.ndim() - 1] <= qr.sizes[qr.ndim() - 1] &&
                     tau.sizes[tau.ndim() - 1] <= qr.sizes[qr.ndim() - 2],
                 Kind::Runtime, "%s: the reflections %s and tau %s do not fit", name, show(qr.sizes).c_str(),
                 show(tau.sizes).c_str());
}

// linalg_geqrf(a) -> R and reflections [.., m, n], tau [.., min(m, n)]
FLAMBEAU_OP(linalg_geqrf, OnMeta::Serve) {
  const Tensor& a = call.tensor();
  check_matrices("torch.geqrf", a);
  const Batch batch(a, 2);
  const int64_t m = a.sizes[a.ndim() - 2], n = a.sizes[a.ndim() - 1], k = std::min(m, n);
  Ref qr = fresh(a, a.dtype);
  Ref tau = empty(batch.with({k}), a.dtype);
  by_type("geqrf_cpu", a.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_in_room(
        batch.count, 2 * cost(m, n, k), Room::bytes<T>(factor_qr_room<T>(m, n)), [&](int64_t i, char* room) {
          factor_qr(dense(qr->as<T>() + i * m * n, m, n), tau->as<T>() + i * k, reinterpret_cast<T*>(room));
        });
  });
  call.result(qr);
  call.result(tau);
}

// linalg_make_q(qr, tau, columns) -> the first columns of Q: [.., m, columns]
FLAMBEAU_OP(linalg_make_q, OnMeta::Serve) {
  const Tensor& given = call.tensor();
  const Tensor& factors = call.tensor();
  const int64_t columns = call.integer();
  check_reflections("linalg.householder_product", given, factors);
  const Batch batch(given, 2);
  const int64_t m = given.sizes[given.ndim() - 2], n = given.sizes[given.ndim() - 1];
  const int64_t k = factors.sizes[factors.ndim() - 1];
  FLAMBEAU_CHECK(columns >= k && columns <= m, Kind::Runtime,
                 "linalg.householder_product: cannot make %lld columns from %lld reflections of %lld rows",
                 static_cast<long long>(columns), static_cast<long long>(k), static_cast<long long>(m));
  const Ref qr = contiguous(given);
  const Ref tau = contiguous(factors);
  Ref q = empty(batch.with({m, columns}), given.dtype);
  by_type("linalg_make_q", given.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_in_room(batch.count, 2 * cost(m, columns, k), Room::bytes<T>(apply_q_room<T>(m, columns)),
                     [&](int64_t i, char* room) {
                       make_q(dense(qr->as<T>() + i * m * n, m, n).cols_from(0, k), tau->as<T>() + i * k, k,
                              dense(q->as<T>() + i * m * columns, m, columns), reinterpret_cast<T*>(room));
                     });
  });
  call.result(q);
}

// linalg_ormqr(qr, tau, c, left, transpose) -> Q c, Q^H c, c Q or c Q^H; all with the same batch
FLAMBEAU_OP(linalg_ormqr, OnMeta::Serve) {
  const Tensor& given = call.tensor();
  const Tensor& factors = call.tensor();
  const Tensor& other = call.tensor();
  const bool left = call.flag();
  const bool transpose = call.flag();
  check_reflections("torch.ormqr", given, factors);
  const Batch batch(given, 2);
  const int64_t m = given.sizes[given.ndim() - 2], n = given.sizes[given.ndim() - 1];
  const int64_t k = factors.sizes[factors.ndim() - 1];
  const int64_t rows = other.sizes[other.ndim() - 2], columns = other.sizes[other.ndim() - 1];
  FLAMBEAU_CHECK(Batch(other, 2).sizes == batch.sizes && other.dtype == given.dtype && (left ? rows : columns) == m,
                 Kind::Runtime, "torch.ormqr: the reflections %s and other %s do not fit", show(given.sizes).c_str(),
                 show(other.sizes).c_str());
  const Ref qr = contiguous(given);
  const Ref tau = contiguous(factors);
  Ref out = fresh(other, other.dtype);
  by_type("ormqr_cpu", given.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t across = left ? columns : rows;
    for_each_in_room(batch.count, 2 * cost(m, across, k), Room::bytes<T>(apply_q_room<T>(m, across)),
                     [&](int64_t i, char* room) {
                       const Mat<T> q = dense(qr->as<T>() + i * m * n, m, n).cols_from(0, k);
                       const Mat<T> c = dense(out->as<T>() + i * rows * columns, rows, columns);
                       T* work = reinterpret_cast<T*>(room);
                       if (left) return apply_q(q, tau->as<T>() + i * k, c, transpose, work);
                       // (c Q)^T = Q^T c^T, which is the conjugate of Q^H conj(c)^T.
                       conjugate(c);
                       apply_q(q, tau->as<T>() + i * k, c.t(), !transpose, work);
                       conjugate(c);
                     });
  });
  call.result(out);
}

}  // namespace
}  // namespace flambeau::linalg
