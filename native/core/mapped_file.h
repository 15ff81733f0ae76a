// Storages on the pages of a file, brought in by the system where they are touched.
#pragma once
#include <atomic>
#include <cstdint>

#include "core/tensor.h"

namespace flambeau {

// The whole of a regular file, by its descriptor, which may be closed afterwards. The pages are private: what is
// written to them stays in memory and never reaches the file. Throws Error (Runtime) for what cannot be mapped.
Storage* map_file(int fd);

// Bytes [offset, offset + bytes) of a storage as one of their own, which keeps the first alive.
Storage* part_of_storage(Storage* whole, int64_t offset, int64_t bytes);

// How often a mapped file turned out to have lost pages (it was cut short, or the disk failed). They read as zeros from
// then on instead of ending the process; whoever ran on them compares this number and fails.
extern std::atomic<uint64_t> lost_page_count;
inline uint64_t lost_pages() { return lost_page_count.load(std::memory_order_relaxed); }

}  // namespace flambeau
