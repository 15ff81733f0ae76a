// The thread pool: one per process, shared by all JavaScript threads.
#pragma once
#include <cstdint>

#include "core/dry_run.h"

namespace flambeau {

// Calls fn(context, begin_i, end_i) over a partition of [begin, end) in chunks of at least `grain`, on up to
// num_threads() threads, the caller among them; returns when all are done. A call from inside fn, or one that finds the
// pool busy with another JavaScript thread's work, runs on the caller alone. What
// fn throws the caller throws once all threads have left it; parts may then not have been done.
using RangeFn = void (*)(void* context, int64_t begin, int64_t end);
void parallel_for(int64_t begin, int64_t end, int64_t grain, RangeFn fn, void* context);

int num_threads();
void set_num_threads(int n);  // 1 to 1024

// The form for callers outside kernels/ (a template may not be instantiated in code compiled per instruction set
// unless the lambda's type is local to an anonymous namespace). In a dry run it calls nothing.
template <class F>
void parallel(int64_t begin, int64_t end, int64_t grain, const F& fn) {
  if (dry_run()) return;
  parallel_for(
      begin, end, grain, [](void* c, int64_t b, int64_t e) { (*static_cast<const F*>(c))(b, e); },
      const_cast<void*>(static_cast<const void*>(&fn)));
}

}  // namespace flambeau
