// The random number generator of the CPU: mt19937, with the streams and the state layout of PyTorch's, so that the same
// seed gives the same values and states can be exchanged.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

class Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721;
  static constexpr size_t kStateBytes = 5056;  // of torch.get_rng_state()

  explicit Generator(uint64_t seed = kDefaultSeed) { this->seed(seed); }

  // Starts the stream of this seed. Only the low 32 bits choose it, as in PyTorch.
  void seed(uint64_t seed);
  uint64_t initial_seed() const { return seed_; }

  uint32_t random() {
    if (--left_ == 0) refill();
    return temper(state_[next_++]);
  }
  uint64_t random64() {
    const uint64_t high = random();
    return high << 32 | random();
  }
  // The next n values of random().
  void random(uint32_t* out, int64_t n);

  // In [0, 1), with 53 random bits.
  double uniform() { return static_cast<double>(random64() & ((uint64_t{1} << 53) - 1)) * 0x1p-53; }
  // Standard normal by Box and Muller; every second call returns the pair's other value.
  double normal();

  // Whether the counters lie inside the state: for memory that someone else may have written to.
  bool valid() const { return valid(left_, next_); }

  void get_state(uint8_t* out) const;
  // False, and nothing is changed, if these bytes are no state. The older form without the last 8 bytes will do, too.
  bool set_state(const uint8_t* in, size_t bytes);

 private:
  static constexpr int kWords = 624;

  static uint32_t temper(uint32_t y) {
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
  }
  void refill();

  // Each value drawn moves `next` up and `left` down, so that of a running stream the sum is fixed; any other pair
  // would make a later draw read past the state.
  static constexpr bool valid(int64_t left, uint64_t next) {
    const bool used_up = left == 1 && next <= kWords;
    return used_up || (left >= 1 && left <= kWords && next == static_cast<uint64_t>(kWords + 1 - left));
  }

  uint64_t seed_;
  uint32_t state_[kWords];
  int32_t left_;  // values until the state is used up, and one
  uint32_t next_;
  double next_normal_;
  bool has_next_normal_;
  float next_float_normal_;  // nothing here draws single-precision pairs; kept for states that hold one
  bool has_next_float_normal_;
};

// Each fills n contiguous elements of the given type in row-major order. Arguments are the caller's to check. Where a
// distribution has real values, float16 and bfloat16 are computed in float32 and rounded; integer types truncate.

// In [from, to): float32 from 24 random bits, float64 from 53.
void fill_uniform(Generator& g, DType dtype, void* out, int64_t n, double from, double to);

// Sixteen elements and more are drawn in blocks of 16, fewer one by one; a tensor that is not contiguous in memory is
// always drawn one by one (`one_by_one`), as in PyTorch.
void fill_normal(Generator& g, DType dtype, void* out, int64_t n, double mean, double std, bool one_by_one = false);

// Integers from + [0, range).
void fill_randint(Generator& g, DType dtype, void* out, int64_t n, int64_t from, uint64_t range);

// Integers over all that the type holds exactly: [0, max] for integer types, [0, 2^digits] for floating ones.
void fill_random(Generator& g, DType dtype, void* out, int64_t n);

// 64 random bits as int64: the whole range, negative numbers included.
void fill_random_bits(Generator& g, DType dtype, void* out, int64_t n);

// A permutation of 0 .. n-1.
void fill_randperm(Generator& g, DType dtype, void* out, int64_t n);

void fill_bernoulli(Generator& g, DType dtype, void* out, int64_t n, double p);
// A probability for each element, in an array of a floating type.
void fill_bernoulli_each(Generator& g, DType dtype, void* out, int64_t n, DType p_dtype, const void* p);

void fill_exponential(Generator& g, DType dtype, void* out, int64_t n, double lambda);
void fill_geometric(Generator& g, DType dtype, void* out, int64_t n, double p);
void fill_cauchy(Generator& g, DType dtype, void* out, int64_t n, double median, double sigma);
void fill_log_normal(Generator& g, DType dtype, void* out, int64_t n, double mean, double std);

// A rate for each element; `rates` and `out` share a floating type.
void fill_poisson(Generator& g, DType dtype, void* out, int64_t n, const void* rates);

}  // namespace flambeau
