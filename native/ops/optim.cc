// Optimizer steps: one native call updates all parameters of a group.
#include <cmath>

#include "kernels/kernels.h"
#include "ops/data.h"
#include "ops/layout.h"
#include "ops/registry.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

// Elements per task: a step reads and writes several arrays, so that smaller ranges already pay.
constexpr int64_t kGrain = 16 * 1024;
constexpr int kMaxSlots = 5;

// The type a step computes in: that of the parameter, float32 for the half types, which lose too much in between.
DType working_type(DType t) {
  if (t == DType::F16 || t == DType::BF16) return DType::F32;
  return t;
}

bool is_double(DType t) { return t == DType::F64 || t == DType::C128; }

// Both of the same sizes.
bool same_layout(const Tensor& a, const Tensor& b) {
  for (int d = 0; d < a.ndim(); d++)
    if (a.sizes[d] != 1 && a.strides[d] != b.strides[d]) return false;
  return true;
}

// A parameter with its gradient and state, as arrays of real numbers that a kernel walks in step.
class Arrays {
 public:
  // tensors: parameter, gradient, state (null where there is none). All but the gradient are written.
  Arrays(Tensor* const* tensors, int count) : count_(count) {
    const DType type = working_type(tensors[0]->dtype);
    bool direct = type == tensors[0]->dtype && dense(*tensors[0]);
    for (int i = 1; i < count && direct; i++)
      direct = !tensors[i] || (tensors[i]->dtype == type && same_layout(*tensors[0], *tensors[i]));
    for (int i = 0; i < count; i++) {
      target_[i] = tensors[i];
      if (tensors[i]) array_[i] = direct ? share(*tensors[i]) : contiguous(*tensors[i], type);
    }
    size = tensors[0]->numel * (is_complex(type) ? 2 : 1);
    wide = is_double(type);
  }

  char* at(int i, int64_t element) const { return array_[i] ? array_[i]->data() + element * (wide ? 8 : 4) : nullptr; }

  // Stores what was computed in copies, and notes the change.
  void finish() {
    for (int i = 0; i < count_; i++) {
      if (i == 1 || !array_[i]) continue;
      if (array_[i].get() != target_[i]) copy_elements(*target_[i], *array_[i]);
      target_[i]->bump();
    }
  }

  int64_t size;  // real numbers per array
  bool wide;     // of eight bytes

 private:
  int count_;
  Tensor* target_[kMaxSlots];
  Ref array_[kMaxSlots];
};

using List = std::vector<Tensor*>;

// Everything is checked before anything is changed.
void check(const char* name, const List& params, const List& others, const char* what) {
  FLAMBEAU_CHECK(others.empty() || others.size() == params.size(), Kind::Runtime, "%s: %zu parameters but %zu of %s",
                 name, params.size(), others.size(), what);
  for (size_t i = 0; i < others.size(); i++) {
    FLAMBEAU_CHECK(others[i]->sizes == params[i]->sizes, Kind::Runtime,
                   "%s: a parameter of shape %s has a %s of shape %s", name, show(params[i]->sizes).c_str(), what,
                   show(others[i]->sizes).c_str());
    FLAMBEAU_CHECK(is_complex(params[i]->dtype) == is_complex(others[i]->dtype) &&
                       (is_float(others[i]->dtype) || is_complex(others[i]->dtype)),
                   Kind::Runtime, "%s: a parameter of type %s has a %s of type %s", name, scalar_name(params[i]->dtype),
                   what, scalar_name(others[i]->dtype));
  }
}

void check_params(const char* name, const List& params) {
  for (const Tensor* p : params) {
    FLAMBEAU_CHECK(is_float(p->dtype) || is_complex(p->dtype), Kind::Runtime,
                   "%s: a parameter must be of a floating-point or complex type, not %s", name, scalar_name(p->dtype));
    check_writable(*p);
  }
}

void check_state(const char* name, const List& params, const List& state, const char* what) {
  check(name, params, state, what);
  for (const Tensor* t : state) check_writable(*t);
}

