#include "core/allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/sanitizer.h"

namespace flambeau {
namespace {

// Eight classes per power of two: at most an eighth of a block is lost, and sizes that differ a little share blocks.
constexpr size_t kMinimum = 64;
constexpr int kClasses = 8 * 48;
constexpr size_t kHugePage = size_t{2} << 20;
// Above this a block is aligned for huge pages, which saves most of the page faults of a first touch.
constexpr size_t kHugeFrom = size_t{4} << 20;
// The cache may hold this much, or what brings the whole up to what was in use at its highest lately, if that is more:
// a training step frees nearly all it asked for and asks for it again, and memory that the system gives out anew has to
// be cleared, page by page.
constexpr int64_t kCacheFloor = int64_t{256} << 20;
// "Lately" ends when so many times that much has been asked for, twice: longer than a step, which asks for a few times
// what it holds at its end.
constexpr int64_t kWindow = 8;
// Blocks up to this size are kept per thread, without a lock: so much of each class. It holds what one sweep frees.
constexpr size_t kLocalLimit = 4096;
constexpr size_t kLocalBytes = size_t{512} << 10;
// Working memory up to this size stays with its thread: what a matrix product packs for sixteen threads.
constexpr size_t kWorkspaceLimit = size_t{16} << 20;

struct SizeClass {
  int index;
  size_t bytes;
};

SizeClass class_of(size_t bytes) {
  if (bytes <= kMinimum) return {0, kMinimum};
  const int log = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^log < bytes <= 2^(log + 1)
  const size_t step = log >= 9 ? size_t{1} << (log - 3) : kMinimum;
  const size_t rounded = (bytes + step - 1) / step * step;
  const int eighth = log >= 9 ? static_cast<int>((rounded - (size_t{1} << log)) / step)
                              : static_cast<int>((rounded - (size_t{1} << log)) / kMinimum);
  return {8 * (log - 5) + eighth, rounded};
}

struct Cache {
  std::mutex lock;
  std::vector<void*> free[kClasses];
  uint64_t asked[kClasses] = {};  // when a block of the class was last asked for
  uint64_t clock = 0;
  int64_t cached = 0;
  int64_t highest[2] = {};  // that was in use, in this window and in the last
  int64_t requested = 0;    // bytes, in this window

