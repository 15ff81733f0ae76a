// Draws that depend on their operand's values: dropout, multinomial, binomial.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/kernels.h"
#include "ops/random_source.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

// dropout(generator, x, keep, scale) -> x * scale where it is kept and x * 0 elsewhere, and the mask. What is kept is
// drawn as bernoulli_(keep) draws it, in the order of x in memory; `scale` is rounded to x's type.
FLAMBEAU_OP(dropout, OnMeta::Free) {
  const Source g(call);
  const Tensor& x = call.tensor();
  const double keep = call.number(), factor = call.number();
  FLAMBEAU_CHECK(keep >= 0 && keep <= 1, Kind::Runtime, "dropout probability has to be between 0 and 1, but got %g",
                 1 - keep);
  FLAMBEAU_CHECK(is_float(x.dtype) || is_complex(x.dtype), Kind::Runtime,
                 "result type Float can't be cast to the desired output type %s", scalar_name(x.dtype));
  const DType dtype = dtype_of(compute_of(x.dtype));
  const Dims strides = preserved_strides(x);
  int order[kMaxDims];
  memory_order(x.sizes, strides, order);
  const Dims sizes = permuted(x.sizes, order);
  const Ref from = contiguous(*view_of(x, sizes, permuted(x.strides, order), x.offset), dtype);
  Ref out = empty(sizes, dtype);
  Ref mask = empty(sizes, DType::Bool);
  const uint8_t* bits = mask->as<uint8_t>();
  double scale = factor;
  if (!dry_run()) {
    fill_bernoulli(*g, DType::Bool, mask->data(), x.numel, keep);
    if (x.dtype == DType::F16 || x.dtype == DType::BF16) {
      uint16_t rounded;
      kernels().convert.convert(DType::F64, x.dtype, 1, &factor, &rounded);
      kernels().convert.convert(x.dtype, DType::F64, 1, &rounded, &scale);
    }
  }
  by_compute(compute_of(dtype), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_integral_v<T>) {
      const T* in = from->as<T>();
      T* to = out->as<T>();
      parallel(0, x.numel, 32 * 1024, [&](int64_t begin, int64_t end) {
        T s;
        if constexpr (is_complex_type<T>)
          s = T(static_cast<typename T::value_type>(scale));
        else
          s = static_cast<T>(scale);
        // A product with zero, not a zero: what is no number stays none.
        for (int64_t i = begin; i < end; i++) to[i] = in[i] * (bits[i] ? s : T(0));
      });
    }
  });
  const Ref result = contiguous(*out, x.dtype);
  call.result(view_of(*result, x.sizes, strides, 0));
  call.result(view_of(*mask, x.sizes, strides, 0));
}

// multinomial(generator, p [rows, n] or [n], count) -> positions drawn with replacement, by their cumulated weights
FLAMBEAU_OP(multinomial, OnMeta::Free) {
  const Source g(call);
  const Tensor& p = call.tensor();
  const int64_t count = call.integer();
  const int64_t n = p.sizes[p.ndim() - 1];
  const int64_t rows = p.ndim() == 1 ? 1 : p.sizes[0];
  const Ref weights = contiguous(p, DType::F64);
  Ref out = empty(p.ndim() == 1 ? Dims{count} : Dims{rows, count}, DType::I64);
  if (dry_run()) return call.result(std::move(out));
  Ref sums = empty(Dims{n}, DType::F64);
  double* cumulated = sums->as<double>();
  for (int64_t r = 0; r < rows; r++) {
    double total = 0;
    for (int64_t i = 0; i < n; i++) cumulated[i] = total += weights->as<double>()[r * n + i];
    for (int64_t i = 0; i < n; i++) cumulated[i] /= total;
    // The last position with any weight takes what rounding left above the sum.
    int64_t last = n - 1;
    while (last > 0 && weights->as<double>()[r * n + last] == 0) last--;
    for (int64_t k = 0; k < count; k++) {
      const double u = g->uniform();
      const int64_t at = std::upper_bound(cumulated, cumulated + n, u) - cumulated;
      out->as<int64_t>()[r * count + k] = std::min(at, last);
    }
  }
  call.result(std::move(out));
}

