// Chooses the instruction set once: the best that the processor has, or the one that FLAMBEAU_ISA names.
#include <cstdlib>
#include <cstring>

#include "core/dry_run.h"
#include "core/error.h"
#include "kernels/kernels.h"
#include "ops/silent.h"

namespace flambeau {
namespace {

#define FLAMBEAU_FILL(set)          \
  void fill_##set(KernelTable& t) { \
    set::fill(t.convert);           \
    set::fill(t.pointwise);         \
    set::fill(t.reduce);            \
    set::fill(t.gemm);              \
    set::fill(t.conv);              \
    set::fill(t.pool);              \
    set::fill(t.norm);              \
    set::fill(t.optim);             \
    set::fill(t.softmax);           \
    set::fill(t.cross_entropy);     \
    set::fill(t.fft);               \
    set::fill(t.peak);              \
    set::fill(t.checksum);          \
    set::fill(t.attention);         \
    set::fill(t.rnn);               \
  }

struct Candidate {
  const char* name;
  bool (*available)();
  void (*fill)(KernelTable&);
};

FLAMBEAU_FILL(baseline)
#if defined(__x86_64__)
FLAMBEAU_FILL(avx2)
FLAMBEAU_FILL(avx512)
const Candidate candidates[] = {
    {"avx512",
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl");
     },
     fill_avx512},
    {"avx2",
     [] {
       return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") != 0;
     },
     fill_avx2},
    {"scalar", [] { return true; }, fill_baseline},
};
#elif defined(__aarch64__)
FLAMBEAU_FILL(neon)
const Candidate candidates[] = {
    {"neon", [] { return true; }, fill_neon},
    {"scalar", [] { return true; }, fill_baseline},
};
#else
const Candidate candidates[] = {{"scalar", [] { return true; }, fill_baseline}};
#endif

KernelTable choose() {
  const char* forced = std::getenv("FLAMBEAU_ISA");
  if (forced && !*forced) forced = nullptr;
  for (const Candidate& c : candidates) {
    if (forced && std::strcmp(forced, c.name) != 0) continue;
    if (!forced && !c.available()) continue;
    FLAMBEAU_CHECK(c.available(), Kind::Runtime, "FLAMBEAU_ISA=%s: this processor lacks the instruction set", c.name);
    KernelTable t{};
    t.set = c.name;
    c.fill(t);
    return t;
  }
  fail(Kind::Runtime, "FLAMBEAU_ISA=%s: expected one of scalar, avx2, avx512, neon that this build has", forced);
}

}  // namespace

const KernelTable& kernels() {
  static const KernelTable table = choose();
  static const KernelTable silent = silenced(table);
  return dry_run() ? silent : table;
}

}  // namespace flambeau