// A step counter: one number.
double count_up(Tensor& step) {
  double count = 1;
  if (!step.meta()) {
    switch (step.dtype) {
      case DType::F32: count = *step.as<float>() += 1; break;
      case DType::F64: count = *step.as<double>() += 1; break;
      default: count = static_cast<double>(*step.as<int64_t>() += 1);
    }
  }
  step.bump();
  return count;
}

// params, grads, momentum buffers (empty without momentum), then the options in the order of PyTorch's arguments, and
// whether the buffers are to be set rather than updated.
FLAMBEAU_OP(sgd_step, OnMeta::Serve) {
  const List params = call.tensors();
  const List grads = call.tensors();
  const List buffers = call.tensors();
  SgdStep step;
  step.lr = call.number();
  step.momentum = call.number();
  step.dampening = call.number();
  step.weight_decay = call.number();
  step.nesterov = call.flag();
  step.maximize = call.flag();
  step.first = call.flag();
  check_params("SGD", params);
  FLAMBEAU_CHECK(grads.size() == params.size(), Kind::Runtime, "SGD: every parameter needs a gradient");
  check("SGD", params, grads, "gradient");
  check_state("SGD", params, buffers, "momentum buffer");
  for (size_t i = 0; i < params.size(); i++) {
    if (params[i]->numel == 0) continue;
    Tensor* const tensors[] = {params[i], grads[i], buffers.empty() ? nullptr : buffers[i]};
    Arrays a(tensors, 3);
    const SgdFn fn = kernels().optim.sgd[a.wide];
    parallel(0, a.size, kGrain, [&](int64_t begin, int64_t end) {
      fn(end - begin, step, a.at(0, begin), a.at(1, begin), a.at(2, begin));
    });
    a.finish();
  }
}

// params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs (empty unless amsgrad), step counters, then the options.
FLAMBEAU_OP(adam_step, OnMeta::Serve) {
  const List params = call.tensors();
  const List grads = call.tensors();
  const List exp_avgs = call.tensors();
  const List exp_avg_sqs = call.tensors();
  const List max_exp_avg_sqs = call.tensors();
  const List steps = call.tensors();
  AdamStep step;
  step.lr = call.number();
  step.beta1 = call.number();
  step.beta2 = call.number();
  step.eps = call.number();
  step.weight_decay = call.number();
  step.maximize = call.flag();
  step.decoupled = call.flag();
  check_params("Adam", params);
  FLAMBEAU_CHECK(grads.size() == params.size() && exp_avgs.size() == params.size() &&
                     exp_avg_sqs.size() == params.size() && steps.size() == params.size(),
                 Kind::Runtime, "Adam: every parameter needs a gradient and its state");
  check("Adam", params, grads, "gradient");
  check_state("Adam", params, exp_avgs, "exp_avg");
  check_state("Adam", params, exp_avg_sqs, "exp_avg_sq");
  check_state("Adam", params, max_exp_avg_sqs, "max_exp_avg_sq");
  for (const Tensor* s : steps)
    FLAMBEAU_CHECK(s->numel == 1 && (s->dtype == DType::F32 || s->dtype == DType::F64 || s->dtype == DType::I64),
                   Kind::Runtime, "Adam: a step counter must be one number of type float32, float64 or int64");
  for (size_t i = 0; i < params.size(); i++) {
    const double t = count_up(*steps[i]);
    if (params[i]->numel == 0) continue;
    step.bias_correction1 = 1 - std::pow(step.beta1, t);
    step.bias_correction2 = 1 - std::pow(step.beta2, t);
    Tensor* const tensors[] = {params[i], grads[i], exp_avgs[i], exp_avg_sqs[i],
                               max_exp_avg_sqs.empty() ? nullptr : max_exp_avg_sqs[i]};
    Arrays a(tensors, 5);
    const AdamFn fn = kernels().optim.adam[a.wide];
    parallel(0, a.size, kGrain, [&](int64_t begin, int64_t end) {
      fn(end - begin, step, a.at(0, begin), a.at(1, begin), a.at(2, begin), a.at(3, begin), a.at(4, begin));
    });
    a.finish();
  }
}

}  // namespace
}  // namespace flambeau
