// Masks: which elements are taken, filled or replaced, and where they are.
#include <algorithm>

#include "kernels/kernels.h"
#include "ops/index_util.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

constexpr int64_t kTile = 1024;
constexpr int64_t kGrain = 32 * 1024;

void check_mask(const Tensor& mask, const char* op) {
  FLAMBEAU_CHECK(mask.dtype == DType::Bool, Kind::Runtime, "%s only supports boolean masks, but got mask with dtype %s",
                 op, dtype_name(mask.dtype));
}

Ref stretched(const Tensor& t, const Dims& sizes) { return view_of(t, sizes, broadcast_strides(t, sizes), t.offset); }

// The mask row-major over `sizes`, in memory of its own.
Ref mask_over(const Tensor& mask, const Dims& sizes, const Tensor& changed) {
  return source_values(*stretched(mask, sizes), DType::Bool, changed);
}

// One more than the place of the last true element. Up to there, a loop may write before it knows whether to keep what
// it wrote, which spares it a branch that no processor can predict.
int64_t end_of_true(const uint8_t* mask, int64_t n) {
  while (n > 0 && !mask[n - 1]) n--;
  return n;
}

int64_t count_true(const uint8_t* mask, int64_t n) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) count += mask[i] != 0;
  return count;
}

// chosen ? a : b without a branch.
template <class T>
T chosen_of(bool chosen, T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    const T mask = static_cast<T>(-static_cast<T>(chosen));
    return static_cast<T>((a & mask) | (b & static_cast<T>(~mask)));
  } else {
    return {chosen_of(chosen, a.a, b.a), chosen_of(chosen, a.b, b.b)};
  }
}

// masked_fill_(self, mask, value): a number, or a tensor of no dimensions
FLAMBEAU_OP(masked_fill_, OnMeta::Serve) {
  Tensor& self = call.tensor();
  const Tensor& mask = call.tensor();
  const Operand value = call.operand();
  check_writable(self);
  FLAMBEAU_CHECK(mask.dtype == DType::Bool, Kind::Runtime,
                 "masked_fill_ only supports boolean masks, but got mask with dtype %s", dtype_name(mask.dtype));
  FLAMBEAU_CHECK(broadcast_sizes(self.sizes, mask.sizes) == self.sizes, Kind::Runtime,
                 "output with shape %s doesn't match the broadcast shape %s", show(self.sizes).c_str(),
                 show(broadcast_sizes(self.sizes, mask.sizes)).c_str());
  alignas(16) char element[16];
  if (value.tensor) {
    FLAMBEAU_CHECK(value.tensor->ndim() == 0, Kind::Runtime,
                   "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).",
                   value.tensor->ndim());
    if (!dry_run()) kernels().convert.convert(value.tensor->dtype, self.dtype, 1, value.tensor->data(), element);
  } else {
    check_fits(value.scalar, self.dtype);
    value.scalar.store(self.dtype, element);
  }
  if (self.numel > 0 && !dry_run()) {
    int order[kMaxDims];
    memory_order(self.sizes, self.strides, order);
    const Dims sizes = permuted(self.sizes, order);
    const Walk to = make_walk(sizes, permuted(self.strides, order));
    const Ref own = mask.storage == self.storage ? clone(mask) : share(mask);
    const Walk from = make_walk(sizes, permuted(broadcast_strides(*own, self.sizes), order));
    const int item = item_size(self.dtype);
    by_size(item, [&](auto zero) {
      using T = decltype(zero);
      T filling;
      std::memcpy(&filling, element, sizeof(T));
      parallel(0, self.numel, kGrain, [&](int64_t begin, int64_t end) {
        uint8_t bits[kTile];
        T tile[kTile];
        for (int64_t i = begin; i < end; i += kTile) {
          const int64_t n = std::min(kTile, end - i);
          const uint8_t* chosen = bits;
          if (from.contiguous)
            chosen = own->as<uint8_t>() + i;
          else
            from.gather(own->data(), 1, i, n, bits);
          T* x = to.contiguous ? self.as<T>() + i : tile;
          if (!to.contiguous) to.gather(self.data(), item, i, n, tile);
          for (int64_t k = 0; k < n; k++) x[k] = chosen_of(chosen[k] != 0, filling, x[k]);
          if (!to.contiguous) to.scatter(self.data(), item, i, n, tile);
        }
      });
    });
  }
  self.bump();
}

