// Packed forms: an operand that stays the same from call to call, laid out once as its kernel reads it fastest.
#pragma once
#include <algorithm>
#include <utility>

#include "core/tensor.h"

namespace flambeau {

// Which form of which part of a storage: a matrix (or whatever `layout` says the sizes are) and how its kernel packs
// it.
struct PackedKey {
  int64_t offset = 0;  // in bytes
  int64_t sizes[4] = {0, 0, 0, 0};
  int64_t strides[4] = {0, 0, 0, 0};
  int32_t layout = 0;  // a number of the kernel's own: element type and order of the form

  bool operator==(const PackedKey&) const = default;
};

// A counted reference to a form's bytes, or none.
class PackedForm {
 public:
  struct Bytes {
    std::atomic<int> refs{1};
    void* data = nullptr;
    size_t size = 0;
    Bytes* next = nullptr;  // among those that a change of the table sets free
  };

  PackedForm() = default;
  explicit PackedForm(Bytes* bytes) : bytes_(bytes) {}  // takes over the reference
  PackedForm(PackedForm&& o) noexcept : bytes_(std::exchange(o.bytes_, nullptr)) {}
  PackedForm& operator=(PackedForm&& o) noexcept {
    std::swap(bytes_, o.bytes_);
    return *this;
  }
  ~PackedForm() { drop(bytes_); }
  const void* data() const { return bytes_ ? bytes_->data : nullptr; }
  explicit operator bool() const { return bytes_ != nullptr; }
  static void drop(Bytes* bytes) noexcept;

 private:
  Bytes* bytes_ = nullptr;
};

// The form under `key` of what `s` holds now, or none where packing is not worth it (yet): an operand is packed when it
// is used again unchanged, because most right operands are temporaries, and memory is to be had. `pack(void*)` writes
// the `size` bytes of the form; it may neither throw nor allocate. The form lives until the storage is freed, or until
// it is asked for again after the storage was written to, or until there is no room: forms that were used since need
// it, or there are fewer tensors.
template <class F>
PackedForm packed_form(Storage* s, const PackedKey& key, int64_t size, const F& pack);

// Frees what was packed of a storage: called by drop_storage.
void forget_packed(Storage* s) noexcept;

namespace detail {
extern std::atomic<int64_t> packed_total;
}
// Bytes in all forms.
inline int64_t packed_bytes() { return detail::packed_total.load(std::memory_order_relaxed); }
// What they may take beside storages of so many bytes: as much (a form is about as large as its operand: all weights of
// a model that does nothing but infer can be packed, for twice the memory), or 64 MiB, if that is more.
inline int64_t packed_limit(int64_t storage_bytes) { return std::max(int64_t{64} << 20, storage_bytes); }
// Frees the forms used longest ago until the rest take at most `limit` bytes.
void trim_packed(int64_t limit) noexcept;

namespace detail {
using PackFn = void (*)(const void* context, void* to);
PackedForm packed_form(Storage* s, const PackedKey& key, int64_t size, PackFn pack, const void* context);
}  // namespace detail

template <class F>
PackedForm packed_form(Storage* s, const PackedKey& key, int64_t size, const F& pack) {
  return detail::packed_form(
      s, key, size, [](const void* context, void* to) { (*static_cast<const F*>(context))(to); }, &pack);
}

}  // namespace flambeau
