// Tensors of the meta device have sizes, strides and a type but no bytes. An op on them is run dry: its shape rule
// runs, its loops over elements do not.
#pragma once
#include <atomic>
#include <cstdint>

namespace flambeau {

// Live storages without bytes, of all threads. While there are none, no argument needs to be looked at.
extern std::atomic<int64_t> meta_storages;
// Dry runs in progress, of all threads. While there are none, dry_run() costs a load.
extern std::atomic<int> dry_runs;
bool dry_run_here();

// Whether the op that this thread runs must touch no element: storages are made without bytes, parallel() and
// for_each_in_room() call nothing, and every kernel of the table does nothing. Always inline: kernels are compiled once
// for each instruction set, and must share no copy of it.
[[gnu::always_inline]] inline bool dry_run() { return dry_runs.load(std::memory_order_relaxed) != 0 && dry_run_here(); }

// Runs this thread's op dry from here on. They nest.
class DryRun {
 public:
  DryRun();
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;
};

}  // namespace flambeau
