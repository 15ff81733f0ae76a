// Normalisation of rows and of channels: shape rules around the kernels. Half types are computed in float32.
#include "kernels/kernels.h"
#include "ops/spatial.h"

namespace flambeau {
namespace {

using Int = long long;

// A contiguous affine parameter in the compute type; null stays null.
Ref parameter(const Tensor* t, DType dtype, int64_t n, const char* what) {
  if (!t) return Ref();
  FLAMBEAU_CHECK(t->numel == n, Kind::Runtime, "expected %s with %lld elements, got %s", what, static_cast<Int>(n),
                 show(t->sizes).c_str());
  return contiguous(*t, dtype);
}
const void* bytes(const Ref& t) { return t ? t->data() : nullptr; }

RowNorm row_norm(Call& call, const Tensor& x) {
  RowNorm s{};
  s.rows = call.integer();
  s.groups = call.integer();
  s.inner = call.integer();
  FLAMBEAU_CHECK(s.rows >= 0 && s.groups > 0 && s.inner > 0 && (s.rows == 0 ? x.numel == 0 : x.numel % s.rows == 0),
                 Kind::Runtime, "row norm: %s cannot be cut into %lld rows", show(x.sizes).c_str(),
                 static_cast<Int>(s.rows));
  s.n = s.rows ? x.numel / s.rows : 0;
  FLAMBEAU_CHECK(s.n % s.inner == 0 && s.rows % s.groups == 0, Kind::Runtime, "row norm: sizes do not fit together");
  return s;
}

// row_norm(x, weight or null, bias or null, rows, groups, inner, eps) -> y, mean, rstd (statistics: [rows], float32 for
// half types). Layer norm and group norm.
FLAMBEAU_OP(row_norm, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const Tensor* weight = call.tensor_or_null();
  const Tensor* bias = call.tensor_or_null();
  const RowNorm s = row_norm(call, x);
  const double eps = call.number();
  const DType dtype = float_compute("row_norm", x);
  const Ref xc = contiguous(x, dtype);
  const Ref w = parameter(x.numel ? weight : nullptr, dtype, s.groups * (s.n / s.inner), "weight");
  const Ref b = parameter(x.numel ? bias : nullptr, dtype, s.groups * (s.n / s.inner), "bias");
  Ref y = empty(x.sizes, dtype), mean = empty(Dims{s.rows}, dtype), rstd = empty(Dims{s.rows}, dtype);
  if (x.numel > 0)
    kernels().norm.row_forward(dtype, s, xc->data(), bytes(w), bytes(b), eps, y->data(), mean->data(), rstd->data());
  call.result(contiguous(*y, x.dtype));
  call.result(std::move(mean));
  call.result(std::move(rstd));
}

// row_norm_backward(gy, x, mean, rstd, weight or null, rows, groups, inner) -> gx, gweight, gbias.
FLAMBEAU_OP(row_norm_backward, OnMeta::Serve) {
  const Tensor& gy = call.tensor();
  const Tensor& x = call.tensor();
  const Tensor& mean = call.tensor();
  const Tensor& rstd = call.tensor();
  const Tensor* weight = call.tensor_or_null();
  const RowNorm s = row_norm(call, x);
  const DType dtype = float_compute("row_norm_backward", x);
  FLAMBEAU_CHECK(gy.numel == x.numel && mean.numel == s.rows && rstd.numel == s.rows, Kind::Runtime,
                 "row norm backward: sizes do not fit");
  const int64_t n = x.numel || !weight ? s.groups * (s.n / s.inner) : weight->numel;
  const Ref gc = contiguous(gy, dtype), xc = contiguous(x, dtype), mc = contiguous(mean, dtype),
            rc = contiguous(rstd, dtype);
  const Ref w = parameter(weight, dtype, n, "weight");
  Ref gx = empty(x.sizes, dtype), gw = empty(Dims{n}, dtype), gb = empty(Dims{n}, dtype);
  if (x.numel > 0) {
    kernels().norm.row_backward(dtype, s, gc->data(), xc->data(), mc->data(), rc->data(), bytes(w), gx->data(),
                                gw->data(), gb->data());
  } else {
    fill(*gw, Scalar::of(int64_t{0}));
    fill(*gb, Scalar::of(int64_t{0}));
  }
  call.result(contiguous(*gx, x.dtype));
  call.result(contiguous(*gw, weight ? weight->dtype : x.dtype));
  call.result(contiguous(*gb, weight ? weight->dtype : x.dtype));
}

ChannelNorm channel_norm(const Tensor& x) {
  FLAMBEAU_CHECK(x.ndim() >= 1, Kind::Runtime, "expected an input of at least one dimension");
  ChannelNorm s{x.sizes[0], x.ndim() > 1 ? x.sizes[1] : 1, 1};
  for (int d = 2; d < x.ndim(); d++) s.l *= x.sizes[d];
  return s;
}

// channel_stats(x: [N, C, ..]) -> mean, biased variance, each [C].
FLAMBEAU_OP(channel_stats, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const ChannelNorm s = channel_norm(x);
  const DType dtype = float_compute("batch_norm", x);
  const Ref xc = contiguous(x, dtype);
  Ref mean = empty(Dims{s.c}, dtype), var = empty(Dims{s.c}, dtype);
  kernels().norm.channel_stats(dtype, s, xc->data(), mean->data(), var->data());
  call.result(std::move(mean));
  call.result(std::move(var));
}

// channel_affine(x: [N, C, ..], scale: [C], shift: [C]) = x * scale + shift.
FLAMBEAU_OP(channel_affine, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const Tensor& scale = call.tensor();
  const Tensor& shift = call.tensor();
  const ChannelNorm s = channel_norm(x);
  const DType dtype = float_compute("batch_norm", x);
  const Ref xc = contiguous(x, dtype);
  const Ref a = parameter(&scale, dtype, s.c, "scale"), b = parameter(&shift, dtype, s.c, "shift");
  Ref y = empty(x.sizes, dtype);
  if (y->numel > 0) kernels().norm.channel_affine(dtype, s, xc->data(), a->data(), b->data(), y->data());
  call.result(contiguous(*y, x.dtype));
}

// channel_backward(gy, x, mean, invstd, weight or null, training) -> gx, gweight, gbias.
FLAMBEAU_OP(channel_backward, OnMeta::Serve) {
  const Tensor& gy = call.tensor();
  const Tensor& x = call.tensor();
  const Tensor& mean = call.tensor();
  const Tensor& invstd = call.tensor();
  const Tensor* weight = call.tensor_or_null();
  const bool training = call.flag();
  const ChannelNorm s = channel_norm(x);
  FLAMBEAU_CHECK(gy.sizes == x.sizes, Kind::Runtime, "batch_norm backward: gradient of size %s for an input of size %s",
                 show(gy.sizes).c_str(), show(x.sizes).c_str());
  const DType dtype = float_compute("batch_norm_backward", x);
  const Ref gc = contiguous(gy, dtype), xc = contiguous(x, dtype);
  const Ref m = parameter(&mean, dtype, s.c, "mean"), i = parameter(&invstd, dtype, s.c, "invstd"),
            w = parameter(weight, dtype, s.c, "weight");
  Ref gx = empty(x.sizes, dtype), gw = empty(Dims{s.c}, dtype), gb = empty(Dims{s.c}, dtype);
  kernels().norm.channel_backward(dtype, s, training, gc->data(), xc->data(), m->data(), i->data(), bytes(w),
                                  gx->data(), gw->data(), gb->data());
  call.result(contiguous(*gx, x.dtype));
  call.result(contiguous(*gw, weight ? weight->dtype : x.dtype));
  call.result(contiguous(*gb, weight ? weight->dtype : x.dtype));
}

}  // namespace
}  // namespace flambeau
