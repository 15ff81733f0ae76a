#include "core/tensor.h"

#include <mutex>
#include <string>
#include <vector>

#include "core/allocator.h"
#include "core/dry_run.h"
#include "core/packed.h"
#include "core/sanitizer.h"
#include "core/shared_storage.h"

namespace flambeau {
namespace {

std::atomic<uint64_t> next_id{1};
std::atomic<int64_t> in_use{0};

// Tensor objects are made and dropped by the million; a thread keeps for reuse what one sweep may free (4,096 tensors):
// what goes through malloc costs three times as much. None where late uses of them are to be found.
template <class T>
struct Pool {
  std::vector<T*> free;
  ~Pool() {
    for (T* t : free) delete t;
  }
  T* get() {
    if (free.empty()) return new T;
    T* t = free.back();
    free.pop_back();
    return t;
  }
  void put(T* t) {
    if (!kAddressSanitizer && free.size() < 8192)
      free.push_back(t);
    else
      delete t;
  }
};
thread_local Pool<Tensor> tensors;
thread_local Pool<Version> versions;
thread_local Pool<Storage> storages;

void drop_version(Version* v) {
  if (v && v->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) versions.put(v);
}

}  // namespace

Storage* foreign_storage(void* data, int64_t bytes, void (*release)(Storage*), void* owner) {
  Storage* s = storages.get();
  s->refs.store(1, std::memory_order_relaxed);
  s->data = data;
  s->bytes = bytes;
  s->id = next_id.fetch_add(1, std::memory_order_relaxed);
  s->meta = false;
  s->shared.store(false, std::memory_order_relaxed);
  s->release = release;
  s->owner = owner;
  s->parted.store(false, std::memory_order_relaxed);
  return s;
}

Storage* new_storage(int64_t bytes) {
  const bool meta = dry_run();
  void* data = bytes > 0 && !meta ? allocate(static_cast<size_t>(bytes)) : nullptr;
  Storage* s = foreign_storage(data, bytes, nullptr, nullptr);
  s->meta = meta;
  if (meta)
    meta_storages.fetch_add(1, std::memory_order_relaxed);
  else
    in_use.fetch_add(bytes, std::memory_order_relaxed);
  return s;
}

void drop_storage(Storage* s) {
  if (!s || s->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (s->shared.load(std::memory_order_relaxed)) forget_shared(s);
  if (s->packed) forget_packed(s);
  const int64_t held = s->held();
  const int64_t left = in_use.fetch_sub(held, std::memory_order_relaxed) - held;
  if (s->meta)
    meta_storages.fetch_sub(1, std::memory_order_relaxed);
  else if (s->release)
    s->release(s);
  else
    release(s->data, static_cast<size_t>(s->bytes));
  storages.put(s);
  const int64_t limit = packed_limit(left);
  if (packed_bytes() > limit) trim_packed(limit);
}

namespace {
// Of `pins` and `outgrown`: parts of a storage may be dropped on any thread.
std::mutex pinning;
}  // namespace

void pin_storage(Storage* s) {
  s->refs.fetch_add(1, std::memory_order_relaxed);
  std::lock_guard guard(pinning);
  s->pins++;
}

void unpin_storage(Storage* s) {
  Storage* old = nullptr;
  {
    std::lock_guard guard(pinning);
    if (--s->pins == 0) old = std::exchange(s->outgrown, nullptr);
  }
  while (old) drop_storage(std::exchange(old, std::exchange(old->outgrown, nullptr)));
  drop_storage(s);
}

void exchange_block(Storage* s, Storage* larger) {
  std::swap(s->data, larger->data);
  std::swap(s->bytes, larger->bytes);
  std::swap(s->release, larger->release);
  std::swap(s->owner, larger->owner);
  {
    std::lock_guard guard(pinning);
    if (s->pins > 0) {
      larger->outgrown = s->outgrown;
      s->outgrown = larger;
      return;
    }
  }
  drop_storage(larger);
}

int64_t storage_bytes_in_use() { return in_use.load(std::memory_order_relaxed); }

void drop_tensor(Tensor* t) {
  if (--t->refs > 0) return;
  drop_storage(t->storage);
  drop_version(t->version);
  t->storage = nullptr;
  t->version = nullptr;
  tensors.put(t);
}

bool Tensor::contiguous() const {
  int64_t expected = 1;
  if (numel == 0) return true;
  for (int d = ndim() - 1; d >= 0; d--) {
    if (sizes[d] != 1 && strides[d] != expected) return false;
    expected *= sizes[d];
  }
  return true;
}

int64_t count_elements(const Dims& sizes) {
  int64_t n = 1;
  bool zero = false;
  for (int64_t s : sizes) {
    FLAMBEAU_CHECK(s >= 0, Kind::Runtime, "Trying to create tensor with negative dimension %lld: %s",
                   static_cast<long long>(s), show(sizes).c_str());
    if (s == 0)
      zero = true;
    else
      FLAMBEAU_CHECK(!__builtin_mul_overflow(n, s, &n) && n < (int64_t{1} << 53), Kind::Runtime,
                     "Storage size calculation overflowed with sizes=%s", show(sizes).c_str());
  }
  return zero ? 0 : n;
}

Dims contiguous_strides(const Dims& sizes) {
  Dims strides(sizes.size());
  int64_t step = 1;
  for (int d = sizes.size() - 1; d >= 0; d--) {
    strides[d] = step;
    step *= sizes[d] > 1 ? sizes[d] : 1;
  }
  return strides;
}

static Ref make(const Dims& sizes, DType dtype, int64_t numel, Storage* s) {
  Tensor* t = tensors.get();
  t->refs = 1;
  t->dtype = dtype;
  t->storage = s;
  t->version = versions.get();
  t->version->refs.store(1, std::memory_order_relaxed);
  t->version->value = 0;
  t->offset = 0;
  t->numel = numel;
  t->sizes = sizes;
  return Ref(t);
}

Ref empty(const Dims& sizes, DType dtype) {
  const int64_t numel = count_elements(sizes);
  Ref t = make(sizes, dtype, numel, new_storage(numel * item_size(dtype)));
  t->strides = contiguous_strides(sizes);
  return t;
}

Ref empty_strided(const Dims& sizes, const Dims& strides, DType dtype) {
  const int64_t numel = count_elements(sizes);
  Ref t = make(sizes, dtype, numel, new_storage(numel * item_size(dtype)));
  t->strides = strides;
  return t;
}

Ref tensor_on(Storage* s) {
  Ref t = make({s->bytes}, DType::U8, s->bytes, s);
  t->strides = {1};
  return t;
}

Ref view_of(const Tensor& base, const Dims& sizes, const Dims& strides, int64_t offset) {
  Tensor* t = tensors.get();
  t->refs = 1;
  t->dtype = base.dtype;
  t->storage = base.storage;
  t->storage->refs.fetch_add(1, std::memory_order_relaxed);
  t->version = base.version;
  t->version->refs.fetch_add(1, std::memory_order_relaxed);
  t->offset = offset;
  t->numel = count_elements(sizes);
  t->sizes = sizes;
  t->strides = strides;
  return Ref(t);
}

std::string show(const Dims& d) {
  std::string s = "[";
  for (int i = 0; i < d.size(); i++) s += (i ? ", " : "") + std::to_string(d[i]);
  return s + "]";
}

const char* scalar_name(DType t) {
  static const char* const names[] = {"Byte",  "Char",   "Short",        "Int",           "Long", "Half",
                                      "Float", "Double", "ComplexFloat", "ComplexDouble", "Bool", "BFloat16"};
  return names[static_cast<int>(t)];
}

int wrap_dim(int64_t dim, int ndim) {
  const int64_t n = ndim == 0 ? 1 : ndim;
  FLAMBEAU_CHECK(dim >= -n && dim < n, Kind::Range,
                 "Dimension out of range (expected to be in range of [%lld, %lld], but got %lld)",
                 static_cast<long long>(-n), static_cast<long long>(n - 1), static_cast<long long>(dim));
  return static_cast<int>(dim < 0 ? dim + n : dim);
}

}  // namespace flambeau
