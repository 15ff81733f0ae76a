// What the files of linear algebra share: strided matrices over the blocked matrix product, batches over threads,
// triangular systems, Householder reflections.
#pragma once
#include <algorithm>
#include <vector>

#include "ops/data.h"
#include "ops/linalg_number.h"
#include "ops/registry.h"
#include "ops/workspace.h"

namespace flambeau::linalg {

// A matrix in memory; strides count elements.
template <class T>
struct Mat {
  T* at = nullptr;
  int64_t rows = 0, cols = 0, rs = 0, cs = 1;

  T& operator()(int64_t i, int64_t j) const { return at[i * rs + j * cs]; }
  Mat block(int64_t i, int64_t j, int64_t r, int64_t c) const { return {at + i * rs + j * cs, r, c, rs, cs}; }
  Mat rows_from(int64_t i, int64_t r) const { return block(i, 0, r, cols); }
  Mat cols_from(int64_t j, int64_t c) const { return block(0, j, rows, c); }
  Mat t() const { return {at, cols, rows, cs, rs}; }
};

template <class T>
Mat<T> dense(T* at, int64_t rows, int64_t cols) {
  return {at, rows, cols, cols, 1};
}

// c = alpha a b + beta c; c overlaps neither factor.
template <class T>
void multiply(double alpha, const Mat<T>& a, const Mat<T>& b, double beta, const Mat<T>& c);

// b = a^-1 b for a triangular a, of which only that triangle is read; `unit` takes its diagonal as ones.
template <class T>
void solve_triangular(const Mat<T>& a, const Mat<T>& b, bool upper, bool unit);

template <class T>
void conjugate(const Mat<T>& a) {
  if constexpr (is_cx<T>)
    for (int64_t i = 0; i < a.rows; i++)
      for (int64_t j = 0; j < a.cols; j++) a(i, j) = conj(a(i, j));
}
template <class T>
void assign(const Mat<T>& to, const Mat<T>& from) {
  for (int64_t i = 0; i < to.rows; i++)
    for (int64_t j = 0; j < to.cols; j++) to(i, j) = from(i, j);
}
template <class T>
void identity(const Mat<T>& a) {
  for (int64_t i = 0; i < a.rows; i++)
    for (int64_t j = 0; j < a.cols; j++) a(i, j) = i == j ? T(1) : T(0);
}
template <class T>
bool finite(const T* x, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (!std::isfinite(re(x[i])) || !std::isfinite(im(x[i]))) return false;
  return true;
}
template <class T>
Real<T> largest(const T* x, int64_t n) {
  Real<T> most = 0;
  for (int64_t i = 0; i < n; i++) most = std::max(most, size1(x[i]));
  return most;
}
// The power of two whose product with a matrix of that largest element is about one; exact to apply and to undo. Keeps
// squares away from overflow and underflow.
inline double balancing_power(double most) {
  int exponent = 0;
  if (most > 0 && std::isfinite(most)) std::frexp(most, &exponent);
  return std::ldexp(1.0, std::clamp(-exponent, -1020, 1020));
}

// The elementary reflection H = I - tau v v^H, v = [1; x], with H^H [alpha; x] = [beta; 0], as LAPACK's larfg: alpha
// becomes beta, which is real, and x the rest of v. x: n elements, `step` apart.
template <class T>
T reflection(T& alpha, T* x, int64_t n, int64_t step);
// c = (I - factor v v^H) c, v = [1; x] with as many elements as c has rows. room: c.cols elements.
template <class T>
void reflect(const T* x, int64_t step, T factor, const Mat<T>& c, T* room);

// Q = H_1 ... H_k whose reflections lie below the diagonal of qr: c = Q c, or Q^H c.
template <class T>
void apply_q(const Mat<T>& qr, const T* tau, const Mat<T>& c, bool adjoint, T* room);
template <class T>
int64_t apply_q_room(int64_t rows, int64_t cols);
// a = Q R in LAPACK's form: R on and above the diagonal, reflections below it. tau: min(rows, cols).
template <class T>
void factor_qr(const Mat<T>& a, T* tau, T* room);
// Q's first columns, as many as q has; q: [qr.rows, ..].
template <class T>
void make_q(const Mat<T>& qr, const T* tau, int64_t k, const Mat<T>& q, T* room);
template <class T>
int64_t factor_qr_room(int64_t rows, int64_t cols) {
  return apply_q_room<T>(rows, cols);
}

// a = P L U with partial pivoting, in place; pivots[i] is the row (from 1) that row i was exchanged with. Returns the
// first column without a pivot (from 1), or 0.
template <class T>
int32_t factor_lu(const Mat<T>& a, int32_t* pivots);
// Exchanges rows as the pivots say, or back.
template <class T>
void exchange_rows(const Mat<T>& b, const int32_t* pivots, int64_t n, bool back);

// ------------------------------------------------------------------------------------------------- tensors as batches

// A row-major tensor of matrices that an op may overwrite: always a fresh copy.
inline Ref fresh(const Tensor& t, DType dtype) {
  Ref out = empty(t.sizes, dtype);
  copy_elements(*out, t);
  return out;
}

// The leading dimensions, and how many matrices (or vectors) they hold.
struct Batch {
  Dims sizes;
  int64_t count = 1;
  Batch(const Tensor& t, int trailing) : sizes(t.sizes.data(), t.ndim() < trailing ? 0 : t.ndim() - trailing) {
    FLAMBEAU_CHECK(t.ndim() >= trailing, Kind::Runtime, "expected a tensor of at least %d dimensions, got %s", trailing,
                   show(t.sizes).c_str());
    for (int64_t n : sizes) count *= n;
  }
  Dims with(std::initializer_list<int64_t> tail) const {
    Dims d = sizes;
    for (int64_t n : tail) d.push_back(n);
    return d;
  }
};

// Multiplications of a product of these sizes, for `for_each_in_room`.
inline double cost(int64_t m, int64_t n, int64_t k) {
  return static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

void check_matrices(const char* name, const Tensor& t);
void check_square(const char* name, const Tensor& t);

// Calls fn with a zero of the element type: float32, float64, complex64 or complex128.
template <class F>
void by_type(const char* name, DType t, const F& fn) {
  switch (t) {
    case DType::F32: return fn(float());
    case DType::F64: return fn(double());
    case DType::C64: return fn(Cx<float>());
    case DType::C128: return fn(Cx<double>());
    default: fail(Kind::Runtime, "\"%s\" not implemented for '%s'", name, scalar_name(t));
  }
}
// The same for what is computed in double precision whatever the type: decompositions by iteration, whose cost float32
// would not halve and whose accuracy it would.
template <class F>
void by_wide_type(const char* name, DType t, const F& fn) {
  by_type(name, t, [&](auto zero) {
    if constexpr (is_cx<decltype(zero)>)
      fn(Cx<double>());
    else
      fn(double());
  });
}

}  // namespace flambeau::linalg