// The part of Stirling's series for log k! that is left after the leading terms.
double stirling_tail(double k) {
  static const double table[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
                                 0.0166446911898211,  0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
                                 0.00925546218271273, 0.00833056343336287};
  if (k <= 9) return table[static_cast<int>(k)];
  const double q = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / q) / q) / (k + 1);
}

// Transformed rejection with squeeze, algorithm BTRS of Hormann (1993); for n p >= 10, p <= 1/2.
double binomial_by_rejection(Generator& g, double n, double p) {
  const double spread = std::sqrt(n * p * (1 - p));
  const double b = 1.15 + 2.53 * spread;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = n * p + 0.5;
  const double v_r = 0.92 - 4.2 / b;
  const double r = p / (1 - p);
  const double alpha = (2.83 + 5.1 / b) * spread;
  const double m = std::floor((n + 1) * p);
  for (;;) {
    const double u = g.uniform() - 0.5;
    double v = g.uniform();
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || k > n) continue;
    v = std::log(v * alpha / (a / (us * us) + b));
    const double bound = (m + 0.5) * std::log((m + 1) / (r * (n - m + 1))) +
                         (n + 1) * std::log((n - m + 1) / (n - k + 1)) +
                         (k + 0.5) * std::log(r * (n - k + 1) / (k + 1)) + stirling_tail(m) + stirling_tail(n - m) -
                         stirling_tail(k) - stirling_tail(n - k);
    if (v <= bound) return k;
  }
}

// Sums geometric gaps between successes; for small n p.
double binomial_by_gaps(Generator& g, double n, double p) {
  const double base = std::log1p(-p);
  double successes = 0, trials = 0;
  for (;;) {
    trials += std::ceil(std::log(g.uniform()) / base);
    if (trials > n) return successes;
    successes++;
  }
}

double draw_binomial(Generator& g, double n, double p) {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p <= 0.5) return n * p >= 10 ? binomial_by_rejection(g, n, p) : binomial_by_gaps(g, n, p);
  const double q = 1 - p;
  if (n * q >= 10) return n - binomial_by_rejection(g, n, q);
  return q > 0 ? n - binomial_by_gaps(g, n, q) : n;
}

// binomial(generator, count, p): of one size and type
FLAMBEAU_OP(binomial, OnMeta::Free) {
  const Source g(call);
  const Tensor& count = call.tensor();
  const Tensor& p = call.tensor();
  FLAMBEAU_CHECK(is_float(count.dtype), Kind::Runtime, "\"binomial_cpu\" not implemented for '%s'",
                 scalar_name(count.dtype));
  FLAMBEAU_CHECK(count.sizes == p.sizes, Kind::Runtime, "binomial: count and prob differ in size");
  if (dry_run()) return call.result(empty(count.sizes, count.dtype));
  const Ref trials = contiguous(count, DType::F64);
  const Ref chances = contiguous(p, DType::F64);
  for (int64_t i = 0; i < trials->numel; i++) {
    const double n = trials->as<double>()[i], q = chances->as<double>()[i];
    FLAMBEAU_CHECK(std::isfinite(n) && n >= 0 && q >= 0 && q <= 1, Kind::Runtime,
                   "binomial: count must be non-negative and prob in [0, 1], but got count=%g prob=%g", n, q);
  }
  Ref out = empty(count.sizes, DType::F64);
  for (int64_t i = 0; i < out->numel; i++)
    out->as<double>()[i] = draw_binomial(*g, trials->as<double>()[i], chances->as<double>()[i]);
  call.result(contiguous(*out, count.dtype));
}

}  // namespace
}  // namespace flambeau
