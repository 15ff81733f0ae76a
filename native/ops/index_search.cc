// Values to bins: searchsorted, bincount, histc.
#include <algorithm>
#include <cmath>

#include "ops/index_util.h"
#include "ops/promotion.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

// The number of leading elements of row [n] for which `before` holds; it holds for a first part of the row. Halves
// without branching: the outcome of a comparison with a random value cannot be predicted.
template <class T, class F>
int64_t count_before(const T* row, int64_t n, const F& before) {
  const T* base = row;
  while (n > 1) {
    const int64_t half = n / 2;
    base += before(base[half - 1]) ? half : 0;
    n -= half;
  }
  return base - row + (n == 1 && before(*base));
}

// searchsorted(boundaries [n] or [.., n], values [.., m], right) -> int64, of the sizes of `values`: how many
// boundaries are smaller (right: not greater) than each value
FLAMBEAU_OP(searchsorted, OnMeta::Serve) {
  const Tensor& boundaries = call.tensor();
  const Tensor& values = call.tensor();
  const bool right = call.flag();
  FLAMBEAU_CHECK(boundaries.ndim() > 0, Kind::Runtime,
                 "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension");
  bool fits = boundaries.ndim() == 1 || boundaries.ndim() == values.ndim();
  for (int d = 0; fits && boundaries.ndim() > 1 && d < values.ndim() - 1; d++)
    fits = boundaries.sizes[d] == values.sizes[d];
  FLAMBEAU_CHECK(fits, Kind::Runtime,
                 "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
                 "boundaries tensor and input value tensor must match, but we got boundaries tensor %s and input value "
                 "tensor %s",
                 show(boundaries.sizes).c_str(), show(values.sizes).c_str());
  const DType common = promote(boundaries.dtype, values.dtype);
  FLAMBEAU_CHECK(!is_complex(common), Kind::Runtime, "\"searchsorted_out_cpu\" not implemented for '%s'",
                 scalar_name(common));
  const DType dtype = dtype_of(compute_of(common));
  const Ref edges = contiguous(boundaries, dtype);
  const Ref x = contiguous(values, dtype);
  Ref out = empty(values.sizes, DType::I64);
  const int64_t n = boundaries.sizes[boundaries.ndim() - 1];
  const int64_t m = boundaries.ndim() == 1 || values.ndim() == 0 ? x->numel : values.sizes[values.ndim() - 1];
  by_ordered(compute_of(dtype), [&](auto zero) {
    using T = decltype(zero);
    const T* all = edges->as<T>();
    const T* from = x->as<T>();
    int64_t* to = out->as<int64_t>();
    parallel(0, x->numel, 4096, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const T* row = all + i / m * n;
        const T v = from[i];
        // Written with negations so that NaN counts as greater than every boundary.
        to[i] = right ? count_before(row, n, [v](T b) { return !(b > v); })
                      : count_before(row, n, [v](T b) { return !(b >= v); });
      }
    });
  });
  call.result(std::move(out));
}

// bincount(x [n], weights or null, minlength)
FLAMBEAU_OP(bincount) {
  const Tensor& x = call.tensor();
  const Tensor* weights = call.tensor_or_null();
  const int64_t minlength = call.integer();
  FLAMBEAU_CHECK(minlength >= 0, Kind::Runtime, "minlength should be >= 0");
  FLAMBEAU_CHECK(is_integral(x.dtype), Kind::Runtime, "\"bincount_cpu\" not implemented for '%s'",
                 scalar_name(x.dtype));
  const DType dtype = !weights ? DType::I64 : weights->dtype == DType::F32 ? DType::F32 : DType::F64;
  FLAMBEAU_CHECK(x.ndim() == 1, Kind::Runtime, "bincount only supports 1-d non-negative integral inputs.");
  const Ref bins = contiguous(x, DType::I64);
  const int64_t* at = bins->as<int64_t>();
  int64_t size = minlength;
  for (int64_t i = 0; i < bins->numel; i++) {
    FLAMBEAU_CHECK(at[i] >= 0, Kind::Runtime, "bincount only supports 1-d non-negative integral inputs.");
    size = std::max(size, at[i] + (at[i] < INT64_MAX));
  }
  if (weights)
    FLAMBEAU_CHECK(weights->ndim() == 1 && weights->numel == x.numel, Kind::Runtime,
                   "weights should be 1-d and have the same length as input");
  Ref out = empty(Dims{size}, dtype);
  fill(*out, Scalar::of(int64_t{0}));
  if (!weights) {
    for (int64_t i = 0; i < bins->numel; i++) out->as<int64_t>()[at[i]]++;
  } else {
    const Ref w = contiguous(*weights, dtype);
    by_compute(compute_of(dtype), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t i = 0; i < bins->numel; i++) meet<Meet::Add>(out->as<T>()[at[i]], w->as<T>()[i]);
    });
  }
  call.result(std::move(out));
}

// histc(x, bins, min, max): equal bins; the last one includes max; what lies outside is not counted. The range of the
// elements if min == max.
FLAMBEAU_OP(histc, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int64_t bins = call.integer();
  double low = call.number();
  double high = call.number();
  FLAMBEAU_CHECK(bins > 0, Kind::Runtime, "torch.histogram(): bins must be > 0, but got %lld for dimension 0",
                 static_cast<long long>(bins));
  FLAMBEAU_CHECK(low <= high || low != low || high != high, Kind::Runtime, "torch.histc: max must be larger than min");
  FLAMBEAU_CHECK(is_float(x.dtype), Kind::Runtime, "\"histogram_cpu\" not implemented for '%s'", scalar_name(x.dtype));
  if (dry_run()) return call.result(empty(Dims{bins}, x.dtype));
  const bool wide = x.dtype == DType::F64;
  const Ref values = contiguous(x, wide ? DType::F64 : DType::F32);
  const auto value = [&](int64_t i) {
    return wide ? values->as<double>()[i] : static_cast<double>(values->as<float>()[i]);
  };
  if (low == high && x.numel > 0) {
    low = high = value(0);
    for (int64_t i = 0; i < x.numel; i++) {
      const double v = value(i);
      if (v != v) low = high = v;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  if (low == high) {
    low -= 1;
    high += 1;
  }
  FLAMBEAU_CHECK(std::isfinite(low) && std::isfinite(high), Kind::Runtime,
                 "torch.histc: range of [%g, %g] is not finite", low, high);
  Ref counts = empty(Dims{bins}, DType::I64);
  fill(*counts, Scalar::of(int64_t{0}));
  int64_t* to = counts->as<int64_t>();
  const auto bin_of = [bins](auto v, auto from, auto until) {
    const auto at = static_cast<int64_t>((v - from) * static_cast<decltype(v)>(bins) / (until - from));
    return std::min(at, bins - 1);
  };
  for (int64_t i = 0; i < x.numel; i++) {
    const double v = value(i);
    if (!(v >= low && v <= high)) continue;
    to[wide ? bin_of(v, low, high)
            : bin_of(static_cast<float>(v), static_cast<float>(low), static_cast<float>(high))]++;
  }
  call.result(contiguous(*counts, x.dtype));
}

}  // namespace
}  // namespace flambeau
