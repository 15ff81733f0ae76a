// Tensors that several threads see.
#include "core/shared_storage.h"
#include "ops/registry.h"

namespace flambeau {
namespace {

FLAMBEAU_OP(share_memory) { share_storage(call.tensor().storage); }

FLAMBEAU_OP(is_shared, OnMeta::Serve) { call.number(call.tensor().storage->shared.load(std::memory_order_relaxed)); }

// open_shared(number of a storage) -> uint8 [bytes] on it.
FLAMBEAU_OP(open_shared) {
  const int64_t id = call.integer();
  Storage* s = id > 0 ? open_shared(static_cast<uint64_t>(id)) : nullptr;
  FLAMBEAU_CHECK(s, Kind::Runtime,
                 "openShared(): the shared memory is gone; its owner must keep it until it is opened");
  call.result(tensor_on(s));
}

}  // namespace
}  // namespace flambeau
