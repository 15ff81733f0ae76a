// The kernels of a dry run.
#pragma once
#include "kernels/kernels.h"

namespace flambeau {

// A table that has a kernel where `table` has one; none of them reads or writes anything.
KernelTable silenced(KernelTable table);

}  // namespace flambeau
