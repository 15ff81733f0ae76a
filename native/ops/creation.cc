// Fresh tensors, copies and conversions.
#include <cmath>

#include "kernels/kernels.h"
#include "ops/data.h"
#include "ops/overlap.h"
#include "ops/promotion.h"
#include "ops/registry.h"

namespace flambeau {
namespace {

FLAMBEAU_OP(empty, OnMeta::Serve) {
  const Dims sizes = call.dims();
  const DType dtype = call.dtype();
  call.place();
  call.result(empty(sizes, dtype));
}

FLAMBEAU_OP(empty_strided, OnMeta::Serve) {
  const Dims sizes = call.dims();
  const Dims strides = call.dims();
  const DType dtype = call.dtype();
  call.place();
  FLAMBEAU_CHECK(sizes.size() == strides.size(), Kind::Runtime,
                 "dimensionality of sizes (%d) must match dimensionality of strides (%d)", sizes.size(),
                 strides.size());
  int64_t reach = 1;
  for (int d = 0; d < sizes.size(); d++) {
    int64_t step;
    FLAMBEAU_CHECK(strides[d] >= 0, Kind::Runtime, "Trying to create tensor with negative strides: %s",
                   show(strides).c_str());
    FLAMBEAU_CHECK(
        !__builtin_mul_overflow(sizes[d] - 1, strides[d], &step) && !__builtin_add_overflow(reach, step, &reach),
        Kind::Runtime, "Storage size calculation overflowed with sizes=%s and strides=%s", show(sizes).c_str(),
        show(strides).c_str());
  }
  const int64_t n = count_elements(sizes);
  const Ref flat = empty(Dims{n == 0 ? 0 : reach}, dtype);
  call.result(view_of(*flat, sizes, strides, 0));
}

FLAMBEAU_OP(zeros, OnMeta::Serve) {
  const Dims sizes = call.dims();
  for (const int64_t n : sizes) FLAMBEAU_CHECK(n >= 0, Kind::Runtime, "zeros: Dimension size must be non-negative.");
  const DType dtype = call.dtype();
  call.place();
  Ref t = empty(sizes, dtype);
  fill(*t, Scalar::of(int64_t{0}));
  call.result(std::move(t));
}

FLAMBEAU_OP(full, OnMeta::Serve) {
  const Dims sizes = call.dims();
  const Scalar value = call.scalar();
  const DType dtype = call.dtype();
  call.place();
  Ref t = empty(sizes, dtype);
  fill(*t, value);
  call.result(std::move(t));
}

// like(x, dtype, value or null): a tensor with the sizes of x and its order in memory, filled if there is a value.
FLAMBEAU_OP(like, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const DType dtype = call.dtype();
  const auto value = call.scalar_or_null();
  Ref out = empty_strided(t.sizes, preserved_strides(t), dtype);
  if (value) fill(*out, *value);
  call.result(std::move(out));
}

FLAMBEAU_OP(fill_, OnMeta::Serve) {
  Tensor& t = call.tensor();
  const Scalar value = call.scalar();
  fill(t, value);
  t.bump();
}

// bump(t): counts a change in place that no op made.
FLAMBEAU_OP(bump, OnMeta::Serve) { call.tensor().bump(); }

FLAMBEAU_OP(copy_, OnMeta::Free) {
  Tensor& dst = call.tensor();
  const Tensor& src = call.tensor();
  FLAMBEAU_CHECK(dst.meta() || !src.meta(), Kind::Runtime, "Cannot copy out of meta tensor; no data!");
  check_no_partial_overlap(dst, src);
  copy_elements(dst, src);
  dst.bump();
}

FLAMBEAU_OP(clone, OnMeta::Serve) { call.result(clone(call.tensor())); }

FLAMBEAU_OP(contiguous, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  Ref out = empty(t.sizes, t.dtype);
  copy_elements(*out, t);
  call.result(std::move(out));
}

// to_device(x, device): a copy in the memory order of the source.
FLAMBEAU_OP(to_device, OnMeta::Free) {
  const Tensor& t = call.tensor();
  const bool was_meta = t.meta();
  call.place();
  FLAMBEAU_CHECK(call.placed_on_meta() || !was_meta, Kind::Runtime, "Cannot copy out of meta tensor; no data!");
  call.result(clone(t));
}

// A copy with another type, in the memory order of the source.
FLAMBEAU_OP(to_dtype, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const DType dtype = call.dtype();
  Ref out = empty_strided(t.sizes, preserved_strides(t), dtype);
  copy_elements(*out, t);
  call.result(std::move(out));
}

// start + i * step for i < n, computed in the accumulating type of dtype as PyTorch does.
FLAMBEAU_OP(arange, OnMeta::Serve) {
  const Scalar start = call.scalar();
  const Scalar step = call.scalar();
  const int64_t n = call.integer();
  const DType dtype = call.dtype();
  call.place();
  FLAMBEAU_CHECK(n >= 0, Kind::Runtime, "Trying to create tensor with negative dimension %lld: [%lld]",
                 static_cast<long long>(n), static_cast<long long>(n));
  if (dry_run()) return call.result(empty(Dims{n}, dtype));
  const bool whole = !is_float(dtype) && !is_complex(dtype);
  Ref wide = empty(Dims{n}, whole ? DType::I64 : DType::F64);
  for (int64_t i = 0; i < n; i++) {
    // Unsigned arithmetic wraps where the last product would overflow.
    if (whole)
      wide->as<int64_t>()[i] = static_cast<int64_t>(static_cast<uint64_t>(start.integer()) +
                                                    static_cast<uint64_t>(i) * static_cast<uint64_t>(step.integer()));
    else
      wide->as<double>()[i] = start.re + static_cast<double>(i) * step.re;
  }
  call.result(contiguous(*wide, dtype));
}

// n points from start to end; symmetric halves as PyTorch, so that both ends are exact.
FLAMBEAU_OP(linspace, OnMeta::Serve) {
  const double start = call.number();
  const double end = call.number();
  const int64_t n = call.integer();
  const DType dtype = call.dtype();
  call.place();
  if (dry_run()) return call.result(empty(Dims{n}, dtype));
  Ref wide = empty(Dims{n}, DType::F64);
  const bool single = dtype == DType::F32;
  const double step = n > 1 ? (end - start) / static_cast<double>(n - 1) : 0;
  for (int64_t i = 0; i < n; i++) {
    double x;
    if (single) {
      const float s = static_cast<float>((static_cast<float>(end) - static_cast<float>(start)) /
                                         static_cast<float>(n > 1 ? n - 1 : 1));
      x = i < n / 2 ? std::fma(s, static_cast<float>(i), static_cast<float>(start))
                    : static_cast<float>(end) - s * static_cast<float>(n - i - 1);
    } else {
      x = i < n / 2 ? start + step * static_cast<double>(i) : end - step * static_cast<double>(n - i - 1);
    }
    wide->as<double>()[i] = n == 1 ? start : x;
  }
  call.result(contiguous(*wide, dtype));
}

}  // namespace
}  // namespace flambeau
