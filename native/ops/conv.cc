// Convolutions: shape rules around the kernels. Half types are computed in float32.
#include <algorithm>

#include "core/dry_run.h"
#include "kernels/kernels.h"
#include "ops/conv_form.h"
#include "ops/spatial.h"
#include "ops/work.h"

namespace flambeau {
namespace {

using Int = long long;

// "(2 x 3)" for messages.
std::string product_text(const Dims& d) {
  std::string s = "(";
  for (int i = 0; i < d.size(); i++) {
    if (i) s += " x ";
    s += std::to_string(d[i]);
  }
  s += ')';
  return s;
}

// From the first element that a window reads to behind the last.
int64_t reach(const ConvShape& s, int d) {
  int64_t steps = 0;
  FLAMBEAU_CHECK(!__builtin_mul_overflow(s.dilation[d], s.kernel[d] - 1, &steps) && steps < int64_t{1} << 62,
                 Kind::Runtime, "dilation %lld is too large for a kernel of %lld elements",
                 static_cast<Int>(s.dilation[d]), static_cast<Int>(s.kernel[d]));
  return steps + 1;
}

// Makes the geometry one that kernels can count with: they hold parts of the image with its padding, and what lies
// between the elements that a window reads.
void settle(ConvShape& s) {
  for (int i = 0; i < 3; i++) {
    // From a single window no step is taken.
    if (s.out[i] <= 1) s.stride[i] = std::min(s.stride[i], std::max<int64_t>(reach(s, i), 1));
  }
  if (dry_run()) return;
  double bytes = sizeof(float) * static_cast<double>(std::max(s.c, s.o) / s.groups) * static_cast<double>(s.kernel[0]);
  for (int i = 0; i < 3; i++) bytes *= static_cast<double>(s.in[i]) + 2 * static_cast<double>(s.pad[i]);
  FLAMBEAU_CHECK(bytes < 0x1p40, Kind::Runtime,
                 "DefaultCPUAllocator: can't allocate memory: you tried to allocate %.0f bytes.", bytes);
}

// The geometry of a convolution whose input has sizes `in`; stride, padding, dilation and groups are read from the
// call.
ConvShape conv_shape(Call& call, int nd, const Tensor& w) {
  ConvShape s{};
  read3(call, nd, 1, s.stride, "stride");
  read3(call, nd, 0, s.pad, "padding");
  read3(call, nd, 1, s.dilation, "dilation");
  s.groups = call.integer();
  FLAMBEAU_CHECK(s.groups > 0, Kind::Runtime, "non-positive groups is not supported");
  spatial3(w, nd, s.kernel);
  s.o = w.sizes[0];
  for (int i = 0; i < 3; i++) {
    FLAMBEAU_CHECK(s.stride[i] > 0, Kind::Runtime, "non-positive stride is not supported");
    FLAMBEAU_CHECK(s.pad[i] >= 0, Kind::Runtime, "negative padding is not supported");
    FLAMBEAU_CHECK(s.dilation[i] > 0, Kind::Runtime, "dilation should be greater than zero");
  }
  return s;
}

// The shape of a convolution of x, read from the call.
ConvShape forward_shape(Call& call, const Tensor& x, const Tensor& w, const Tensor* bias) {
  const int nd = x.ndim() - 2;
  FLAMBEAU_CHECK(nd >= 1 && nd <= 3 && w.ndim() == x.ndim(), Kind::Runtime,
                 "Expected %dD (unbatched) or %dD (batched) input to conv%dd, but got input of size: %s", w.ndim() - 1,
                 w.ndim(), w.ndim() - 2, show(x.sizes).c_str());
  ConvShape s = conv_shape(call, nd, w);
  FLAMBEAU_CHECK(x.dtype == w.dtype && (!bias || bias->dtype == x.dtype), Kind::Runtime,
                 "Input type (%s) and weight type (%s) or bias type should be the same", scalar_name(x.dtype),
                 scalar_name(w.dtype));
  s.n = x.sizes[0];
  s.c = x.sizes[1];
  FLAMBEAU_CHECK(
      s.o >= s.groups && s.o % s.groups == 0, Kind::Runtime,
      "Given groups=%lld, expected weight to be at least %lld at dimension 0 and divisible by it, but got weight of "
      "size %s instead",
      static_cast<Int>(s.groups), static_cast<Int>(s.groups), show(w.sizes).c_str());
  FLAMBEAU_CHECK(
      s.c == w.sizes[1] * s.groups, Kind::Runtime,
      "Given groups=%lld, weight of size %s, expected input%s to have %lld channels, but got %lld channels instead",
      static_cast<Int>(s.groups), show(w.sizes).c_str(), show(x.sizes).c_str(), static_cast<Int>(w.sizes[1] * s.groups),
      static_cast<Int>(s.c));
  FLAMBEAU_CHECK(
      !bias || (bias->ndim() == 1 && bias->sizes[0] == s.o), Kind::Runtime,
      "Given weight of size %s, expected bias to be 1-dimensional with %lld elements, but got bias of size %s instead",
      show(w.sizes).c_str(), static_cast<Int>(s.o), bias ? show(bias->sizes).c_str() : "");
  spatial3(x, nd, s.in);
  bool small = false;
  for (int i = 0; i < 3; i++) {
    FLAMBEAU_CHECK(s.kernel[i] > 0, Kind::Runtime, "kernel size should be greater than zero");
    const int64_t left = s.in[i] + 2 * s.pad[i] - reach(s, i);
    small = small || left < 0;
    s.out[i] = left < 0 ? 0 : left / s.stride[i] + 1;
  }
  if (small) {
    Dims room(nd), window(nd);
    for (int i = 0; i < nd; i++) {
      room[i] = s.in[3 - nd + i] + 2 * s.pad[3 - nd + i];
      window[i] = reach(s, 3 - nd + i);
    }
    fail(Kind::Runtime,
         "Calculated padded input size per channel: %s. Kernel size: %s. Kernel size can't be greater than actual "
         "input size",
         product_text(room).c_str(), product_text(window).c_str());
  }
  settle(s);
  return s;
}

// conv(x, w, bias or null, stride, padding, dilation, groups); x: [N, C, spatial..], w: [O, C / groups, kernel..].
FLAMBEAU_OP(conv, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const Tensor& w = call.tensor();
  const Tensor* bias = call.tensor_or_null();
  const ConvShape s = forward_shape(call, x, w, bias);
  // Integers are convolved in float64: exact as long as sums stay below 2^53.
  const DType dtype = is_integral(x.dtype) ? DType::F64 : float_compute("conv", x);
  const Ref xc = contiguous(x, dtype), wc = contiguous(w, dtype);
  const Ref bc = bias ? contiguous(*bias, dtype) : Ref();
  Ref y = empty(with_spatial({s.n, s.o}, s.out, x.ndim() - 2), dtype);
  count_work(s);
  if (y->numel > 0) {
    // A copy of the weight is used once: nothing of it is worth noting.
    const PackedForm form = wc.get() == &w ? packed_weight(s, *wc) : PackedForm();
    kernels().conv.forward(dtype, s, xc->data(), wc->data(), form.data(), bc ? bc->data() : nullptr, y->data());
  }
  call.result(contiguous(*y, x.dtype));
}

// What max(conv(x, w, bias), 0) gives, and max pooling it by windows that lie side by side, (1, 1) for no pooling:
// conv_relu(x, w, bias or null, stride, padding, dilation, groups, window, with places) -> y[, places], or nothing
// where the three steps are to be taken one by one. places: see ConvTail.
FLAMBEAU_OP(conv_relu, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const Tensor& w = call.tensor();
  const Tensor* bias = call.tensor_or_null();
  const ConvShape s = forward_shape(call, x, w, bias);
  const Dims window = call.dims();
  const bool with_places = call.flag();
  ConvTail tail{{window[0], window[1]}, nullptr};
  if (x.ndim() != 4 || !kernels().conv.takes_tail(x.dtype, s, tail.window)) return;
  const Ref xc = contiguous(x), wc = contiguous(w), bc = bias ? contiguous(*bias) : Ref();
  const Dims sizes{s.n, s.o, s.out[1] / window[0], s.out[2] / window[1]};
  Ref y = empty(sizes, x.dtype), places;
  if (with_places) {
    places = empty(sizes, DType::U8);
    tail.places = places->as<uint8_t>();
  }
  count_work(s);
  kernels().conv.forward_with(x.dtype, s, xc->data(), wc->data(), packed_weight(s, *wc).data(),
                              bc ? bc->data() : nullptr, tail, y->data());
  call.result(std::move(y));
  if (places) call.result(std::move(places));
}

// Reads gy and the shape of a convolution whose input has the sizes `in` (first argument of the call's list).
ConvShape backward_shape(Call& call, const Tensor& gy, const Dims& in_sizes, const Dims& w_sizes, int nd) {
  ConvShape s{};
  read3(call, nd, 1, s.stride, "stride");
  read3(call, nd, 0, s.pad, "padding");
  read3(call, nd, 1, s.dilation, "dilation");
  s.groups = call.integer();
  FLAMBEAU_CHECK(s.groups > 0 && in_sizes.size() == nd + 2 && w_sizes.size() == nd + 2, Kind::Runtime,
                 "conv backward: sizes do not fit together");
  s.n = in_sizes[0];
  s.c = in_sizes[1];
  s.o = w_sizes[0];
  for (int i = 0; i < 3; i++) s.in[i] = s.out[i] = s.kernel[i] = 1;
  for (int i = 0; i < nd; i++) {
    s.in[3 - nd + i] = in_sizes[2 + i];
    s.kernel[3 - nd + i] = w_sizes[2 + i];
    s.out[3 - nd + i] = gy.sizes[2 + i];
  }
  FLAMBEAU_CHECK(gy.sizes[0] == s.n && gy.sizes[1] == s.o && s.c % s.groups == 0 && s.c / s.groups == w_sizes[1] &&
                     s.o % s.groups == 0,
                 Kind::Runtime, "conv backward: gradient of size %s does not fit input %s and weight %s",
                 show(gy.sizes).c_str(), show(in_sizes).c_str(), show(w_sizes).c_str());
  for (int i = 0; i < 3; i++) {
    FLAMBEAU_CHECK(s.stride[i] > 0 && s.pad[i] >= 0 && s.dilation[i] > 0, Kind::Runtime,
                   "conv backward: stride, padding or dilation out of range");
    // Every element of gy must have its window inside the padded input.
    const int64_t left = s.in[i] + 2 * s.pad[i] - reach(s, i);
    FLAMBEAU_CHECK(s.out[i] == 0 || (left >= 0 && s.out[i] - 1 <= left / s.stride[i]), Kind::Runtime,
                   "conv backward: gradient of size %s is too large for input %s", show(gy.sizes).c_str(),
                   show(in_sizes).c_str());
  }
  settle(s);
  return s;
}

// conv_input(gy, w, in_sizes, bias or null, stride, padding, dilation, groups): the gradient by the input; with a bias,
// the transposed convolution.
FLAMBEAU_OP(conv_input, OnMeta::Serve) {
  const Tensor& gy = call.tensor();
  const Tensor& w = call.tensor();
  const Dims in_sizes = call.dims();
  const Tensor* bias = call.tensor_or_null();
  const int nd = gy.ndim() - 2;
  FLAMBEAU_CHECK(nd >= 1 && nd <= 3 && gy.dtype == w.dtype, Kind::Runtime,
                 "Input type (%s) and weight type (%s) should be the same", scalar_name(gy.dtype),
                 scalar_name(w.dtype));
  const ConvShape s = backward_shape(call, gy, in_sizes, w.sizes, nd);
  FLAMBEAU_CHECK(!bias || (bias->ndim() == 1 && bias->sizes[0] == s.c && bias->dtype == gy.dtype), Kind::Runtime,
                 "expected bias to be 1-dimensional with %lld elements", static_cast<Int>(s.c));
  const DType dtype = gy.dtype == DType::I64 ? DType::F64 : float_compute("conv", gy);
  const Ref gc = contiguous(gy, dtype), wc = contiguous(w, dtype);
  const Ref bc = bias ? contiguous(*bias, dtype) : Ref();
  Ref gx = empty(in_sizes, dtype);
  count_work(s);
  if (gx->numel > 0)
    kernels().conv.backward_input(dtype, s, gc->data(), wc->data(), bc ? bc->data() : nullptr, gx->data());
  call.result(contiguous(*gx, gy.dtype));
}

// conv_weight(gy, x, w_sizes, stride, padding, dilation, groups): the gradient by the weight.
FLAMBEAU_OP(conv_weight, OnMeta::Serve) {
  const Tensor& gy = call.tensor();
  const Tensor& x = call.tensor();
  const Dims w_sizes = call.dims();
  const int nd = gy.ndim() - 2;
  FLAMBEAU_CHECK(nd >= 1 && nd <= 3 && gy.dtype == x.dtype, Kind::Runtime,
                 "Input type (%s) and gradient type (%s) should be the same", scalar_name(x.dtype),
                 scalar_name(gy.dtype));
  const ConvShape s = backward_shape(call, gy, x.sizes, w_sizes, nd);
  const DType dtype = float_compute("conv", gy);
  const Ref gc = contiguous(gy, dtype), xc = contiguous(x, dtype);
  Ref gw = empty(w_sizes, dtype);
  count_work(s);
  if (gw->numel > 0) kernels().conv.backward_weight(dtype, s, gc->data(), xc->data(), gw->data());
  call.result(contiguous(*gw, gy.dtype));
}

}  // namespace
}  // namespace flambeau
