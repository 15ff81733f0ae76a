// Storages that other threads of the process may open by their number.
#pragma once
#include "core/tensor.h"

namespace flambeau {

// Lets other threads find a storage for as long as it lives. Doing so again changes nothing.
void share_storage(Storage* s);
// A reference to the shared storage of that number; null if there is none or it is gone.
Storage* open_shared(uint64_t id);
// Called by drop_storage for a shared storage whose last reference went.
void forget_shared(Storage* s);

}  // namespace flambeau
