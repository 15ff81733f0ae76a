// How a transform of one length is done: its passes, or for lengths with large prime factors a convolution (Bluestein).
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/fft.h"

namespace flambeau {

// cos and sin of 2 pi k / n, accurate to the last bit or so: the angle is folded into an eighth of the circle.
void unit_root(int64_t k, int64_t n, double& cosine, double& sine);

// Lines of real and imaginary parts, n of one line `lanes` apart, with a second room of the same size.
template <class T>
struct FftLines {
  T* re;
  T* im;
  T* re2;
  T* im2;
};

template <class T>
class FftPlan {
 public:
  explicit FftPlan(int64_t n);

  // The forward transform of `lanes` lines side by side; they are in re and im before, and afterwards too (which may
  // have been exchanged with re2 and im2). Both rooms hold room() elements per lane.
  void run(FftLines<T>& l, int64_t lanes) const;
  int64_t room() const { return inner_ ? inner_->length_ : length_; }
  int64_t length() const { return length_; }
  // Whether the length has a large prime factor: such a transform is done in double precision.
  bool convolves() const { return inner_ != nullptr; }

  // exp(-pi i k / n) for k to n, interleaved: what a real transform of twice the length needs. Made on first use.
  const T* half_turns() const;

 private:
  void convolve(FftLines<T>& l, int64_t lanes) const;

  int64_t length_;
  std::vector<FftPass> passes_;
  std::vector<std::vector<T>> tables_;
  std::unique_ptr<FftPlan> inner_;      // of the padded length
  std::vector<T> chirp_re_, chirp_im_;  // exp(-pi i k^2 / n)
  mutable std::once_flag turned_;
  mutable std::vector<T> half_turns_;
  std::vector<T> filter_re_, filter_im_;  // the transform of its conjugate, over the padded length
};

// The plan of a length; plans are kept for reuse.
template <class T>
std::shared_ptr<const FftPlan<T>> fft_plan(int64_t n);
// Whether a length needs the convolution.
bool fft_convolves(int64_t n);

}  // namespace flambeau
