// Tensors that change their size, or move to other memory, in place.
#include <algorithm>
#include <cstring>

#include "ops/registry.h"

namespace flambeau {
namespace {

// Gives the storage at least `bytes` bytes; what it holds is kept. All tensors on it see the new block.
void grow(Storage& s, int64_t bytes) {
  if (s.bytes >= bytes) return;
  if (s.meta) {
    s.bytes = bytes;
    return;
  }
  // Other threads may be reading the block.
  FLAMBEAU_CHECK(!s.shared.load(std::memory_order_relaxed), Kind::Runtime,
                 "Trying to resize storage that is not resizable");
  Storage* larger = new_storage(bytes);
  if (s.bytes > 0) std::memcpy(larger->data, s.data, static_cast<size_t>(s.bytes));
  exchange_block(&s, larger);
}

// New sizes, row-major; elements beyond the old storage are not initialised.
FLAMBEAU_OP(resize_, OnMeta::Serve) {
  Tensor& self = call.tensor();
  const Dims sizes = call.dims();
  if (sizes == self.sizes) return;
  const int64_t numel = count_elements(sizes);
  int64_t bytes = 0;
  const bool overflow = __builtin_add_overflow(numel, self.offset, &bytes) ||
                        __builtin_mul_overflow(bytes, static_cast<int64_t>(item_size(self.dtype)), &bytes);
  FLAMBEAU_CHECK(!overflow, Kind::Runtime, "Storage size calculation overflowed with sizes=%s", show(sizes).c_str());
  if (numel > 0) grow(*self.storage, bytes);
  self.numel = numel;
  self.sizes = sizes;
  self.strides = contiguous_strides(sizes);
  self.bump();
}

// self becomes a view of the storage of `source`, with its geometry.
FLAMBEAU_OP(set_source, OnMeta::Free) {
  Tensor& self = call.tensor();
  const Tensor& source = call.tensor();
  FLAMBEAU_CHECK(self.dtype == source.dtype, Kind::Runtime,
                 "Expected a Storage of type %s or an UntypedStorage, but got type %s for argument 1 'storage'",
                 scalar_name(self.dtype), scalar_name(source.dtype));
  const auto device = [](const Tensor& t) { return t.meta() ? "meta" : "cpu"; };
  FLAMBEAU_CHECK(self.meta() == source.meta(), Kind::Runtime,
                 "Attempted to set the storage of a tensor on device \"%s\" to a storage on different device \"%s\".  "
                 "This is no longer allowed; the devices must match.",
                 device(self), device(source));
  if (self.storage != source.storage) {
    source.storage->refs.fetch_add(1, std::memory_order_relaxed);
    drop_storage(self.storage);
    self.storage = source.storage;
  }
  self.offset = source.offset;
  self.numel = source.numel;
  self.sizes = source.sizes;
  self.strides = source.strides;
  self.bump();
}

}  // namespace
}  // namespace flambeau
