// The bytes of storages to and from open files, with their checksum, without a copy in between.
#pragma once
#include <cstdint>

namespace flambeau {

// The outcome of reading or writing: the CRC-32 of the bytes, or minus the system's error number.
using FileOutcome = double;

// Writes at the file's current position and continues the checksum `crc`; may run on any thread.
FileOutcome write_range(int fd, const char* data, int64_t bytes, uint32_t crc);
// Reads from `position` on; NaN if the file ends before.
FileOutcome read_range(int fd, int64_t position, char* data, int64_t bytes);

}  // namespace flambeau