  // Notes that a block was asked for, with which `used` bytes are in use.
  void note(int64_t bytes, int64_t used) {
    requested += bytes;
    if (requested > kWindow * highest[0]) {
      highest[1] = highest[0];
      highest[0] = requested = 0;
    }
    highest[0] = std::max(highest[0], used);
  }
  // What may wait for reuse while `used` bytes are in use.
  int64_t limit(int64_t used) const { return std::max(kCacheFloor, std::max(highest[0], highest[1]) - used); }
};

// Never destroyed: threads may still give blocks back while the process ends.
Cache& cache() {
  static Cache* c = new Cache;
  return *c;
}

std::atomic<int64_t> in_use{0};
std::atomic<int64_t> cached_total{0};
std::atomic<void (*)() noexcept> spare{nullptr};

struct Local {
  std::vector<void*> free[8 * 8];
  ~Local() {
    for (auto& list : free)
      for (void* block : list) std::free(block);
  }
};
thread_local Local local;

struct Workspace {
  void* block = nullptr;
  size_t bytes = 0;
  bool taken = false;
  ~Workspace() { std::free(block); }
  void drop() {
    std::free(std::exchange(block, nullptr));
    bytes = 0;
  }
};
thread_local Workspace workspace;

// The bytes of a class, by its index.
size_t bytes_of(int index) {
  const int log = index / 8 + 5, eighth = index % 8;
  if (index == 0) return kMinimum;
  return log >= 9 ? (size_t{1} << log) + static_cast<size_t>(eighth) * (size_t{1} << (log - 3))
                  : (size_t{1} << log) + static_cast<size_t>(eighth) * kMinimum;
}

// Gives blocks back to the system until `bytes` more fit: those of the sizes that were not asked for longest. Otherwise
// what a program did once would fill the cache, and what it does now would fault in fresh pages every time.
void make_space(Cache& shared, int64_t bytes, int64_t limit) {
  while (shared.cached + bytes > limit) {
    int oldest = -1;
    for (int i = 0; i < kClasses; i++)
      if (!shared.free[i].empty() && (oldest < 0 || shared.asked[i] < shared.asked[oldest])) oldest = i;
    if (oldest < 0) return;
    std::free(shared.free[oldest].back());
    shared.free[oldest].pop_back();
    shared.cached -= static_cast<int64_t>(bytes_of(oldest));
  }
}

void* from_system(size_t bytes, size_t huge_from) {
  const size_t alignment = bytes >= huge_from ? kHugePage : kMinimum;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* block = std::aligned_alloc(alignment, rounded);
  if (block == nullptr) {
    if (auto* give_up = spare.load(std::memory_order_acquire)) give_up();
    if (!workspace.taken) workspace.drop();
    empty_cache();  // last, as the others give their blocks back to it
    block = std::aligned_alloc(alignment, rounded);
  }
  FLAMBEAU_CHECK(block != nullptr, Kind::Runtime,
                 "DefaultCPUAllocator: can't allocate memory: you tried to allocate %zu bytes.", bytes);
#ifdef MADV_HUGEPAGE
  if (bytes >= huge_from) madvise(block, rounded, MADV_HUGEPAGE);
#endif
  return block;
}

// Tells the address sanitizer that `used` bytes of a block are somebody's now. They are made NaN, so that a result
// shows that something was read before it was written; of large blocks only the front, for time.
void hand_out(void* block, size_t used, size_t capacity) {
  mark_used(block, used, capacity);
  if constexpr (kAddressSanitizer) std::memset(block, 0xff, std::min(used, size_t{1} << 20));
}

// A block of the class, out of the caches or new.
void* take_block(const SizeClass& c) {
  const int64_t size = static_cast<int64_t>(c.bytes);
  const int64_t used = in_use.fetch_add(size, std::memory_order_relaxed) + size;
  if (c.bytes <= kLocalLimit) {
    auto& list = local.free[c.index];
    if (!list.empty()) {
      void* block = list.back();
      list.pop_back();
      return block;
    }
  }
  Cache& shared = cache();
  {
    std::lock_guard guard(shared.lock);
    auto& list = shared.free[c.index];
    shared.asked[c.index] = ++shared.clock;
    shared.note(size, used);
    if (!list.empty()) {
      void* block = list.back();
      list.pop_back();
      shared.cached -= size;
      cached_total.store(shared.cached, std::memory_order_relaxed);
      return block;
    }
    make_space(shared, 0, shared.limit(used));
    cached_total.store(shared.cached, std::memory_order_relaxed);
  }
  try {
    return from_system(c.bytes, kHugeFrom);
  } catch (...) {
    in_use.fetch_sub(size, std::memory_order_relaxed);
    throw;
  }
}

}  // namespace

void* allocate(size_t bytes) {
  FLAMBEAU_CHECK(bytes < (size_t{1} << 47), Kind::Runtime,
                 "DefaultCPUAllocator: can't allocate memory: you tried to allocate %zu bytes.", bytes);
  const SizeClass c = class_of(bytes);
  void* block = take_block(c);
  hand_out(block, bytes, c.bytes);
  return block;
}

void on_refusal(void (*give_up)() noexcept) { spare.store(give_up, std::memory_order_release); }

void release(void* block, size_t bytes) noexcept {
  if (block == nullptr) return;
  const SizeClass c = class_of(bytes);
  mark_used(block, 0, c.bytes);
  const int64_t size = static_cast<int64_t>(c.bytes);
  const int64_t used = in_use.fetch_sub(size, std::memory_order_relaxed) - size;
  if (c.bytes <= kLocalLimit) {
    auto& list = local.free[c.index];
    if (list.size() * c.bytes < kLocalBytes) {
      list.push_back(block);
      return;
    }
  }
  Cache& shared = cache();
  {
    std::lock_guard guard(shared.lock);
    const int64_t limit = shared.limit(used);
    if (size <= limit) {
      make_space(shared, size, limit);
      shared.free[c.index].push_back(block);
      shared.cached += size;
      cached_total.store(shared.cached, std::memory_order_relaxed);
      return;
    }
  }
  std::free(block);
}

void* take_workspace(size_t bytes) {
  if (bytes == 0) return nullptr;
  Workspace& own = workspace;
  if (own.taken || bytes > kWorkspaceLimit) return allocate(bytes);
  if (bytes > own.bytes) {
    own.drop();
    const size_t rounded = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    own.block = from_system(rounded, kHugePage);
    own.bytes = rounded;
  }
  own.taken = true;
  hand_out(own.block, bytes, own.bytes);
  return own.block;
}

void return_workspace(void* block, size_t bytes) noexcept {
  if (block && block == workspace.block) {
    workspace.taken = false;
    mark_used(block, 0, workspace.bytes);
  } else {
    release(block, bytes);
  }
}

int64_t cached_bytes() { return cached_total.load(std::memory_order_relaxed); }

void empty_cache() {
  Cache& shared = cache();
  std::lock_guard guard(shared.lock);
  for (auto& list : shared.free) {
    for (void* block : list) std::free(block);
    list.clear();
  }
  shared.cached = 0;
  cached_total.store(0, std::memory_order_relaxed);
}

}  // namespace flambeau
