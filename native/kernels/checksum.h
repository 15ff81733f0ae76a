// The checksum of zip archives.
#pragma once
#include <cstdint>

namespace flambeau {

struct ChecksumKernels {
  // CRC-32 with the polynomial 0x04c11db7, reflected (ITU-T V.42), continued from `crc` (0 to begin).
  uint32_t (*crc32)(uint32_t crc, const void* data, int64_t bytes);
};

// clang-format off
namespace baseline { void fill(ChecksumKernels& k); }
namespace avx2 { void fill(ChecksumKernels& k); }
namespace avx512 { void fill(ChecksumKernels& k); }
namespace neon { void fill(ChecksumKernels& k); }
// clang-format on

}  // namespace flambeau
