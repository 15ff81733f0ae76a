#include "core/packed.h"

#include <mutex>
#include <new>

#include "core/allocator.h"
#include "core/dry_run.h"

namespace flambeau {

// What is known of one form of a storage. Records of a storage are chained; those that hold bytes are also in one list
// of the whole process, the one used last in front.
struct PackedRecord {
  PackedKey key;
  uint64_t writes = 0;   // the storage's count that `bytes` were made from, or at the last use
  uint32_t uses = 0;     // at that count
  uint32_t needed = 2;   // uses before packing
  uint64_t used = 0;     // the clock's time of the last use
  bool packing = false;  // a thread writes the form, and its bytes are counted already
  PackedForm::Bytes* bytes = nullptr;
  PackedRecord* next = nullptr;  // of the storage
  PackedRecord *newer = nullptr, *older = nullptr;
};

namespace {

// A weight that is written to between uses, in training, is asked for ever more patience.
constexpr uint32_t kMostNeeded = 64;
// Records of one storage; a new one takes the place of the one used longest ago.
constexpr int kMostRecords = 64;

struct Table {
  std::mutex lock;
  PackedRecord *newest = nullptr, *oldest = nullptr;
  int64_t forms = 0;
  uint64_t clock = 0;  // uses of forms, kept or not
};

void give_up() noexcept { trim_packed(0); }

// Never destroyed: threads may still drop storages while the process ends.
Table& table() {
  static Table* t = [] {
    auto* made = new Table;
    on_refusal(give_up);
    return made;
  }();
  return *t;
}

void add_bytes(int64_t n) { detail::packed_total.fetch_add(n, std::memory_order_relaxed); }

// What leaves the table under its lock and is given back without it.
class Freed {
 public:
  Freed() = default;
  Freed(const Freed&) = delete;
  Freed& operator=(const Freed&) = delete;
  ~Freed() {
    while (first_) PackedForm::drop(std::exchange(first_, first_->next));
  }
  void add(PackedForm::Bytes* bytes) {
    bytes->next = first_;
    first_ = bytes;
  }

 private:
  PackedForm::Bytes* first_ = nullptr;
};

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

void take_bytes(Table& t, PackedRecord* r, Freed& freed) {
  if (!r->bytes) return;
  unlink(t, r);
  add_bytes(-static_cast<int64_t>(r->bytes->size));
  t.forms--;
  freed.add(std::exchange(r->bytes, nullptr));
}

// Whether `size` bytes more fit once the oldest forms are gone, which stay if that is not enough. Those used in the
// last rounds stay in any case: where a program goes through more forms than there is room for, a part that stays is
// used, while one that turns over never is.
bool make_room(Table& t, int64_t size, int64_t limit, Freed& freed) {
  if (size > limit) return false;
  const int64_t missing = packed_bytes() + size - limit;
  int64_t found = 0;
  for (const PackedRecord* r = t.oldest; found < missing; r = r->newer) {
    if (!r || t.clock - r->used <= 4 * static_cast<uint64_t>(t.forms)) return false;
    found += static_cast<int64_t>(r->bytes->size);
  }
  while (packed_bytes() + size > limit) take_bytes(t, t.oldest, freed);
  return true;
}

// A form that was made and not used for long enough is made later the next time.
void wait_longer(PackedRecord* r) {
  if (r->needed < kMostNeeded) r->needed *= 2;
}

PackedRecord* find(Storage* s, const PackedKey& key) {
  for (PackedRecord* r = s->packed; r; r = r->next)
    if (r->key == key) return r;
  return nullptr;
}

// A new record, or null where there is no memory for one.
PackedRecord* enter(Table& t, Storage* s, const PackedKey& key, Freed& freed) {
  int n = 0;
  PackedRecord* oldest = nullptr;
  for (PackedRecord* r = s->packed; r; r = r->next, n++)
    if (!r->packing && (!oldest || r->used < oldest->used)) oldest = r;
  if (n >= kMostRecords && oldest) {
    take_bytes(t, oldest, freed);
    PackedRecord* next = oldest->next;
    *oldest = PackedRecord{};
    oldest->key = key;
    oldest->next = next;
    return oldest;
  }
  auto* r = new (std::nothrow) PackedRecord;
  if (!r) return nullptr;
  r->key = key;
  r->next = s->packed;
  s->packed = r;
  return r;
}

// Null where there is no memory.
PackedForm::Bytes* new_bytes(int64_t size) noexcept {
  auto* bytes = new (std::nothrow) PackedForm::Bytes;
  if (!bytes) return nullptr;
  try {
    bytes->data = allocate(static_cast<size_t>(size));
    bytes->size = static_cast<size_t>(size);
    return bytes;
  } catch (...) {
    delete bytes;
    return nullptr;
  }
}

}  // namespace

std::atomic<int64_t> detail::packed_total{0};

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
  PackedRecord* r;
  {
    Freed freed;
    std::lock_guard guard(t.lock);
    r = find(s, key);
    if (!r) r = enter(t, s, key, freed);
    if (!r) return PackedForm();
    if (r->writes != writes) {
      if (r->bytes && r->uses <= r->needed + 1) wait_longer(r);
      take_bytes(t, r, freed);
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
    if (r->packing || r->uses < r->needed) return PackedForm();
    if (!make_room(t, size, packed_limit(storage_bytes_in_use()), freed)) return PackedForm();
    r->packing = true;
    add_bytes(size);
  }
  PackedForm::Bytes* bytes = new_bytes(size);
  if (bytes) pack(context, bytes->data);
  PackedForm form(bytes);
  // The record is still there: the caller holds the storage.
  std::lock_guard guard(t.lock);
  r->packing = false;
  // Meanwhile the storage may have been written to, or others may have gone.
  if (form && r->writes == writes && packed_bytes() <= packed_limit(storage_bytes_in_use())) {
    r->bytes = bytes;
    bytes->refs.fetch_add(1, std::memory_order_relaxed);
    put_in_front(t, r);
    t.forms++;
  } else {
    add_bytes(-size);
  }
  return form;
}

void forget_packed(Storage* s) noexcept {
  Table& t = table();
  Freed freed;
  std::lock_guard guard(t.lock);
  for (PackedRecord* r = std::exchange(s->packed, nullptr); r;) {
    take_bytes(t, r, freed);
    delete std::exchange(r, r->next);
  }
}

void trim_packed(int64_t limit) noexcept {
  Table& t = table();
  Freed freed;
  std::lock_guard guard(t.lock);
  while (t.oldest && packed_bytes() > limit) {
    wait_longer(t.oldest);
    t.oldest->uses = 0;
    take_bytes(t, t.oldest, freed);
  }
}

}  // namespace flambeau
