#include "core/dry_run.h"

namespace flambeau {

std::atomic<int64_t> meta_storages{0};
std::atomic<int> dry_runs{0};

static thread_local int depth = 0;

bool dry_run_here() { return depth > 0; }

DryRun::DryRun() {
  depth++;
  dry_runs.fetch_add(1, std::memory_order_relaxed);
}

DryRun::~DryRun() {
  depth--;
  dry_runs.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace flambeau
