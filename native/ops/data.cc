#include "ops/data.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/caches.h"
#include "core/dry_run.h"
#include "kernels/kernels.h"
#include "ops/layout.h"
#include "ops/overlap.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

// Elements per tile: two tiles of the widest type stay in the first-level cache.
constexpr int64_t kTile = 1024;
constexpr int64_t kGrain = 32 * 1024;

}  // namespace

void copy_elements(Tensor& dst, const Tensor& src) {
  check_writable(dst);
  if (dst.numel == 0) {
    broadcast_sizes(dst.sizes, src.sizes);
    return;
  }
  const Dims sizes = broadcast_sizes(dst.sizes, src.sizes);
  FLAMBEAU_CHECK(sizes == dst.sizes, Kind::Runtime, "output with shape %s doesn't match the broadcast shape %s",
                 show(dst.sizes).c_str(), show(sizes).c_str());
  if (dry_run()) return;
  if (same_places(dst, src)) {
    if (src.dtype == dst.dtype) return;
  } else if (may_overlap(dst, src)) {
    return copy_elements(dst, *clone(src));  // else elements would be read after they are written
  }
  int order[kMaxDims];
  memory_order(dst.sizes, dst.strides, order);
  const Dims walk_sizes = permuted(sizes, order);
  const Walk from = make_walk(walk_sizes, permuted(broadcast_strides(src, sizes), order));
  const Walk to = make_walk(walk_sizes, permuted(dst.strides, order));
  const int in_item = item_size(src.dtype);
  const int out_item = item_size(dst.dtype);
  const char* in = src.data();
  char* out = dst.data();
  const auto& convert = kernels().convert.convert;
  const auto& stream = kernels().convert.stream;
  const bool same = src.dtype == dst.dtype;
  const bool streaming = to.contiguous && dst.numel * out_item >= stream_from();
  parallel(0, dst.numel, kGrain, [&](int64_t begin, int64_t end) {
    if (from.contiguous && to.contiguous) {
      if (same && streaming) {
        stream((end - begin) * in_item, in + begin * in_item, out + begin * out_item);
        return kernels().convert.stream_end();
      }
      if (same)
        std::memcpy(out + begin * out_item, in + begin * in_item, static_cast<size_t>((end - begin) * in_item));
      else if (!streaming)
        convert(src.dtype, dst.dtype, end - begin, in + begin * in_item, out + begin * out_item);
      if (same || !streaming) return;
    }
    if (same && to.contiguous && !streaming)
      return from.gather(in, in_item, begin, end - begin, out + begin * out_item);
    if (same && from.contiguous) return to.scatter(out, out_item, begin, end - begin, in + begin * in_item);
    alignas(64) char raw[kTile * 16];
    alignas(64) char converted[kTile * 16];
    for (int64_t i = begin; i < end; i += kTile) {
      const int64_t n = std::min(kTile, end - i);
      const char* loaded = in + i * in_item;
      if (!from.contiguous) {
        from.gather(in, in_item, i, n, raw);
        loaded = raw;
      }
      char* stored = to.contiguous && !streaming ? out + i * out_item : converted;
      if (same && streaming)
        stored = raw;  // gathered, and not to be copied once more
      else if (same)
        std::memcpy(stored, loaded, static_cast<size_t>(n * out_item));
      else
        convert(src.dtype, dst.dtype, n, loaded, stored);
      if (streaming)
        stream(n * out_item, stored, out + i * out_item);
      else if (!to.contiguous)
        to.scatter(out, out_item, i, n, stored);
    }
    if (streaming) kernels().convert.stream_end();
  });
}

Ref share(const Tensor& t) {
  Tensor* shared = const_cast<Tensor*>(&t);
  shared->refs++;
  return Ref(shared);
}

bool dense(const Tensor& t) {
  if (t.contiguous()) return true;
  int order[kMaxDims];
  memory_order(t.sizes, t.strides, order);
  int64_t expected = 1;
  for (int i = t.ndim() - 1; i >= 0; i--) {
    const int d = order[i];
    if (t.sizes[d] == 1) continue;
    if (t.strides[d] != expected) return false;
    expected *= t.sizes[d];
  }
  return true;
}

Dims preserved_strides(const Tensor& t) {
  if (t.numel == 0) return contiguous_strides(t.sizes);
  if (dense(t)) return t.strides;
  int order[kMaxDims];
  memory_order(t.sizes, t.strides, order);
  const Dims steps = contiguous_strides(permuted(t.sizes, order));
  Dims out(t.ndim());
  for (int i = 0; i < t.ndim(); i++) out[order[i]] = steps[i];
  return out;
}

Ref clone(const Tensor& t) {
  Ref out = empty_strided(t.sizes, preserved_strides(t), t.dtype);
  if (t.storage->bytes > 0) copy_elements(*out, t);
  return out;
}

