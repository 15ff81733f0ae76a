// What the machine can do at most: work that the caller times.
#include <atomic>

#include "core/error.h"
#include "kernels/kernels.h"
#include "ops/registry.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

// Rounds of one call: about a second.
constexpr int64_t kMostRounds = 1 << 20;

void check_stream(const char* op, const Tensor& t, int64_t n) {
  FLAMBEAU_CHECK(t.dtype == DType::F32 && t.contiguous() && t.numel == n && n % kPeakPiece == 0, Kind::Type,
                 "%s: expected contiguous float32 tensors of one size, a multiple of %lld elements", op,
                 static_cast<long long>(kPeakPiece));
  FLAMBEAU_CHECK(reinterpret_cast<uintptr_t>(t.data()) % 64 == 0, Kind::Type, "%s: expected aligned tensors", op);
}

}  // namespace

// (rounds, bfloat16) -> floating-point operations done by all threads together, or 0 where the processor has no
// instruction for it.
FLAMBEAU_OP(peak_multiply_add) {
  const int64_t rounds = call.integer();
  FLAMBEAU_CHECK(rounds >= 0 && rounds <= kMostRounds, Kind::Range, "peak_multiply_add: expected at most %lld rounds",
                 static_cast<long long>(kMostRounds));
  const PeakKernels& peak = kernels().peak;
  const auto run = call.flag() ? peak.multiply_add_bf16 : peak.multiply_add;
  if (!run) return call.number(0);
  std::atomic<double> done{0};
  parallel(0, num_threads(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) done += run(rounds);
  });
  call.number(done);
}

// x -> the sum of its pieces, so that they are read
FLAMBEAU_OP(peak_read) {
  const Tensor& x = call.tensor();
  check_stream("peak_read", x, x.numel);
  const auto* from = reinterpret_cast<const float*>(x.data());
  std::atomic<double> sum{0};
  parallel(0, x.numel / kPeakPiece, 1, [&](int64_t begin, int64_t end) {
    sum += static_cast<double>(kernels().peak.read((end - begin) * kPeakPiece, from + begin * kPeakPiece));
  });
  call.number(sum);
}

// (x, y): y = x
FLAMBEAU_OP(peak_copy) {
  Tensor &x = call.tensor(), &y = call.tensor();
  const int64_t n = x.numel;
  check_stream("peak_copy", x, n);
  check_stream("peak_copy", y, n);
  const auto* from = reinterpret_cast<const float*>(x.data());
  auto* to = reinterpret_cast<float*>(y.data());
  parallel(0, n / kPeakPiece, 1, [&](int64_t begin, int64_t end) {
    kernels().peak.copy((end - begin) * kPeakPiece, from + begin * kPeakPiece, to + begin * kPeakPiece);
  });
  y.bump();
}

// (x, z, y): y = x + 3 z
FLAMBEAU_OP(peak_triad) {
  Tensor &x = call.tensor(), &z = call.tensor(), &y = call.tensor();
  const int64_t n = x.numel;
  for (const Tensor* t : {&x, &z, &y}) check_stream("peak_triad", *t, n);
  const auto *a = reinterpret_cast<const float*>(x.data()), *b = reinterpret_cast<const float*>(z.data());
  auto* to = reinterpret_cast<float*>(y.data());
  parallel(0, n / kPeakPiece, 1, [&](int64_t begin, int64_t end) {
    const int64_t at = begin * kPeakPiece;
    kernels().peak.triad((end - begin) * kPeakPiece, a + at, b + at, to + at);
  });
  y.bump();
}

}  // namespace flambeau
