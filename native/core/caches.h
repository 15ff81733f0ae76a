// What the processor says about its caches.
#pragma once
#include <cstdint>

namespace flambeau {

// Results of at least so many bytes are written past the caches: half of the last one. The processor then need not read
// what it is about to overwrite, nor throw out what is still of use; whoever reads the result next would not have found
// it in a cache anyway.
int64_t stream_from();

}  // namespace flambeau
