// Softmax along any dimension. Half types are computed in float32.
#include "kernels/kernels.h"
#include "ops/spatial.h"

namespace flambeau {
namespace {

// The tensor with dimension d moved last, contiguous, and back.
Ref last_dim(const Tensor& t, int d, DType dtype) {
  if (t.ndim() == 0 || d == t.ndim() - 1) return contiguous(t, dtype);
  Dims sizes = t.sizes, strides = t.strides;
  std::swap(sizes[d], sizes[t.ndim() - 1]);
  std::swap(strides[d], strides[t.ndim() - 1]);
  const Ref v = view_of(t, sizes, strides, t.offset);
  return contiguous(*v, dtype);
}

Ref restore_dim(const Ref& t, int d, DType dtype) {
  if (t->ndim() == 0 || d == t->ndim() - 1) return contiguous(*t, dtype);
  return last_dim(*t, d, dtype);
}

// softmax and log_softmax: (x, dim).
void softmax(Call& call) {
  const Tensor& x = call.tensor();
  const int d = wrap_dim(call.integer(), x.ndim());
  const DType dtype = float_compute(call.row ? "log_softmax" : "softmax", x);
  const Ref xc = last_dim(x, d, dtype);
  Ref y = empty(xc->sizes, dtype);
  const int64_t n = x.ndim() ? x.sizes[d] : 1;
  const auto& k = kernels().softmax;
  if (x.numel > 0) (call.row ? k.log_softmax : k.softmax)(dtype, x.numel / n, n, xc->data(), y->data());
  call.result(restore_dim(y, d, x.dtype));
}
const Register softmax_row{"softmax", softmax, 0, OnMeta::Serve};
const Register log_softmax_row{"log_softmax", softmax, 1, OnMeta::Serve};

// softmax_backward and log_softmax_backward: (gy, y, dim).
void softmax_backward(Call& call) {
  const Tensor& gy = call.tensor();
  const Tensor& y = call.tensor();
  const int d = wrap_dim(call.integer(), y.ndim());
  FLAMBEAU_CHECK(gy.sizes == y.sizes, Kind::Runtime, "softmax backward: gradient of size %s for a result of size %s",
                 show(gy.sizes).c_str(), show(y.sizes).c_str());
  const DType dtype = float_compute("softmax_backward", y);
  const Ref gc = last_dim(gy, d, dtype), yc = last_dim(y, d, dtype);
  Ref gx = empty(yc->sizes, dtype);
  const int64_t n = y.ndim() ? y.sizes[d] : 1;
  const auto& k = kernels().softmax;
  if (y.numel > 0)
    (call.row ? k.log_softmax_backward : k.softmax_backward)(dtype, y.numel / n, n, gc->data(), yc->data(), gx->data());
  call.result(restore_dim(gx, d, y.dtype));
}
const Register softmax_backward_row{"softmax_backward", softmax_backward, 0, OnMeta::Serve};
const Register log_softmax_backward_row{"log_softmax_backward", softmax_backward, 1, OnMeta::Serve};

}  // namespace
}  // namespace flambeau
