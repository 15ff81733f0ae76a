// Work that Node's own threads do while JavaScript goes on.
#pragma once
#include <node_api.h>

namespace flambeau {

// writeInBackground(fd, handle, offset, bytes, crc): writes a part of a tensor's storage at the file's current
// position. Returns a promise of the FileOutcome (ops/file.h). The storage stays alive meanwhile.
napi_value write_in_background(napi_env env, napi_callback_info info);

}  // namespace flambeau
