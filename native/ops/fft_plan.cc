#include "ops/fft_plan.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <mutex>

#include "kernels/kernels.h"

namespace flambeau {
namespace {

// Plans kept: at most this many, and at most this many elements of length together.
constexpr size_t kPlans = 64;
constexpr int64_t kPlannedElements = 1 << 21;

// The radices of a length, largest powers of four first; empty if a prime factor is too large.
std::vector<int64_t> radices(int64_t n) {
  std::vector<int64_t> out;
  for (const int64_t r : {4, 2, 3, 5, 7, 11, 13})
    for (; n % r == 0; n /= r) out.push_back(r);
  if (n != 1) out.clear();
  return out;
}

template <class T>
constexpr DType type_of() {
  return sizeof(T) == 4 ? DType::F32 : DType::F64;
}

}  // namespace

bool fft_convolves(int64_t n) { return n > 1 && radices(n).empty(); }

void unit_root(int64_t k, int64_t n, double& cosine, double& sine) {
  k %= n;
  if (k < 0) k += n;
  // 2 pi k / n = (pi / 4) (eighth + rest / n)
  const int64_t eighth = 8 * k / n, rest = 8 * k - eighth * n;
  const bool mirrored = eighth % 2 == 1;
  const double angle = M_PI_4 * (static_cast<double>(mirrored ? n - rest : rest) / static_cast<double>(n));
  double c = std::cos(angle), s = std::sin(angle);
  // (c, s) lies in the first eighth; eighths 1 and 2 have the coordinates exchanged, and so on around the circle.
  switch (eighth) {
    case 1: std::swap(c, s); break;
    case 2:
      std::swap(c, s);
      c = -c;
      break;
    case 3: c = -c; break;
    case 4:
      c = -c;
      s = -s;
      break;
    case 5:
      std::swap(c, s);
      c = -c;
      s = -s;
      break;
    case 6:
      std::swap(c, s);
      s = -s;
      break;
    case 7: s = -s; break;
    default: break;
  }
  cosine = c;
  sine = s;
}

template <class T>
FftPlan<T>::FftPlan(int64_t n) : length_(n) {
  if (n > 1 && radices(n).empty()) {
    // The least length without large factors that holds the convolution.
    int64_t padded = 2 * n - 1;
    while (radices(padded).empty()) padded++;
    inner_ = std::make_unique<FftPlan>(padded);
    chirp_re_.resize(static_cast<size_t>(n));
    chirp_im_.resize(static_cast<size_t>(n));
    const auto size = static_cast<size_t>(padded);
    filter_re_.assign(size, 0);
    filter_im_.assign(size, 0);
    int64_t square = 0;  // k^2 mod 2n
    for (int64_t k = 0; k < n; k++) {
      double c, s;
      unit_root(square, 2 * n, c, s);
      const auto at = static_cast<size_t>(k);
      chirp_re_[at] = static_cast<T>(c);
      chirp_im_[at] = static_cast<T>(-s);
      filter_re_[at] = static_cast<T>(c / static_cast<double>(padded));
      filter_im_[at] = static_cast<T>(s / static_cast<double>(padded));
      if (k > 0) {
        filter_re_[size - at] = filter_re_[at];
        filter_im_[size - at] = filter_im_[at];
      }
      square = (square + 2 * k + 1) % (2 * n);
    }
    std::vector<T> re2(size), im2(size);
    FftLines<T> l{filter_re_.data(), filter_im_.data(), re2.data(), im2.data()};
    inner_->run(l, 1);
    if (l.re != filter_re_.data()) {
      filter_re_.swap(re2);
      filter_im_.swap(im2);
    }
    return;
  }
  int64_t left = n;
  for (const int64_t r : radices(n)) {
    const int64_t m = left / r;
    std::vector<T> twiddle(static_cast<size_t>(2 * m * (r - 1))), roots(static_cast<size_t>(2 * r));
    double c, s;
    for (int64_t p = 0; p < m; p++)
      for (int64_t j = 1; j < r; j++) {
        unit_root(p * j, left, c, s);
        const auto at = static_cast<size_t>(2 * (p * (r - 1) + j - 1));
        twiddle[at] = static_cast<T>(c);
        twiddle[at + 1] = static_cast<T>(-s);
      }
    for (int64_t j = 0; j < r; j++) {
      unit_root(j, r, c, s);
      roots[static_cast<size_t>(2 * j)] = static_cast<T>(c);
      roots[static_cast<size_t>(2 * j + 1)] = static_cast<T>(-s);
    }
    tables_.push_back(std::move(twiddle));
    tables_.push_back(std::move(roots));
    passes_.push_back({r, m, tables_[tables_.size() - 2].data(), tables_.back().data()});
    left = m;
  }
}

template <class T>
const T* FftPlan<T>::half_turns() const {
  std::call_once(turned_, [this] {
    half_turns_.resize(static_cast<size_t>(2 * (length_ + 1)));
    for (int64_t k = 0; k <= length_; k++) {
      double c, s;
      unit_root(k, 2 * length_, c, s);
      half_turns_[static_cast<size_t>(2 * k)] = static_cast<T>(c);
      half_turns_[static_cast<size_t>(2 * k + 1)] = static_cast<T>(-s);
    }
  });
  return half_turns_.data();
}

template <class T>
void FftPlan<T>::run(FftLines<T>& l, int64_t lanes) const {
  if (inner_) return convolve(l, lanes);
  int64_t s = lanes;
  for (const FftPass& p : passes_) {
    kernels().fft.pass(type_of<T>(), p, s, l.re, l.im, l.re2, l.im2);
    std::swap(l.re, l.re2);
    std::swap(l.im, l.im2);
    s *= p.radix;
  }
}

// X_k = b_k sum_j (x_j b_j) conj(b)_(k - j) with b_k = exp(-pi i k^2 / n), as 2 j k = j^2 + k^2 - (k - j)^2.
template <class T>
void FftPlan<T>::convolve(FftLines<T>& l, int64_t lanes) const {
  const auto times = [&](const std::vector<T>& re, const std::vector<T>& im, int64_t count) {
    for (int64_t k = 0; k < count; k++) {
      const T c = re[static_cast<size_t>(k)], s = im[static_cast<size_t>(k)];
      for (int64_t q = k * lanes; q < (k + 1) * lanes; q++) {
        const T a = l.re[q], b = l.im[q];
        l.re[q] = a * c - b * s;
        l.im[q] = a * s + b * c;
      }
    }
  };
  const int64_t padded = inner_->length_;
  times(chirp_re_, chirp_im_, length_);
  std::fill(l.re + length_ * lanes, l.re + padded * lanes, T(0));
  std::fill(l.im + length_ * lanes, l.im + padded * lanes, T(0));
  inner_->run(l, lanes);
  times(filter_re_, filter_im_, padded);
  // With real and imaginary parts exchanged, the forward transform is the inverse one.
  FftLines<T> turned{l.im, l.re, l.im2, l.re2};
  inner_->run(turned, lanes);
  l = {turned.im, turned.re, turned.im2, turned.re2};
  times(chirp_re_, chirp_im_, length_);
}

template class FftPlan<float>;
template class FftPlan<double>;

template <class T>
std::shared_ptr<const FftPlan<T>> fft_plan(int64_t n) {
  // JavaScript threads share the plans.
  static std::mutex lock;
  static auto* plans = new std::list<std::shared_ptr<const FftPlan<T>>>;  // most recently used first
  {
    std::lock_guard guard(lock);
    for (auto it = plans->begin(); it != plans->end(); ++it) {
      if ((*it)->length() != n) continue;
      plans->splice(plans->begin(), *plans, it);
      return plans->front();
    }
  }
  auto made = std::make_shared<const FftPlan<T>>(n);
  std::lock_guard guard(lock);
  plans->push_front(made);
  int64_t total = 0;
  size_t count = 0;
  for (auto it = plans->begin(); it != plans->end();) {
    total += (*it)->room();
    count++;
    if (count > 1 && (count > kPlans || total > kPlannedElements))
      it = plans->erase(it);
    else
      ++it;
  }
  return made;
}
template std::shared_ptr<const FftPlan<float>> fft_plan<float>(int64_t);
template std::shared_ptr<const FftPlan<double>> fft_plan<double>(int64_t);

}  // namespace flambeau
