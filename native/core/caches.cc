#include "core/caches.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace flambeau {
namespace {

// Of today's servers' share for a few cores, where the processor does not say.
constexpr int64_t kUnknown = int64_t{32} << 20;

#if defined(__x86_64__)
// The largest of the caches that a leaf describes, one per subleaf: 4 on Intel's processors, 0x8000001d on AMD's.
int64_t largest(unsigned leaf) {
  int64_t most = 0;
  unsigned a = 0, b = 0, c = 0, d = 0;
  for (unsigned i = 0; i < 16 && __get_cpuid_count(leaf, i, &a, &b, &c, &d) != 0; i++) {
    const unsigned type = a & 31;
    if (type == 0) break;
    if (type == 2) continue;  // of instructions
    const int64_t ways = (b >> 22) + 1, partitions = (b >> 12 & 1023) + 1, line = (b & 4095) + 1, sets = int64_t{c} + 1;
    const int64_t bytes = ways * partitions * line * sets;
    if (bytes > most) most = bytes;
  }
  return most;
}

int64_t last_cache() {
  const int64_t intel = largest(4), amd = largest(0x8000001d);
  return intel > amd ? intel : amd;
}
#else
int64_t last_cache() { return 0; }
#endif

}  // namespace

int64_t stream_from() {
  static const int64_t bytes = [] {
    const int64_t last = last_cache();
    return (last > 0 ? last : kUnknown) / 2;
  }();
  return bytes;
}

}  // namespace flambeau
