// Storages and strided tensors: what a handle names.
#pragma once
#include <atomic>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "core/dtype.h"
#include "core/error.h"

namespace flambeau {

// As PyTorch's limit; it also bounds the arrays on the stack of iteration plans.
inline constexpr int kMaxDims = 64;

// Counts how often elements were changed in place; shared by all tensors whose changes autograd must see together.
struct Version {
  std::atomic<int> refs{1};
  uint32_t value = 0;
};

struct PackedRecord;

// A block of bytes that tensors view. Owned by reference counts, also from several JavaScript threads. One of the meta
// device has no block: `bytes` is what it would take.
struct Storage {
  std::atomic<int> refs{1};
  void* data = nullptr;
  int64_t bytes = 0;
  uint64_t id = 0;
  bool meta = false;
  std::atomic<bool> shared{false};      // see shared_storage.h
  void (*release)(Storage*) = nullptr;  // frees `data`; null for the allocator's own blocks
  void* owner = nullptr;                // for `release`
  std::atomic<bool> parted{false};      // other storages lie in its bytes
  std::atomic<uint64_t> writes{0};      // changes in place by any tensor on it, whatever its version counter
  PackedRecord* packed = nullptr;       // see packed.h
  int pins = 0;                         // see pin_storage
  Storage* outgrown = nullptr;          // the blocks it had before, of one storage each, chained by this field

  // Bytes of the allocator's. The meta device has none, and the pages of a mapped file are the system's to keep or
  // drop.
  int64_t held() const { return meta || release ? 0 : bytes; }
};

// Memory of `bytes` bytes, not initialised (zero bytes give a null pointer); in a dry run one of the meta device.
Storage* new_storage(int64_t bytes);
// Memory that is not the allocator's, and not counted as in use: `release` gives it back.
Storage* foreign_storage(void* data, int64_t bytes, void (*release)(Storage*), void* owner);
void drop_storage(Storage* s);
// Keeps a storage, and the bytes that it has now where they are, whatever becomes of it on the thread that uses it: for
// other threads that read the block, and for storages that lie in it.
void pin_storage(Storage* s);
void unpin_storage(Storage* s);
// Gives `s` the block of `larger`, which is dropped with the old one: at once, or when the last pin goes.
void exchange_block(Storage* s, Storage* larger);
// Bytes in all storages of the process.
int64_t storage_bytes_in_use();

// Sizes or strides: up to five in place, more on the heap.
class Dims {
 public:
  Dims() = default;
  explicit Dims(int n) { resize(n); }
  Dims(std::initializer_list<int64_t> v) {
    resize(static_cast<int>(v.size()));
    int i = 0;
    for (int64_t x : v) data_[i++] = x;
  }
  Dims(const int64_t* v, int n) {
    resize(n);
    if (n) std::memcpy(data_, v, sizeof(int64_t) * static_cast<size_t>(n));
  }
  Dims(const Dims& o) : Dims(o.data_, o.n_) {}
  Dims(Dims&& o) noexcept { take(o); }
  Dims& operator=(const Dims& o) {
    if (this != &o) {
      resize(o.n_);
      if (n_) std::memcpy(data_, o.data_, sizeof(int64_t) * static_cast<size_t>(n_));
    }
    return *this;
  }
  Dims& operator=(Dims&& o) noexcept {
    if (this != &o) {
      if (data_ != inline_) delete[] data_;
      take(o);
    }
    return *this;
  }
  ~Dims() {
    if (data_ != inline_) delete[] data_;
  }

  int size() const { return n_; }
  int64_t& operator[](int i) { return data_[i]; }
  int64_t operator[](int i) const { return data_[i]; }
  const int64_t* begin() const { return data_; }
  const int64_t* end() const { return data_ + n_; }
  int64_t* data() { return data_; }
  const int64_t* data() const { return data_; }

