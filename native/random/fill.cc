// Filling memory with random values. What is drawn, in which order and in which precision follows PyTorch's CPU
// kernels, so that the streams agree; elementary functions may differ in the last bits.
#include <cmath>

#include "kernels/kernels.h"
#include "parallel/pool.h"
#include "random/generator.h"

namespace flambeau {

namespace {

constexpr int64_t kTile = 1024;  // values on their way to another type: 8 KiB at most, in the first-level cache

void convert(DType from, DType to, int64_t n, const void* in, void* out) {
  kernels().convert.convert(from, to, n, in, out);
}

// Fills `out` with what `draw(T*, count)` gives, in place where T is the element type, else tile by tile.
template <class T, class Draw>
void fill_as(DType drawn, DType dtype, void* out, int64_t n, Draw&& draw) {
  if (dtype == drawn) return draw(static_cast<T*>(out), n);
  auto* bytes = static_cast<char*>(out);
  T tile[kTile];
  for (int64_t at = 0; at < n; at += kTile) {
    const int64_t m = n - at < kTile ? n - at : kTile;
    draw(tile, m);
    convert(drawn, dtype, m, tile, bytes + at * item_size(dtype));
  }
}

template <class Draw>
void fill_floats(DType dtype, void* out, int64_t n, Draw&& draw) {
  fill_as<float>(DType::F32, dtype, out, n, draw);
}

// The same with `draw()` giving one value at a time.
template <class Draw>
void fill_doubles(DType dtype, void* out, int64_t n, Draw&& draw) {
  fill_as<double>(DType::F64, dtype, out, n, [&](double* x, int64_t m) {
    for (int64_t i = 0; i < m; i++) x[i] = draw();
  });
}

template <class Draw>
void fill_integers(DType dtype, void* out, int64_t n, Draw&& draw) {
  fill_as<int64_t>(DType::I64, dtype, out, n, [&](int64_t* x, int64_t m) {
    for (int64_t i = 0; i < m; i++) x[i] = draw();
  });
}

// [0, 1) with 24 random bits.
void uniform_values(Generator& g, float* out, int64_t n) {
  uint32_t bits[kTile];
  for (int64_t at = 0; at < n; at += kTile) {
    const int64_t m = n - at < kTile ? n - at : kTile;
    g.random(bits, m);
    for (int64_t i = 0; i < m; i++) {
      out[at + i] = static_cast<float>(static_cast<int32_t>(bits[i] & 0xffffffu)) * 0x1p-24f;
    }
  }
}

// [0, 1) with 53 random bits.
void uniform_values(Generator& g, double* out, int64_t n) {
  uint32_t bits[kTile];
  for (int64_t at = 0; at < n; at += kTile / 2) {
    const int64_t m = n - at < kTile / 2 ? n - at : kTile / 2;
    g.random(bits, 2 * m);
    for (int64_t i = 0; i < m; i++) {
      const uint64_t mantissa = uint64_t{bits[2 * i] & 0x1fffffu} << 32 | bits[2 * i + 1];
      out[at + i] = static_cast<double>(static_cast<int64_t>(mantissa)) * 0x1p-53;
    }
  }
}

// [from, to): what rounding makes equal to the upper bound becomes the lower one.
template <class T>
void uniform_between(Generator& g, T* out, int64_t n, T from, T to) {
  uniform_values(g, out, n);
  if (from == 0 && to == 1) return;
  const T range = to - from;
  for (int64_t i = 0; i < n; i++) {
    const T x = out[i] * range + from;
    out[i] = x == to ? from : x;
  }
}

template <class T>
void apply(Pointwise row, int64_t n, T* inout) {
  const void* in[] = {inout};
  const Compute c = sizeof(T) == 4 ? Compute::F32 : Compute::F64;
  kernels().pointwise.fn[static_cast<int>(row)][static_cast<int>(c)](n, in, inout, nullptr, false);
}

// Box and Muller on blocks of 16: the uniform values u[j] and u[j + 8] become a pair of normal ones.
// data: [blocks, 16]
template <class T>
void box_muller(T* data, int64_t blocks, T mean, T std) {
  constexpr int64_t kBlocks = 32;
  T radius[kBlocks * 8], sine[kBlocks * 8], cosine[kBlocks * 8];
  for (int64_t at = 0; at < blocks; at += kBlocks) {
    const int64_t m = blocks - at < kBlocks ? blocks - at : kBlocks;
    T* tile = data + at * 16;
    for (int64_t b = 0; b < m; b++) {
      for (int64_t j = 0; j < 8; j++) {
        radius[b * 8 + j] = T(1) - tile[b * 16 + j];
        sine[b * 8 + j] = cosine[b * 8 + j] = static_cast<T>(2 * M_PI) * tile[b * 16 + 8 + j];
      }
    }
    apply(Pointwise::log, m * 8, radius);
    apply(Pointwise::sin, m * 8, sine);
    apply(Pointwise::cos, m * 8, cosine);
    for (int64_t b = 0; b < m; b++) {
      for (int64_t j = 0; j < 8; j++) {
        const T r = std::sqrt(T(-2) * radius[b * 8 + j]);
        // In double: the float product is exact there, so that this rounds as PyTorch's fused multiply-add does.
        tile[b * 16 + j] = static_cast<T>(static_cast<double>(r * cosine[b * 8 + j]) * std + mean);
        tile[b * 16 + 8 + j] = static_cast<T>(static_cast<double>(r * sine[b * 8 + j]) * std + mean);
      }
    }
  }
}

// Whole blocks of 16 values.
template <class T>
void normal_blocks(Generator& g, T* out, int64_t blocks, T mean, T std) {
  uniform_values(g, out, blocks * 16);
  parallel(0, blocks, 1024, [=](int64_t begin, int64_t end) { box_muller(out + begin * 16, end - begin, mean, std); });
}

// n >= 16. Where 16 does not divide n, the last 16 values are drawn anew over what stood there; the remainder of the
// first pass is drawn and dropped, in types that PyTorch fills in place.
template <class T>
void normal_values(Generator& g, T* out, int64_t n, T mean, T std) {
  if (n % 16 == 0) return normal_blocks(g, out, n / 16, mean, std);
  uniform_values(g, out, n);
  parallel(0, n / 16, 1024, [=](int64_t begin, int64_t end) { box_muller(out + begin * 16, end - begin, mean, std); });
  normal_blocks(g, out + n - 16, 1, mean, std);
}

}  // namespace

void fill_uniform(Generator& g, DType dtype, void* out, int64_t n, double from, double to) {
  if (dtype == DType::F64) return uniform_between(g, static_cast<double*>(out), n, from, to);
  const float a = static_cast<float>(from), b = static_cast<float>(to);
  if (dtype == DType::F32) return uniform_between(g, static_cast<float*>(out), n, a, b);
  auto* x = static_cast<uint16_t*>(out);
  uint16_t low, high;
  convert(DType::F32, dtype, 1, &a, &low);
  convert(DType::F32, dtype, 1, &b, &high);
  fill_floats(dtype, out, n, [&](float* tile, int64_t m) { uniform_between(g, tile, m, a, b); });
  for (int64_t i = 0; i < n; i++) {
    if (x[i] == high) x[i] = low;
  }
}

void fill_normal(Generator& g, DType dtype, void* out, int64_t n, double mean, double std, bool one_by_one) {
  if (n < 16 || one_by_one) return fill_doubles(dtype, out, n, [&] { return g.normal() * std + mean; });
  if (dtype == DType::F64) return normal_values(g, static_cast<double*>(out), n, mean, std);
  const float m = static_cast<float>(mean), s = static_cast<float>(std);
  if (dtype == DType::F32) return normal_values(g, static_cast<float*>(out), n, m, s);
  // kTile is a multiple of 16, and so is every tile but the last.
  auto* x = static_cast<uint16_t*>(out);
  const auto blocks = [&](float* tile, int64_t count) { normal_blocks(g, tile, count / 16, m, s); };
  fill_floats(dtype, x, n / 16 * 16, blocks);
  if (n % 16 != 0) fill_floats(dtype, x + n - 16, 16, blocks);
}

void fill_randint(Generator& g, DType dtype, void* out, int64_t n, int64_t from, uint64_t range) {
  const auto base = static_cast<uint64_t>(from);
  // From 2^28 on, a remainder of 32 random bits would favour small numbers noticeably.
  if (range >= uint64_t{1} << 28) {
    fill_integers(dtype, out, n, [&] { return static_cast<int64_t>(base + g.random64() % range); });
  } else {
    const auto r = static_cast<uint32_t>(range);
    fill_integers(dtype, out, n, [&] { return static_cast<int64_t>(base + g.random() % r); });
  }
}

void fill_random(Generator& g, DType dtype, void* out, int64_t n) {
  const auto wide = [&](uint64_t range) {
    fill_integers(dtype, out, n, [&] { return static_cast<int64_t>(g.random64() % range); });
  };
  const auto narrow = [&](uint32_t range) {
    fill_integers(dtype, out, n, [&] { return static_cast<int64_t>(g.random() % range); });
  };
  switch (dtype) {
    case DType::I64: return wide(uint64_t{1} << 63);
    case DType::F64: return wide((uint64_t{1} << 53) + 1);
    case DType::F32: return narrow((1u << 24) + 1);
    case DType::F16: return narrow((1u << 11) + 1);
    case DType::BF16: return narrow((1u << 8) + 1);
    case DType::Bool: return narrow(2);
    case DType::U8: return narrow(1u << 8);
    case DType::I8: return narrow(1u << 7);
    case DType::I16: return narrow(1u << 15);
    case DType::I32: return narrow(1u << 31);
    default: return;  // complex: refused by the caller
  }
}

void fill_random_bits(Generator& g, DType dtype, void* out, int64_t n) {
  fill_integers(dtype, out, n, [&] { return static_cast<int64_t>(g.random64()); });
}

void fill_bernoulli(Generator& g, DType dtype, void* out, int64_t n, double p) {
  // uniform() < p without the division: the 53 bits of each number against p 2^53, upper and lower word apart.
  const auto limit = static_cast<uint64_t>(std::ceil(std::ldexp(p, 53)));
  const auto high_limit = static_cast<uint32_t>(limit >> 32), low_limit = static_cast<uint32_t>(limit);
  const auto draw = [&](uint8_t* to, int64_t count) {
    uint32_t words[2 * kTile];
    for (int64_t at = 0; at < count; at += kTile) {
      const int64_t m = count - at < kTile ? count - at : kTile;
      g.random(words, 2 * m);
      for (int64_t i = 0; i < m; i++) {
        const uint32_t high = words[2 * i] & 0x1fffffu, low = words[2 * i + 1];
        to[at + i] = (high < high_limit) | ((high == high_limit) & (low < low_limit));
      }
    }
  };
  if (dtype == DType::Bool) return draw(static_cast<uint8_t*>(out), n);
  fill_as<uint8_t>(DType::U8, dtype, out, n, draw);
}

void fill_bernoulli_each(Generator& g, DType dtype, void* out, int64_t n, DType p_dtype, const void* p) {
  if (p_dtype == DType::F64) {
    const auto* each = static_cast<const double*>(p);
    fill_integers(dtype, out, n, [&] { return static_cast<int64_t>(g.uniform() < *each++); });
    return;
  }
  const auto* bytes = static_cast<const char*>(p);
  float each[kTile], drawn[kTile];
  int64_t at = 0;
  fill_floats(dtype, out, n, [&](float* x, int64_t count) {
    for (int64_t begin = 0; begin < count; begin += kTile) {
      const int64_t m = count - begin < kTile ? count - begin : kTile;
      convert(p_dtype, DType::F32, m, bytes + at * item_size(p_dtype), each);
      uniform_values(g, drawn, m);
      for (int64_t i = 0; i < m; i++) x[begin + i] = drawn[i] < each[i] ? 1.0f : 0.0f;
      at += m;
    }
  });
}

void fill_exponential(Generator& g, DType dtype, void* out, int64_t n, double lambda) {
  fill_doubles(dtype, out, n, [&] { return -1.0 / lambda * std::log1p(-g.uniform()); });
}

void fill_geometric(Generator& g, DType dtype, void* out, int64_t n, double p) {
  const double scale = std::log1p(-p);
  fill_doubles(dtype, out, n, [&] { return std::ceil(std::log(g.uniform()) / scale); });
}

void fill_cauchy(Generator& g, DType dtype, void* out, int64_t n, double median, double sigma) {
  fill_doubles(dtype, out, n, [&] { return median + sigma * std::tan(M_PI * (g.uniform() - 0.5)); });
}

void fill_log_normal(Generator& g, DType dtype, void* out, int64_t n, double mean, double std) {
  fill_doubles(dtype, out, n, [&] { return std::exp(g.normal() * std + mean); });
}

}  // namespace flambeau
