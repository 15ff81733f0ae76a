// Results in rows that are written past the caches. Included only by files that are compiled once per instruction set.
#pragma once
#include "core/caches.h"
#include "kernels/rows.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Whether runs of `length` elements of a result of n are to be streamed: all of them have to start at an aligned place
// and end with a whole vector. arch::stream_end() has to follow on every thread.
template <class T>
FLAMBEAU_INLINE bool streams_runs(const T* out, int64_t n, int64_t length) {
  return n * static_cast<int64_t>(sizeof(T)) >= stream_from() && length % Vec<T>::N == 0 && streams(out);
}

template <class T>
FLAMBEAU_INLINE void put(T* p, int count, Vec<T> v, bool stream) {
  if (stream) {
    v.stream(p);
  } else {
    put(p, count, v);
  }
}

// Asks for what is read soon. For loops over what a cache already holds, during which the way to memory would lie idle.
template <class T>
FLAMBEAU_INLINE void prefetch(const T* p) {
  __builtin_prefetch(p, 0, 2);
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
