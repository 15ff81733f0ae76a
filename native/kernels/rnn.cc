#include "kernels/rnn.h"

#include "kernels/rnn_backward.h"
#include "kernels/rnn_forward.h"
#include "kernels/set.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// Calls f with the element type and the mode as types.
template <class T, RnnMode M>
struct Form {
  using Type = T;
  static constexpr RnnMode kMode = M;
};
template <class T, class F>
auto by_mode(RnnMode mode, const F& f) {
  switch (mode) {
    case RnnMode::Tanh: return f(Form<T, RnnMode::Tanh>{});
    case RnnMode::Relu: return f(Form<T, RnnMode::Relu>{});
    case RnnMode::Lstm: return f(Form<T, RnnMode::Lstm>{});
    default: return f(Form<T, RnnMode::Gru>{});
  }
}
template <class F>
auto by_form(const RnnArgs& a, const F& f) {
  return a.type == DType::F64 ? by_mode<double>(a.mode, f) : by_mode<float>(a.mode, f);
}

int64_t forward_room(const RnnArgs& a, int threads) {
  return by_form(a, [&](auto form) {
    const RnnForward<typename decltype(form)::Type, form.kMode> pass(a);
    return pass.weight_bytes() + threads * pass.block_bytes(threads);
  });
}
int64_t backward_room(const RnnArgs& a, int threads) {
  const RnnGradients none;
  return by_form(a, [&](auto form) {
    const RnnBackward<typename decltype(form)::Type, form.kMode> pass(a, none);
    return pass.weight_bytes() + threads * pass.block_bytes(threads);
  });
}
void forward(const RnnArgs& a, int threads, void* room) {
  by_form(a, [&](auto form) { RnnForward<typename decltype(form)::Type, form.kMode>(a).run(threads, room); });
}
void backward(const RnnArgs& a, const RnnGradients& g, int threads, void* room) {
  by_form(a, [&](auto form) { RnnBackward<typename decltype(form)::Type, form.kMode>(a, g).run(threads, room); });
}

}  // namespace

void fill(RnnKernels& k) { k = {forward_room, backward_room, forward, backward}; }

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