  void resize(int n) {
    FLAMBEAU_CHECK(n <= kMaxDims, Kind::Runtime, "a tensor has at most %d dimensions, got %d", kMaxDims, n);
    if (n > capacity_) {
      int64_t* grown = new int64_t[kMaxDims];
      if (n_) std::memcpy(grown, data_, sizeof(int64_t) * static_cast<size_t>(n_));
      if (data_ != inline_) delete[] data_;
      data_ = grown;
      capacity_ = kMaxDims;
    }
    n_ = n;
  }
  void push_back(int64_t v) {
    resize(n_ + 1);
    data_[n_ - 1] = v;
  }
  void insert(int at, int64_t v) {
    resize(n_ + 1);
    for (int i = n_ - 1; i > at; i--) data_[i] = data_[i - 1];
    data_[at] = v;
  }
  void erase(int at) {
    for (int i = at; i + 1 < n_; i++) data_[i] = data_[i + 1];
    n_--;
  }
  bool operator==(const Dims& o) const {
    return n_ == o.n_ && (n_ == 0 || std::memcmp(data_, o.data_, sizeof(int64_t) * static_cast<size_t>(n_)) == 0);
  }
  bool operator!=(const Dims& o) const { return !(*this == o); }

 private:
  void take(Dims& o) {
    n_ = o.n_;
    if (o.data_ == o.inline_) {
      data_ = inline_;
      capacity_ = kInline;
      std::memcpy(inline_, o.inline_, sizeof(inline_));
    } else {
      data_ = o.data_;
      capacity_ = o.capacity_;
      o.data_ = o.inline_;
      o.capacity_ = kInline;
    }
    o.n_ = 0;
  }
  static constexpr int kInline = 5;
  int64_t inline_[kInline];
  int64_t* data_ = inline_;
  int n_ = 0;
  int capacity_ = kInline;
};

struct Tensor;
void drop_tensor(Tensor* t);

// A counted reference to a tensor.
class Ref {
 public:
  Ref() = default;
  explicit Ref(Tensor* t) : t_(t) {}  // takes over the reference
  Ref(const Ref& o);
  Ref(Ref&& o) noexcept : t_(std::exchange(o.t_, nullptr)) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(t_, o.t_);
    return *this;
  }
  ~Ref() {
    if (t_) drop_tensor(t_);
  }
  Tensor* operator->() const { return t_; }
  Tensor& operator*() const { return *t_; }
  Tensor* get() const { return t_; }
  explicit operator bool() const { return t_ != nullptr; }
  Tensor* leak() { return std::exchange(t_, nullptr); }

 private:
  Tensor* t_ = nullptr;
};

// Sizes, strides (in elements) and a place in a storage. Belongs to one JavaScript thread; only storages are shared.
struct Tensor {
  int refs = 1;
  DType dtype = DType::F32;
  Storage* storage = nullptr;
  Version* version = nullptr;
  int64_t offset = 0;  // in elements
  int64_t numel = 0;
  Dims sizes;
  Dims strides;

  int ndim() const { return sizes.size(); }
  // Null where there are no bytes, whatever the offset.
  char* data() const {
    char* base = static_cast<char*>(storage->data);
    return base ? base + offset * item_size(dtype) : nullptr;
  }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data());
  }
  bool contiguous() const;
  bool meta() const { return storage->meta; }
  // After a change in place: a thread that sees the new counts also sees the new elements.
  void bump() {
    version->value++;
    storage->writes.fetch_add(1, std::memory_order_release);
  }
};

inline Ref::Ref(const Ref& o) : t_(o.t_) {
  if (t_) t_->refs++;
}

// The product of the sizes; throws when a size is negative or the product does not fit.
int64_t count_elements(const Dims& sizes);
Dims contiguous_strides(const Dims& sizes);

// A fresh tensor, row-major, elements not initialised.
Ref empty(const Dims& sizes, DType dtype);
// A fresh tensor with given strides, which must describe a dense layout.
Ref empty_strided(const Dims& sizes, const Dims& strides, DType dtype);
// A tensor of uint8 [bytes] on a storage, whose reference it takes over.
Ref tensor_on(Storage* s);
// Another tensor on the same storage (and version).
Ref view_of(const Tensor& t, const Dims& sizes, const Dims& strides, int64_t offset);

// "[2, 3]" for messages.
std::string show(const Dims& d);
// PyTorch's name of a type in messages: "Float", "Long".
const char* scalar_name(DType t);

// A dimension counted from the front; throws PyTorch's RangeError.
int wrap_dim(int64_t dim, int ndim);

}  // namespace flambeau
