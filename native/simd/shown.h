// Sanitizers know plain loads and stores. What masked and streaming instructions touch they are shown: its ends.
#pragma once
#include <stdint.h>

#include "core/sanitizer.h"
#include "kernels/set.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

inline __attribute__((always_inline)) void show_read(const void* p, int64_t bytes) {
  if constexpr (kSeesAccesses) {
    if (bytes <= 0) return;
    const volatile char* at = static_cast<const volatile char*>(p);
    (void)at[0];
    (void)at[bytes - 1];
  }
}
// Before the write: each end is written as it was.
inline __attribute__((always_inline)) void show_write(void* p, int64_t bytes) {
  if constexpr (kSeesAccesses) {
    if (bytes <= 0) return;
    volatile char* at = static_cast<volatile char*>(p);
    at[0] = at[0];
    at[bytes - 1] = at[bytes - 1];
  }
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