// masked_select(x, mask) -> [number of true elements]
FLAMBEAU_OP(masked_select) {
  const Tensor& x = call.tensor();
  const Tensor& mask = call.tensor();
  FLAMBEAU_CHECK(mask.dtype == DType::Bool, Kind::Runtime, "masked_select: expected BoolTensor for mask");
  const Dims sizes = broadcast_sizes(x.sizes, mask.sizes);
  const Ref chosen = contiguous(*stretched(mask, sizes));
  const Ref from = contiguous(*stretched(x, sizes));
  const uint8_t* bits = chosen->as<uint8_t>();
  Ref out = empty(Dims{count_true(bits, chosen->numel)}, x.dtype);
  by_size(item_size(x.dtype), [&](auto zero) {
    using T = decltype(zero);
    T* to = out->as<T>();
    const T* source = from->as<T>();
    const int64_t end = end_of_true(bits, chosen->numel);
    for (int64_t i = 0; i < end; i++) {
      *to = source[i];
      to += bits[i] != 0;
    }
  });
  call.result(std::move(out));
}

// masked_scatter_(self, mask, source): the true places get the elements of source in order
FLAMBEAU_OP(masked_scatter_, OnMeta::Serve) {
  Tensor& self = call.tensor();
  const Tensor& mask = call.tensor();
  const Tensor& source = call.tensor();
  check_writable(self);
  check_mask(mask, "masked_scatter_");
  FLAMBEAU_CHECK(self.dtype == source.dtype, Kind::Runtime,
                 "masked_scatter_: expected self and source to have same dtypes but got %s and %s",
                 scalar_name(self.dtype), scalar_name(source.dtype));
  const Dims sizes = broadcast_sizes(self.sizes, mask.sizes);
  FLAMBEAU_CHECK(sizes == self.sizes, Kind::Runtime, "output with shape %s doesn't match the broadcast shape %s",
                 show(self.sizes).c_str(), show(sizes).c_str());
  const Ref chosen = mask_over(mask, sizes, self);
  const uint8_t* bits = chosen->as<uint8_t>();
  FLAMBEAU_CHECK(dry_run() || count_true(bits, chosen->numel) <= source.numel, Kind::Runtime,
                 "Number of elements of source < number of ones in mask");
  const Ref values = source_values(source, self.dtype, self);
  Workspace work(self, self.dtype);
  by_size(item_size(self.dtype), [&](auto zero) {
    using T = decltype(zero);
    const T* from = values->as<T>();
    T* to = work->as<T>();
    for (int64_t i = 0; i < chosen->numel && !dry_run(); i++)
      if (bits[i]) to[i] = *from++;
  });
  work.finish();
  self.bump();
}

// nonzero(x) -> int64 [count, ndim], in row-major order
FLAMBEAU_OP(nonzero) {
  const Tensor& x = call.tensor();
  const Ref truth = contiguous(x, DType::Bool);
  const uint8_t* bits = truth->as<uint8_t>();
  const int64_t count = count_true(bits, truth->numel);
  const int ndim = x.ndim();
  Ref out = empty(Dims{count, ndim}, DType::I64);
  int64_t* to = out->as<int64_t>();
  if (ndim == 1) {
    const int64_t end = end_of_true(bits, truth->numel);
    for (int64_t i = 0; i < end; i++) {
      *to = i;
      to += bits[i] != 0;
    }
  } else if (ndim > 1 && count > 0) {
    const int64_t last = x.sizes[ndim - 1];
    int64_t index[kMaxDims] = {};
    const int64_t all = end_of_true(bits, truth->numel);
    for (int64_t row = 0; row < all; row += last) {
      const int64_t end = std::min(last, all - row);
      for (int64_t k = 0; k < end; k++) {
        for (int d = 0; d < ndim - 1; d++) to[d] = index[d];
        to[ndim - 1] = k;
        to += ndim & -static_cast<int>(bits[row + k] != 0);
      }
      for (int d = ndim - 2; d >= 0 && ++index[d] == x.sizes[d]; d--) index[d] = 0;
    }
  }
  call.result(std::move(out));
}

}  // namespace
}  // namespace flambeau
