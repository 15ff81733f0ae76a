// Cross-entropy of scores with classes: what the targets pick and count, around the kernels. Half types are computed in
// float32.
#include "kernels/cross_entropy.h"

#include "kernels/kernels.h"
#include "ops/spatial.h"

namespace flambeau {
namespace {

using Int = long long;

enum Reduction : int64_t { kNone, kMean, kSum };

// How x lies: rows of classes, or classes in columns of [outer, classes, inner].
struct Scores {
  CrossEntropyShape s;
  Dims strides;  // of a fresh tensor that lies so
  Ref x;         // in the compute type
  int64_t positions;
};

// x: [classes] or [N, classes, ..]. Where the classes of a position are next to each other they are a row, whatever
// dimension they are.
Scores scores_of(const Tensor& x, DType dtype) {
  const int d = x.ndim() == 1 ? 0 : 1, last = x.ndim() - 1;
  CrossEntropyShape s{d ? x.sizes[0] : 1, x.sizes[d], 1};
  for (int i = d + 1; i <= last; i++) s.inner *= x.sizes[i];
  const int64_t positions = s.outer * s.inner;
  const bool rows = d < last && x.strides[d] == 1;
  Dims sizes, from, strides = x.sizes;
  for (int i = 0; i <= last; i++) {
    // The class dimension last: 0, 2, 3 .. 1.
    const int k = !rows || i < d ? i : i == last ? d : i + 1;
    sizes.push_back(x.sizes[k]);
    from.push_back(x.strides[k]);
  }
  int64_t step = 1;
  for (int i = last; i >= 0; i--) {
    strides[!rows || i < d ? i : i == last ? d : i + 1] = step;
    step *= sizes[i];
  }
  if (rows) s = {positions, s.classes, 1};
  return {s, strides, rows ? contiguous(*view_of(x, sizes, from, x.offset), dtype) : contiguous(x, dtype), positions};
}

// The targets as int64, those that do not count below zero. Throws for the first that is no class.
Ref classes_of(const Tensor& target, int64_t classes, int64_t ignored) {
  Ref t = contiguous(target, DType::I64);
  if (dry_run()) return t;
  const int64_t* at = t->as<int64_t>();
  bool replace = false;
  for (int64_t i = 0; i < t->numel; i++) {
    if (at[i] == ignored) {
      replace |= ignored >= 0;
    } else {
      FLAMBEAU_CHECK(at[i] >= 0 && at[i] < classes, Kind::Range, "Target %lld is out of bounds.",
                     static_cast<Int>(at[i]));
    }
  }
  if (!replace) return t;
  t = clone(*t);
  int64_t* to = t->as<int64_t>();
  for (int64_t i = 0; i < t->numel; i++)
    if (to[i] == ignored) to[i] = -1;
  return t;
}

// Weighs the losses and leaves their sum, and the sum of the weights, in order of position.
struct Sums {
  double loss = 0, weight = 0;
};
template <class T>
Sums weigh(int64_t n, const int64_t* target, const T* weight, T* loss) {
  Sums s;
  for (int64_t i = 0; i < n; i++) {
    if (target[i] < 0) continue;
    if (weight) loss[i] *= weight[target[i]];
    s.loss += static_cast<double>(loss[i]);
    s.weight += weight ? static_cast<double>(weight[target[i]]) : 1;
  }
  return s;
}

// cross_entropy(x, target, weight or null, ignored class, reduction) -> loss, statistics: the largest score of every
// position, then 1 / sum(exp(x - it)) of every position, then the sum of the weights that count.
FLAMBEAU_OP(cross_entropy, OnMeta::Indexed) {
  const Tensor& x = call.tensor();
  const Tensor& target = call.tensor();
  const Tensor* weight = call.tensor_or_null();
  const int64_t ignored = call.integer(), reduction = call.integer();
  const DType dtype = float_compute("cross_entropy", x);
  const Scores scores = scores_of(x, dtype);
  const int64_t n = scores.positions;
  FLAMBEAU_CHECK(target.numel == n && (!weight || weight->numel == scores.s.classes), Kind::Runtime,
                 "cross_entropy: sizes do not fit");
  const Ref classes = classes_of(target, scores.s.classes, ignored);
  const Ref w = weight ? contiguous(*weight, dtype) : Ref();
  Ref each = empty(target.sizes, dtype), statistics = empty(Dims{2 * n + 1}, dtype);
  Ref one = reduction == kNone ? Ref() : empty(Dims{}, dtype);
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    if (dry_run()) return;
    T* known = statistics->as<T>();
    kernels().cross_entropy.forward(dtype, scores.s, scores.x->data(), classes->as<int64_t>(), known, known + n,
                                    each->data());
    const Sums sums = weigh(n, classes->as<int64_t>(), w ? w->as<T>() : nullptr, each->as<T>());
    known[2 * n] = static_cast<T>(sums.weight);
    if (one) *one->as<T>() = static_cast<T>(reduction == kMean ? sums.loss / sums.weight : sums.loss);
  };
  dtype == DType::F64 ? run(double{}) : run(float{});
  call.result(contiguous(reduction == kNone ? *each : *one, x.dtype));
  call.result(std::move(statistics));
}

// What softmax minus one at the target is multiplied by: 0 where the target does not count.
template <class T>
void factors_of(int64_t n, const int64_t* target, const T* weight, const T* g, bool each, double total, T* factor) {
  for (int64_t i = 0; i < n; i++) {
    const double w = weight && target[i] >= 0 ? static_cast<double>(weight[target[i]]) : 1;
    factor[i] = target[i] < 0 ? T(0) : static_cast<T>(static_cast<double>(g[each ? i : 0]) * w / total);
  }
}

// cross_entropy_backward(g, x, target, weight or null, statistics, ignored class, reduction) -> the gradient of x
FLAMBEAU_OP(cross_entropy_backward, OnMeta::Indexed) {
  const Tensor& g = call.tensor();
  const Tensor& x = call.tensor();
  const Tensor& target = call.tensor();
  const Tensor* weight = call.tensor_or_null();
  const Tensor& statistics = call.tensor();
  const int64_t ignored = call.integer(), reduction = call.integer();
  const DType dtype = float_compute("cross_entropy_backward", x);
  const Scores scores = scores_of(x, dtype);
  const int64_t n = scores.positions;
  FLAMBEAU_CHECK(target.numel == n && (!weight || weight->numel == scores.s.classes) && statistics.numel == 2 * n + 1 &&
                     g.numel == (reduction == kNone ? n : 1),
                 Kind::Runtime, "cross_entropy backward: sizes do not fit");
  const Ref classes = classes_of(target, scores.s.classes, ignored);
  const Ref w = weight ? contiguous(*weight, dtype) : Ref(), gc = contiguous(g, dtype),
            known = contiguous(statistics, dtype);
  Ref factor = empty(Dims{n}, dtype), gx = empty_strided(x.sizes, scores.strides, dtype);
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    if (dry_run()) return;
    const T* top = known->as<T>();
    factors_of(n, classes->as<int64_t>(), w ? w->as<T>() : nullptr, gc->as<T>(), reduction == kNone,
               reduction == kMean ? static_cast<double>(top[2 * n]) : 1, factor->as<T>());
    kernels().cross_entropy.backward(dtype, scores.s, scores.x->data(), classes->as<int64_t>(), top, top + n,
                                     factor->data(), gx->data());
  };
  dtype == DType::F64 ? run(double{}) : run(float{});
  if (x.dtype == dtype) return call.result(std::move(gx));
  Ref out = empty_strided(x.sizes, scores.strides, x.dtype);
  copy_elements(*out, *gx);
  call.result(std::move(out));
}

}  // namespace
}  // namespace flambeau
