#include "core/packed.h"

#include <algorithm>
#include <mutex>

#include "core/allocator.h"
#include "core/dry_run.h"

namespace flambeau {

// What is known of one form of a storage. Records of a storage are chained; those that hold bytes are also in one list
// of the whole process, the one used last in front.
struct PackedRecord {
  PackedKey key;
  uint64_t writes = 0;  // the storage's count that `bytes` were made from, or at the last use
  uint32_t uses = 0;    // at that count
  uint32_t needed = 2;  // uses before packing
  uint64_t used = 0;    // the clock's time of the last use
  PackedForm::Bytes* bytes = nullptr;
  PackedRecord* next = nullptr;  // of the storage
  PackedRecord *newer = nullptr, *older = nullptr;
};

namespace {

// Forms may take as much as the storages themselves (a form is about as large as its operand: all weights of a model
// that does nothing but infer can be packed, for twice the memory), or this much, if that is more.
constexpr int64_t kFloor = int64_t{64} << 20;
// A weight that is written to between uses, in training, is asked for ever more patience.
constexpr uint32_t kMostNeeded = 64;
// Records of one storage; a new one takes the place of the one used longest ago.
constexpr int kMostRecords = 64;

struct Table {
  std::mutex lock;
  PackedRecord *newest = nullptr, *oldest = nullptr;
  int64_t bytes = 0, forms = 0;
  uint64_t clock = 0;  // uses of forms, kept or not
};

// Never destroyed: threads may still drop storages while the process ends.
Table& table() {
  static Table* t = new Table;
  return *t;
}

void unlink(Table& t, PackedRecord* r) {
  (r->newer ? r->newer->older : t.newest) = r->older;
  (r->older ? r->older->newer : t.oldest) = r->newer;
  r->newer = r->older = nullptr;
}

void put_in_front(Table& t, PackedRecord* r) {
  r->older = t.newest;
  (t.newest ? t.newest->newer : t.oldest) = r;
  t.newest = r;
}

// Takes the bytes out of a record; the caller drops them, without the lock.
PackedForm take_bytes(Table& t, PackedRecord* r) {
  if (!r->bytes) return PackedForm();
  unlink(t, r);
  t.bytes -= static_cast<int64_t>(r->bytes->size);
  t.forms--;
  return PackedForm(std::exchange(r->bytes, nullptr));
}

// Whether `size` bytes more fit once the oldest forms are gone. Those used in the last rounds stay: where a program
// goes through more forms than there is room for, a part that stays is used, while one that turns over never is.
bool make_room(Table& t, int64_t size, int64_t limit, PackedForm& freed) {
  if (t.bytes + size <= limit) return true;
  PackedRecord* oldest = t.oldest;
  if (!oldest || t.clock - oldest->used <= 4 * static_cast<uint64_t>(t.forms)) return false;
  freed = take_bytes(t, oldest);
  return t.bytes + size <= limit;
}

PackedRecord* find(Storage* s, const PackedKey& key) {
  for (PackedRecord* r = s->packed; r; r = r->next)
    if (r->key == key) return r;
  return nullptr;
}

// A new record; the bytes of the one whose place it takes go to `freed`.
PackedRecord* enter(Table& t, Storage* s, const PackedKey& key, PackedForm& freed) {
  int n = 0;
  PackedRecord* oldest = s->packed;
  for (PackedRecord* r = s->packed; r; r = r->next, n++)
    if (r->used < oldest->used) oldest = r;
  if (n >= kMostRecords) {
    freed = take_bytes(t, oldest);
    PackedRecord* next = oldest->next;
    *oldest = PackedRecord{};
    oldest->key = key;
    oldest->next = next;
    return oldest;
  }
  auto* r = new PackedRecord;
  r->key = key;
  r->next = s->packed;
  s->packed = r;
  return r;
}

}  // namespace

void PackedForm::drop(Bytes* bytes) noexcept {
  if (!bytes || bytes->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  release(bytes->data, bytes->size);
  delete bytes;
}

PackedForm detail::packed_form(Storage* s, const PackedKey& key, int64_t size, PackFn pack, const void* context) {
  // Memory that is not the allocator's may be written to past the count.
  if (s->meta || s->release || s->parted.load(std::memory_order_relaxed) || dry_run()) return PackedForm();
  Table& t = table();
  const uint64_t writes = s->writes.load(std::memory_order_acquire);
  const int64_t limit = std::max(kFloor, storage_bytes_in_use());
  PackedForm freed;  // dropped after the lock
  {
    std::lock_guard guard(t.lock);
    PackedRecord* r = find(s, key);
    if (!r) r = enter(t, s, key, freed);
    if (r->writes != writes) {
      if (r->bytes && r->uses <= r->needed + 1 && r->needed < kMostNeeded) r->needed *= 2;
      freed = take_bytes(t, r);
      r->writes = writes;
      r->uses = 0;
    }
    if (++r->uses >= r->needed) t.clock++;
    r->used = t.clock;
    if (r->bytes) {
      unlink(t, r);
      put_in_front(t, r);
      r->bytes->refs.fetch_add(1, std::memory_order_relaxed);
      return PackedForm(r->bytes);
    }
    if (r->uses < r->needed || !make_room(t, size, limit, freed)) return PackedForm();
  }
  auto* bytes = new PackedForm::Bytes;
  PackedForm form(bytes);
  try {
    bytes->data = allocate(static_cast<size_t>(size));
  } catch (const Error&) {
    return PackedForm();  // the product is computed without
  }
  bytes->size = static_cast<size_t>(size);
  pack(context, bytes->data);
  std::lock_guard guard(t.lock);
  PackedRecord* r = find(s, key);
  // Another thread may have packed it, or written to the storage.
  if (r && !r->bytes && r->writes == writes) {
    r->bytes = bytes;
    bytes->refs.fetch_add(1, std::memory_order_relaxed);
    put_in_front(t, r);
    t.bytes += size;
    t.forms++;
  }
  return form;
}

void forget_packed(Storage* s) noexcept {
  Table& t = table();
  for (PackedRecord* r = std::exchange(s->packed, nullptr); r;) {
    PackedForm freed;
    {
      std::lock_guard guard(t.lock);
      freed = take_bytes(t, r);
    }
    delete std::exchange(r, r->next);
  }
}

int64_t packed_bytes() {
  Table& t = table();
  std::lock_guard guard(t.lock);
  return t.bytes;
}

}  // namespace flambeau
