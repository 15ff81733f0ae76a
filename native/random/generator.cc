// mt19937 after Matsumoto and Nishimura (1998), with the state bookkeeping that PyTorch's files show.
#include "random/generator.h"

#include <cmath>
#include <cstring>

namespace flambeau {

namespace {

// torch.get_rng_state(): 624 words of 64 bits, of which the low halves count.
struct SavedState {
  uint64_t seed;
  int32_t left;
  int32_t seeded;
  uint64_t next;
  uint64_t words[624];
  double normal_x;    // unused
  double normal_y;    // the pair's other value
  double normal_rho;  // unused
  int32_t has_normal;
  int32_t pad;
  float float_normal;
  uint8_t has_float_normal;
  uint8_t tail[3];
};
static_assert(sizeof(SavedState) == Generator::kStateBytes);
constexpr size_t kOlderStateBytes = offsetof(SavedState, float_normal);

constexpr int kShift = 397;

constexpr uint32_t twist(uint32_t u, uint32_t v) {
  return ((u & 0x80000000u) | (v & 0x7fffffffu)) >> 1 ^ ((0u - (v & 1u)) & 0x9908b0dfu);
}

}  // namespace

void Generator::seed(uint64_t seed) {
  seed_ = seed;
  state_[0] = static_cast<uint32_t>(seed);
  for (uint32_t i = 1; i < kWords; i++) state_[i] = 1812433253u * (state_[i - 1] ^ state_[i - 1] >> 30) + i;
  left_ = 1;
  next_ = 0;
  next_normal_ = 0;
  has_next_normal_ = false;
  next_float_normal_ = 0;
  has_next_float_normal_ = false;
}

void Generator::refill() {
  uint32_t* s = state_;
  for (int i = 0; i < kWords - kShift; i++) s[i] = s[i + kShift] ^ twist(s[i], s[i + 1]);
  for (int i = kWords - kShift; i < kWords - 1; i++) s[i] = s[i + kShift - kWords] ^ twist(s[i], s[i + 1]);
  s[kWords - 1] = s[kShift - 1] ^ twist(s[kWords - 1], s[0]);
  left_ = kWords;
  next_ = 0;
}

void Generator::random(uint32_t* out, int64_t n) {
  while (n > 0) {
    if (left_ == 1) {
      refill();
      left_ = kWords + 1;
    }
    const int64_t take = n < left_ - 1 ? n : left_ - 1;
    const uint32_t* from = state_ + next_;
    for (int64_t i = 0; i < take; i++) out[i] = temper(from[i]);
    next_ += static_cast<uint32_t>(take);
    left_ -= static_cast<int32_t>(take);
    out += take;
    n -= take;
  }
}

double Generator::normal() {
  if (has_next_normal_) {
    has_next_normal_ = false;
    return next_normal_;
  }
  const double u1 = uniform();
  const double u2 = uniform();
  const double radius = std::sqrt(-2.0 * std::log1p(-u2));
  const double theta = 2.0 * M_PI * u1;
  next_normal_ = radius * std::sin(theta);
  has_next_normal_ = true;
  return radius * std::cos(theta);
}

void Generator::get_state(uint8_t* out) const {
  SavedState s{};
  s.seed = seed_;
  s.left = left_;
  s.seeded = 1;
  s.next = next_;
  for (int i = 0; i < kWords; i++) s.words[i] = state_[i];
  s.has_normal = has_next_normal_;
  s.normal_y = has_next_normal_ ? next_normal_ : 0;
  s.has_float_normal = has_next_float_normal_;
  s.float_normal = has_next_float_normal_ ? next_float_normal_ : 0;
  std::memcpy(out, &s, sizeof s);
}

bool Generator::set_state(const uint8_t* in, size_t bytes) {
  if (bytes != kStateBytes && bytes != kOlderStateBytes) return false;
  SavedState s{};
  std::memcpy(&s, in, bytes);
  if (!s.seeded || !valid(s.left, s.next)) return false;
  seed_ = s.seed;
  left_ = s.left;
  next_ = static_cast<uint32_t>(s.next);
  for (int i = 0; i < kWords; i++) state_[i] = static_cast<uint32_t>(s.words[i]);
  has_next_normal_ = s.has_normal != 0;
  next_normal_ = s.normal_y;
  has_next_float_normal_ = s.has_float_normal != 0;
  next_float_normal_ = s.float_normal;
  return true;
}

}  // namespace flambeau
