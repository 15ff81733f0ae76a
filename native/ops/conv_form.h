// The packed form of a convolution's weight.
#pragma once
#include "core/packed.h"
#include "kernels/kernels.h"

namespace flambeau {

inline constexpr int32_t kConvForms =
    256;  // apart from the forms of products, which have the element type's number alone

// A contiguous weight as its kernel packs it, kept from call to call while it does not change.
inline PackedForm packed_weight(const ConvShape& s, const Tensor& w) {
  const int64_t bytes = kernels().conv.packed_bytes(w.dtype, s);
  if (bytes == 0) return PackedForm();
  PackedKey key;
  key.offset = w.data() - static_cast<const char*>(w.storage->data);
  const int64_t sizes[4] = {s.groups, s.o, s.c, s.kernel[0] * s.kernel[1] * s.kernel[2]};
  for (int i = 0; i < 4; i++) key.sizes[i] = sizes[i];
  key.strides[0] = bytes;  // which of its forms
  key.layout = kConvForms + static_cast<int32_t>(w.dtype);
  return packed_form(w.storage, key, bytes, [&](void* form) { kernels().conv.pack(w.dtype, s, w.data(), form); });
}

}  // namespace flambeau
