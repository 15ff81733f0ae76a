// One pass over memory for the update of an optimizer, in the order of operations of the textbook (and PyTorch's) form.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
  bool first;  // the momentum buffer holds nothing yet and is set to the gradient
};

// p, g, momentum_buffer: [n]; the buffer is null if momentum is 0.
using SgdFn = void (*)(int64_t n, const SgdStep& step, void* p, const void* g, void* momentum_buffer);

struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  double bias_correction1;  // 1 - beta1^t
  double bias_correction2;  // 1 - beta2^t
  bool maximize;
  bool decoupled;  // AdamW: the weights decay by lr * weight_decay instead of the gradient growing
};

// p, g, exp_avg, exp_avg_sq, max_exp_avg_sq: [n]; the last is null unless amsgrad.
using AdamFn = void (*)(int64_t n, const AdamStep& step, void* p, const void* g, void* exp_avg, void* exp_avg_sq,
                        void* max_exp_avg_sq);

struct OptimKernels {
  SgdFn sgd[2];  // by Compute::F32 and Compute::F64
  AdamFn adam[2];
};

namespace baseline {
void fill(OptimKernels&);
}
namespace avx2 {
void fill(OptimKernels&);
}
namespace avx512 {
void fill(OptimKernels&);
}
namespace neon {
void fill(OptimKernels&);
}

}  // namespace flambeau
