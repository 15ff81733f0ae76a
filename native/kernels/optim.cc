// Optimizer steps in one pass over the parameter, its gradient and its state.
#include "kernels/set.h"

#include "kernels/optim.h"
#include "simd/vec.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

// Calls body(load, store, i) for every vector, the last of which may be partial.
template <class T, class F>
FLAMBEAU_INLINE void for_vectors(int64_t n, F body) {
  using V = Vec<T>;
  int64_t i = 0;
  FLAMBEAU_UNROLL(1)
  for (; i + V::N <= n; i += V::N)
    body(
        [](const T* p) __attribute__((always_inline)) { return V::load(p); },
        [](T * p, V v) __attribute__((always_inline)) { v.store(p); }, i);
  if (int rest = static_cast<int>(n - i); rest > 0)
    body(
        [=](const T* p) __attribute__((always_inline)) { return V::load(p, rest); },
        [=](T * p, V v) __attribute__((always_inline)) { v.store(p, rest); }, i);
}

// g' = g + weight_decay p; buf = momentum buf + (1 - dampening) g'; p -= lr (g' + momentum buf) with nesterov, lr buf
// without.
template <class T>
void sgd(int64_t n, const SgdStep& step, void* params, const void* grads, void* momentum_buffer) {
  using V = Vec<T>;
  T* p = static_cast<T*>(params);
  const T* g = static_cast<const T*>(grads);
  T* buf = static_cast<T*>(momentum_buffer);
  const V decay(static_cast<T>(step.weight_decay)), momentum(static_cast<T>(step.momentum));
  const V fresh(static_cast<T>(1 - step.dampening)), minus_lr(static_cast<T>(-step.lr));
  const bool decays = step.weight_decay != 0, has_momentum = step.momentum != 0;
  const bool maximize = step.maximize, first = step.first, nesterov = step.nesterov;
  for_vectors<T>(
      n, [&](auto load, auto store, int64_t i) __attribute__((always_inline)) {
        V w = load(p + i), d = load(g + i);
        if (maximize) d = -d;
        if (decays) d = fma(decay, w, d);
        if (has_momentum) {
          V b = d;
          if (!first) b = fma(fresh, d, load(buf + i) * momentum);
          store(buf + i, b);
          d = nesterov ? fma(momentum, b, d) : b;
        }
        store(p + i, fma(minus_lr, d, w));
      });
}

// Adam (Kingma and Ba 2015), AMSGrad (Reddi et al. 2018) and AdamW (Loshchilov and Hutter 2019).
template <class T>
void adam(int64_t n, const AdamStep& step, void* params, const void* grads, void* exp_avg, void* exp_avg_sq,
          void* max_exp_avg_sq) {
  using V = Vec<T>;
  T* p = static_cast<T*>(params);
  const T* g = static_cast<const T*>(grads);
  T* m = static_cast<T*>(exp_avg);
  T* v = static_cast<T*>(exp_avg_sq);
  T* top = static_cast<T*>(max_exp_avg_sq);
  const V decay(static_cast<T>(step.weight_decay)), shrink(static_cast<T>(1 - step.lr * step.weight_decay));
  const V beta1(static_cast<T>(step.beta1)), fresh1(static_cast<T>(1 - step.beta1));
  const V beta2(static_cast<T>(step.beta2)), fresh2(static_cast<T>(1 - step.beta2)), eps(static_cast<T>(step.eps));
  const V correction2(static_cast<T>(__builtin_sqrt(step.bias_correction2)));
  const V minus_step(static_cast<T>(-(step.lr / step.bias_correction1)));
  const bool decays = step.weight_decay != 0, maximize = step.maximize, decoupled = step.decoupled;
  // The average moves from its nearer end, as lerp does.
  const bool near_old = 1 - step.beta1 < 0.5;
  for_vectors<T>(
      n, [&](auto load, auto store, int64_t i) __attribute__((always_inline)) {
        V w = load(p + i), d = load(g + i);
        if (maximize) d = -d;
        if (decays) {
          if (decoupled)
            w = w * shrink;
          else
            d = fma(decay, w, d);
        }
        V avg = load(m + i);
        avg = near_old ? fma(fresh1, d - avg, avg) : d - (d - avg) * beta1;
        store(m + i, avg);
        V square = load(v + i) * beta2 + fresh2 * d * d;
        store(v + i, square);
        if (top != nullptr) {
          square = max(load(top + i), square);
          store(top + i, square);
        }
        V denominator = sqrt(square) / correction2 + eps;
        store(p + i, w + minus_step * avg / denominator);
      });
}

}  // namespace

void fill(OptimKernels& k) {
  k.sgd[static_cast<int>(Compute::F32)] = sgd<float>;
  k.sgd[static_cast<int>(Compute::F64)] = sgd<double>;
  k.adam[static_cast<int>(Compute::F32)] = adam<float>;
  k.adam[static_cast<int>(Compute::F64)] = adam<double>;
}

}  // namespace flambeau::FLAMBEAU_SET
