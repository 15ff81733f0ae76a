// Whether this build looks for wrong accesses, and what it is told that compilers do not tell it. Nothing in other
// builds.
#pragma once
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLAMBEAU_ADDRESS_SANITIZER 1
#elif __has_feature(thread_sanitizer)
#define FLAMBEAU_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FLAMBEAU_ADDRESS_SANITIZER 1
#elif defined(__SANITIZE_THREAD__)
#define FLAMBEAU_THREAD_SANITIZER 1
#endif

#ifdef FLAMBEAU_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace flambeau {

#ifdef FLAMBEAU_ADDRESS_SANITIZER
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

#if defined(FLAMBEAU_ADDRESS_SANITIZER) || defined(FLAMBEAU_THREAD_SANITIZER)
inline constexpr bool kSeesAccesses = true;
#else
inline constexpr bool kSeesAccesses = false;
#endif

// Of a block of `capacity` bytes, the first `used` are somebody's; an access to the others is a finding.
inline void mark_used([[maybe_unused]] void* block, [[maybe_unused]] size_t used, [[maybe_unused]] size_t capacity) {
#ifdef FLAMBEAU_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(block, used);
  __asan_poison_memory_region(static_cast<char*>(block) + used, capacity - used);
#endif
}

}  // namespace flambeau
