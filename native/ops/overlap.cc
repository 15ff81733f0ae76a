#include "ops/overlap.h"

#include <algorithm>

#include "ops/data.h"

namespace flambeau {
namespace {

// stride * k for low <= k <= high
struct Term {
  int64_t stride, low, high;
};

constexpr int kMaxTerms = 2 * kMaxDims + 1;
// Steps of the search after which two layouts count as overlapping: in nested ones, as views of a row-major tensor
// are, it takes a few for each dimension.
constexpr int kMaxSteps = 1000;

int64_t floor_div(int64_t x, int64_t y) { return x / y - (x % y < 0); }

// Whether a sum of the terms, by descending strides, is `target`: the largest stride leaves few k from which the
// smaller ones can still reach it.
class Search {
 public:
  Search(const Term* terms, int n) : terms_(terms), n_(n) {
    for (int i = n - 1; i >= 0; i--) {
      low_[i] = low_[i + 1] + terms[i].stride * terms[i].low;
      high_[i] = high_[i + 1] + terms[i].stride * terms[i].high;
    }
  }
  bool reaches(int64_t target, int i = 0) {
    if (target < low_[i] || target > high_[i]) return false;
    if (i == n_ || --steps_ < 0) return true;
    const Term& t = terms_[i];
    const int64_t first = std::max(t.low, -floor_div(high_[i + 1] - target, t.stride));
    const int64_t last = std::min(t.high, floor_div(target - low_[i + 1], t.stride));
    for (int64_t k = first; k <= last; k++)
      if (reaches(target - k * t.stride, i + 1)) return true;
    return false;
  }

 private:
  const Term* terms_;
  int n_;
  int steps_ = kMaxSteps;
  int64_t low_[kMaxTerms + 1] = {}, high_[kMaxTerms + 1] = {};
};

int64_t start(const Tensor& t) { return t.offset * item_size(t.dtype); }

}  // namespace

bool same_places(const Tensor& out, const Tensor& in) {
  if (out.storage != in.storage || out.numel != in.numel || start(out) != start(in)) return false;
  if (item_size(out.dtype) != item_size(in.dtype)) return false;
  for (int i = 1; i <= std::max(out.ndim(), in.ndim()); i++) {
    const int o = out.ndim() - i, k = in.ndim() - i;
    const int64_t out_size = o < 0 ? 1 : out.sizes[o], in_size = k < 0 ? 1 : in.sizes[k];
    if (out_size != in_size) return false;
    if (out_size != 1 && out.strides[o] != in.strides[k]) return false;
  }
  return true;
}

bool may_overlap(const Tensor& a, const Tensor& b) {
  if (a.storage != b.storage || a.numel == 0 || b.numel == 0) return false;
  // Bytes of both are the same where start(a) + sum a.strides i + byte = start(b) + sum b.strides j + byte.
  Term terms[kMaxTerms];
  int n = 0;
  const int a_item = item_size(a.dtype), b_item = item_size(b.dtype);
  for (int d = 0; d < a.ndim(); d++)
    if (a.sizes[d] > 1 && a.strides[d] != 0) terms[n++] = {a.strides[d] * a_item, 0, a.sizes[d] - 1};
  for (int d = 0; d < b.ndim(); d++)
    if (b.sizes[d] > 1 && b.strides[d] != 0) terms[n++] = {b.strides[d] * b_item, 1 - b.sizes[d], 0};
  terms[n++] = {1, 1 - b_item, a_item - 1};
  std::sort(terms, terms + n, [](const Term& x, const Term& y) { return x.stride > y.stride; });
  int merged = 0;
  for (int i = 1; i < n; i++) {
    if (terms[i].stride != terms[merged].stride) {
      terms[++merged] = terms[i];
      continue;
    }
    terms[merged].low += terms[i].low;
    terms[merged].high += terms[i].high;
  }
  return Search(terms, merged + 1).reaches(start(b) - start(a));
}

void check_no_partial_overlap(const Tensor& out, const Tensor& in) {
  if (out.storage != in.storage || !dense(out) || !dense(in) || same_places(out, in)) return;
  FLAMBEAU_CHECK(!may_overlap(out, in), Kind::Runtime,
                 "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                 "memory location. Please clone() the tensor before performing the operation.");
}

}  // namespace flambeau
