// The caching allocator: 64-byte aligned blocks in size classes, kept for reuse so that no page is faulted in twice.
#pragma once
#include <cstddef>
#include <cstdint>

namespace flambeau {

// A block of at least `bytes` bytes, not initialised. Throws Error (Runtime) when the system has no memory left.
void* allocate(size_t bytes);
// Gives a block back; `bytes` must be what it was allocated with.
void release(void* block, size_t bytes) noexcept;

// Bytes in blocks that wait for reuse.
int64_t cached_bytes();
// Returns all waiting blocks to the system.
void empty_cache();

}  // namespace flambeau