Ref contiguous(const Tensor& t) { return contiguous(t, t.dtype); }

Ref contiguous(const Tensor& t, DType dtype) {
  if (t.dtype == dtype && t.contiguous()) return share(t);
  Ref out = empty(t.sizes, dtype);
  copy_elements(*out, t);
  return out;
}

void check_fits(const Scalar& value, DType t) {
  static const char* const names[] = {
      "uint8_t", "int8_t", "int16_t", "int", "int64_t", "c10::Half", "float", "double", "c10::complex<float>"};
  if (t == DType::Bool || t == DType::C128) return;
  bool fits = is_complex(t) || value.im == 0;
  if (is_integral(t)) {
    const int bits = 8 * item_size(t);
    const double top = std::ldexp(1.0, t == DType::U8 ? bits : bits - 1);
    // Of unsigned types negative numbers count modulo the range; int64 from JavaScript's integers always fits.
    fits = fits &&
           ((value.re < top && value.re >= (t == DType::U8 ? 1 - top : -top)) || (bits == 64 && !value.floating()));
  } else if (t == DType::F32 || t == DType::C64) {
    const auto beyond = [](double v) { return std::isfinite(v) && std::fabs(v) > std::numeric_limits<float>::max(); };
    fits = fits && !beyond(value.re) && !beyond(value.im);
  }
  FLAMBEAU_CHECK(fits, Kind::Runtime, "value cannot be converted to type %s without overflow",
                 t == DType::BF16 ? "c10::BFloat16" : names[static_cast<int>(t)]);
}

void fill(Tensor& t, const Scalar& value) {
  check_fits(value, t.dtype);
  if (t.numel == 0 || dry_run()) return;
  alignas(16) char element[16];
  value.store(t.dtype, element);
  const int item = item_size(t.dtype);
  // Elements of an expanded tensor share their memory, and all get the same value: each place is written once.
  Dims sizes = t.sizes;
  int64_t numel = 1;
  for (int d = 0; d < t.ndim(); d++) {
    if (t.strides[d] == 0) sizes[d] = 1;
    numel *= sizes[d];
  }
  int order[kMaxDims];
  memory_order(sizes, t.strides, order);
  const Walk to = make_walk(permuted(sizes, order), permuted(t.strides, order));
  bool zero = true;
  for (int i = 0; i < item; i++) zero = zero && element[i] == 0;
  char* out = t.data();
  alignas(64) char tile[kTile * 16];
  for (int64_t i = 0; i < std::min(kTile, numel); i++) std::memcpy(tile + i * item, element, static_cast<size_t>(item));
  parallel(0, numel, kGrain, [&](int64_t begin, int64_t end) {
    if (to.contiguous && zero) {
      std::memset(out + begin * item, 0, static_cast<size_t>((end - begin) * item));
      return;
    }
    for (int64_t i = begin; i < end; i += kTile) {
      const int64_t n = std::min(kTile, end - i);
      if (to.contiguous)
        std::memcpy(out + i * item, tile, static_cast<size_t>(n * item));
      else
        to.scatter(out, item, i, n, tile);
    }
  });
}

void read_elements(const Tensor& t, void* out, int64_t bytes) {
  FLAMBEAU_CHECK(bytes == t.numel * item_size(t.dtype), Kind::Type, "expected a buffer of %lld bytes, got %lld",
                 static_cast<long long>(t.numel * item_size(t.dtype)), static_cast<long long>(bytes));
  if (bytes == 0) return;
  make_walk(t.sizes, t.strides).gather(t.data(), item_size(t.dtype), 0, t.numel, out);
}

void write_elements(Tensor& t, const void* in, int64_t bytes) {
  FLAMBEAU_CHECK(bytes == t.numel * item_size(t.dtype), Kind::Type, "expected a buffer of %lld bytes, got %lld",
                 static_cast<long long>(t.numel * item_size(t.dtype)), static_cast<long long>(bytes));
  check_writable(t);
  if (bytes == 0) return;
  make_walk(t.sizes, t.strides).scatter(t.data(), item_size(t.dtype), 0, t.numel, in);
}

void check_writable(const Tensor& t) {
  FLAMBEAU_CHECK(!dry_run() || t.meta(), Kind::Runtime, "Tensor on device meta is not on the expected device cpu!");
  for (int d = 0; d < t.ndim(); d++)
    FLAMBEAU_CHECK(t.strides[d] != 0 || t.sizes[d] <= 1, Kind::Runtime,
                   "unsupported operation: more than one element of the written-to tensor refers to a single memory "
                   "location. Please clone() the tensor before performing the operation.");
}

}  // namespace flambeau
