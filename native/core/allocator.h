// The caching allocator: 64-byte aligned blocks in size classes, kept for reuse so that no page is faulted in twice.
#pragma once
#include <cstddef>
#include <cstdint>

namespace flambeau {

// A block of at least `bytes` bytes, not initialised. Throws Error (Runtime) when the system has no memory left.
void* allocate(size_t bytes);
// Has `give_up` called when the system refuses memory, before it is asked once more: for what is kept to be faster
// only, by whoever keeps it. One function for the process.
void on_refusal(void (*give_up)() noexcept);
// Gives a block back; `bytes` must be what it was allocated with.
void release(void* block, size_t bytes) noexcept;

// Working memory of one call of a kernel, 64-byte aligned. A thread keeps its own from call to call, out of what
// allocate() hands out: there the next tensor of that size would take the block, which is in the caches, and the next
// call one that is not. Null for no bytes.
void* take_workspace(size_t bytes);
void return_workspace(void* block, size_t bytes) noexcept;

// Bytes in blocks that wait for reuse.
int64_t cached_bytes();
// Returns all waiting blocks to the system.
void empty_cache();

}  // namespace flambeau
