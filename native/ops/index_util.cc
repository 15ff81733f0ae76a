#include "ops/index_util.h"

#include <limits>

namespace flambeau {

Ref index_values(const Tensor& index, const char* op, const Tensor* changed) {
  FLAMBEAU_CHECK(index.numel == 0 || index.dtype == DType::I64 || index.dtype == DType::I32, Kind::Runtime,
                 "%s(): Expected dtype int32/int64 for index, but got %s", op, scalar_name(index.dtype));
  return changed ? source_values(index, DType::I64, *changed) : contiguous(index, DType::I64);
}

Ref source_values(const Tensor& t, DType dtype, const Tensor& changed) {
  Ref out = contiguous(t, dtype);
  if (out->storage != changed.storage) return out;
  Ref copy = empty(out->sizes, dtype);
  copy_elements(*copy, *out);
  return copy;
}

int64_t offset_at(const Walk& w, int64_t i) {
  int64_t offset = 0;
  for (int d = w.ndim - 1; d > 0; d--) {
    offset += i % w.size[d] * w.stride[d];
    i /= w.size[d];
  }
  return offset + i * w.stride[0];
}

Ref offsets_of(const Walk& w, int64_t n) {
  Ref out = empty(Dims{n}, DType::I64);
  if (dry_run()) return out;
  int64_t* to = out->as<int64_t>();
  const int last = w.ndim - 1;
  int64_t i = 0;
  while (i < n) {
    const int64_t start = offset_at(w, i);
    const int64_t run = std::min(n - i, w.size[last]);
    for (int64_t k = 0; k < run; k++) to[i + k] = start + k * w.stride[last];
    i += run;
  }
  return out;
}

Ref at_least_1d(const Tensor& t) { return t.ndim() > 0 ? share(t) : view_of(t, Dims{1}, Dims{1}, t.offset); }

Around around(const Dims& sizes, int dim) {
  Around a;
  for (int d = 0; d < sizes.size(); d++) (d < dim ? a.outer : d == dim ? a.n : a.inner) *= sizes[d];
  return a;
}

namespace {

template <class T>
int64_t bound(bool lowest) {
  return static_cast<int64_t>(lowest ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max());
}

}  // namespace

Scalar identity_of(Meet m, DType dtype) {
  if (m == Meet::Add || m == Meet::Assign) return Scalar::of(int64_t{0});
  if (m == Meet::Multiply) return Scalar::of(int64_t{1});
  const bool lowest = m == Meet::Max;
  switch (dtype) {
    case DType::Bool: return Scalar::of(!lowest);
    case DType::U8: return Scalar::of(bound<uint8_t>(lowest));
    case DType::I8: return Scalar::of(bound<int8_t>(lowest));
    case DType::I16: return Scalar::of(bound<int16_t>(lowest));
    case DType::I32: return Scalar::of(bound<int32_t>(lowest));
    case DType::I64: return Scalar::of(bound<int64_t>(lowest));
    default: break;
  }
  const double infinity = std::numeric_limits<double>::infinity();
  return Scalar::of(lowest ? -infinity : infinity);
}

void divide_by_counts(Tensor& work, const int64_t* counts) {
  if (dry_run()) return;
  by_compute(compute_of(work.dtype), [&](auto zero) {
    using T = decltype(zero);
    T* x = work.as<T>();
    for (int64_t i = 0; i < work.numel; i++) {
      const int64_t n = counts[i];
      if (n <= 1) continue;
      if constexpr (std::is_integral_v<T>) {
        const T quotient = x[i] / n;
        x[i] = quotient - (x[i] % n < 0);
      } else if constexpr (is_complex_type<T>) {
        x[i] /= static_cast<typename T::value_type>(n);
      } else {
        x[i] /= static_cast<T>(n);
      }
    }
  });
}

}  // namespace flambeau
