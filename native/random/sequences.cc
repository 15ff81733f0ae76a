// What is not filled element by element: permutations, and counts that take a varying number of draws.
#include <cmath>

#include "core/error.h"
#include "kernels/kernels.h"
#include "random/generator.h"

namespace flambeau {

namespace {

constexpr int64_t kTile = 1024;

// Fisher and Yates from the front.
template <class T>
void permute(Generator& g, T* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = static_cast<T>(i);
  // Past this size a remainder of 32 random bits is visibly uneven.
  const bool few = n < static_cast<int64_t>(UINT32_MAX / 20);
  for (int64_t i = 0; i < n - 1; i++) {
    const auto left = static_cast<uint64_t>(n - i);
    const auto j = i + static_cast<int64_t>(few ? g.random() % static_cast<uint32_t>(left) : g.random64() % left);
    const T held = out[i];
    out[i] = out[j];
    out[j] = held;
  }
}

// Hoermann, "The transformed rejection method for generating Poisson random variables" (1993), from a rate of 10 on;
// below, the product of uniform values is compared with exp(-rate).
double poisson(Generator& g, double rate) {
  if (!(rate > 0)) return 0;
  if (rate < 10) {
    const double limit = std::exp(-rate);
    double product = g.uniform();
    int64_t count = 0;
    for (; product > limit; count++) product *= g.uniform();
    return static_cast<double>(count);
  }
  const double log_rate = std::log(rate);
  const double b = 0.931 + 2.53 * std::sqrt(rate);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_limit = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = g.uniform() - 0.5;
    const double v = g.uniform();
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_limit) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const double accepted = std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b);
    if (accepted <= -rate + k * log_rate - std::lgamma(k + 1)) return k;
  }
}

}  // namespace

void fill_randperm(Generator& g, DType dtype, void* out, int64_t n) {
  switch (dtype) {
    case DType::I64: return permute(g, static_cast<int64_t*>(out), n);
    case DType::F64: return permute(g, static_cast<double*>(out), n);
    case DType::I32: return permute(g, static_cast<int32_t*>(out), n);
    case DType::F32: return permute(g, static_cast<float*>(out), n);
    case DType::I16: return permute(g, static_cast<int16_t*>(out), n);
    case DType::I8: return permute(g, static_cast<int8_t*>(out), n);
    case DType::U8: return permute(g, static_cast<uint8_t*>(out), n);
    default: break;
  }
  if (dtype != DType::F16 && dtype != DType::BF16) return;  // bool, complex: refused by the caller
  constexpr int kMost = 2049;                               // float16 holds 0 .. 2048 exactly, bfloat16 0 .. 256
  const int most = dtype == DType::F16 ? kMost : 257;
  FLAMBEAU_CHECK(n <= most, Kind::Runtime, "n cannot be greater than %d for %s type.", most,
                 dtype == DType::F16 ? "Half" : "BFloat16");
  float values[kMost];
  permute(g, values, n);
  kernels().convert.convert(DType::F32, dtype, n, values, out);
}

void fill_poisson(Generator& g, DType dtype, void* out, int64_t n, const void* rates) {
  const auto& convert = kernels().convert.convert;
  const int64_t size = item_size(dtype);
  double tile[kTile];
  for (int64_t at = 0; at < n; at += kTile) {
    const int64_t m = n - at < kTile ? n - at : kTile;
    convert(dtype, DType::F64, m, static_cast<const char*>(rates) + at * size, tile);
    for (int64_t i = 0; i < m; i++) tile[i] = poisson(g, tile[i]);
    convert(DType::F64, dtype, m, tile, static_cast<char*>(out) + at * size);
  }
}

}  // namespace flambeau
