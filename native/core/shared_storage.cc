#include "core/shared_storage.h"

#include <mutex>
#include <unordered_map>

namespace flambeau {
namespace {

struct Table {
  std::mutex lock;
  std::unordered_map<uint64_t, Storage*> storages;
};

// Never destroyed: threads may still drop storages while the process ends.
Table& table() {
  static Table* t = new Table;
  return *t;
}

}  // namespace

void share_storage(Storage* s) {
  Table& t = table();
  std::lock_guard guard(t.lock);
  t.storages.emplace(s->id, s);
  s->shared.store(true, std::memory_order_relaxed);
}

Storage* open_shared(uint64_t id) {
  Table& t = table();
  std::lock_guard guard(t.lock);
  const auto found = t.storages.find(id);
  if (found == t.storages.end()) return nullptr;
  // Its last owner may be on the way to forget_shared: a count that has reached zero stays there.
  int refs = found->second->refs.load(std::memory_order_relaxed);
  while (refs > 0)
    if (found->second->refs.compare_exchange_weak(refs, refs + 1, std::memory_order_acq_rel)) return found->second;
  return nullptr;
}

void forget_shared(Storage* s) {
  Table& t = table();
  std::lock_guard guard(t.lock);
  t.storages.erase(s->id);
}

}  // namespace flambeau
