// Convolution, pooling, normalisation and softmax: shape rules around kernels. Halves are computed in float32.
#include <algorithm>

#include "kernels/kernels.h"
#include "ops/conv_form.h"
#include "ops/data.h"
#include "ops/promotion.h"
#include "ops/registry.h"
#include "ops/work.h"

namespace flambeau {
namespace {

using Int = long long;

DType float_compute(const char* name, const Tensor& t) {
  FLAMBEAU_CHECK(is_float(t.dtype), Kind::Runtime, "\"%s\" not implemented for '%s'", name, scalar_name(t.dtype));
  return dtype_of(compute_of(t.dtype));
}

// Reads one number per spatial dimension into the last places of a (depth, height, width) triple.
void read3(Call& call, int nd, int64_t fill, int64_t* out, const char* what) {
  const Dims d = call.dims();
  FLAMBEAU_CHECK(d.size() == nd || d.size() == 1, Kind::Runtime,
                 "expected %s to be a single integer or a list of %d integers", what, nd);
  for (int i = 0; i < 3; i++) out[i] = fill;
  for (int i = 0; i < nd; i++) out[3 - nd + i] = d.size() == 1 ? d[0] : d[i];
}

void spatial3(const Tensor& t, int nd, int64_t* out) {
  for (int i = 0; i < 3; i++) out[i] = 1;
  for (int i = 0; i < nd; i++) out[3 - nd + i] = t.sizes[t.ndim() - nd + i];
}

Dims with_spatial(std::initializer_list<int64_t> leading, const int64_t* three, int nd) {
  Dims d(leading);
  for (int i = 0; i < nd; i++) d.push_back(three[3 - nd + i]);
  return d;
}

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

// conv(x, w, bias or null, stride, padding, dilation, groups); x: [N, C, spatial..], w: [O, C / groups, kernel..].
FLAMBEAU_OP(conv, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const Tensor& w = call.tensor();
  const Tensor* bias = call.tensor_or_null();
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
    const int64_t reach = s.dilation[i] * (s.kernel[i] - 1) + 1;
    const int64_t room = s.in[i] + 2 * s.pad[i];
    FLAMBEAU_CHECK(s.kernel[i] > 0, Kind::Runtime, "kernel size should be greater than zero");
    small = small || room < reach;
    s.out[i] = room < reach ? 0 : (room - reach) / s.stride[i] + 1;
  }
  if (small) {
    Dims room(nd), reach(nd);
    for (int i = 0; i < nd; i++) {
      room[i] = s.in[3 - nd + i] + 2 * s.pad[3 - nd + i];
      reach[i] = s.dilation[3 - nd + i] * (s.kernel[3 - nd + i] - 1) + 1;
    }
    fail(Kind::Runtime,
         "Calculated padded input size per channel: %s. Kernel size: %s. Kernel size can't be greater than actual "
         "input size",
         product_text(room).c_str(), product_text(reach).c_str());
  }
  // Integers are convolved in float64: exact as long as sums stay below 2^53.
  const DType dtype = is_integral(x.dtype) ? DType::F64 : float_compute("conv", x);
  const Ref xc = contiguous(x, dtype), wc = contiguous(w, dtype);
  const Ref bc = bias ? contiguous(*bias, dtype) : Ref();
  Ref y = empty(with_spatial({s.n, s.o}, s.out, nd), dtype);
  count_work(s);
  if (y->numel > 0)
    kernels().conv.forward(dtype, s, xc->data(), wc->data(), packed_weight(s, *wc).data(), bc ? bc->data() : nullptr,
                           y->data());
  call.result(contiguous(*y, x.dtype));
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
  FLAMBEAU_CHECK(gy.sizes[0] == s.n && gy.sizes[1] == s.o && s.c == w_sizes[1] * s.groups && s.o % s.groups == 0,
                 Kind::Runtime, "conv backward: gradient of size %s does not fit input %s and weight %s",
                 show(gy.sizes).c_str(), show(in_sizes).c_str(), show(w_sizes).c_str());
  for (int i = 0; i < 3; i++) {
    FLAMBEAU_CHECK(s.stride[i] > 0 && s.pad[i] >= 0 && s.dilation[i] > 0, Kind::Runtime,
                   "conv backward: stride, padding or dilation out of range");
    // Every element of gy must have its window inside the padded input.
    const int64_t reach = s.dilation[i] * (s.kernel[i] - 1) + 1;
    FLAMBEAU_CHECK(s.out[i] == 0 || (s.out[i] - 1) * s.stride[i] + reach <= s.in[i] + 2 * s.pad[i], Kind::Runtime,
                   "conv backward: gradient of size %s is too large for input %s", show(gy.sizes).c_str(),
                   show(in_sizes).c_str());
  }
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

// How many windows fit; `ceil` keeps a last one that starts inside the input or its left padding.
int64_t pooled_size(int64_t in, int64_t kernel, int64_t pad, int64_t stride, int64_t dilation, bool ceil) {
  const int64_t span = in + 2 * pad - dilation * (kernel - 1) - 1;
  const int64_t adjusted = span + (ceil ? stride - 1 : 0);
  int64_t out = (adjusted >= 0 ? adjusted / stride : -((-adjusted + stride - 1) / stride)) + 1;
  if (ceil && (out - 1) * stride >= in + pad) out--;
  return out;
}

// x: [.., spatial]; the dimensions before the last nd are planes.
PoolShape pool_geometry(Call& call, const char* name, const Tensor& x, int nd, bool dilated) {
  PoolShape s{};
  read3(call, nd, 1, s.kernel, "kernel_size");
  read3(call, nd, 1, s.stride, "stride");
  read3(call, nd, 0, s.pad, "padding");
  for (int i = 0; i < 3; i++) s.dilation[i] = 1;
  if (dilated) read3(call, nd, 1, s.dilation, "dilation");
  const bool ceil = call.flag();
  FLAMBEAU_CHECK(x.ndim() == nd + 1 || x.ndim() == nd + 2, Kind::Runtime,
                 "non-empty %dD or %dD (batch mode) tensor expected for input", nd + 1, nd + 2);
  spatial3(x, nd, s.in);
  s.planes = 1;
  for (int d = 0; d < x.ndim() - nd; d++) s.planes *= x.sizes[d];
  for (int i = 0; i < 3; i++) {
    FLAMBEAU_CHECK(s.kernel[i] > 0, Kind::Runtime, "kernel size should be greater than zero, but got %lld",
                   static_cast<Int>(s.kernel[i]));
    FLAMBEAU_CHECK(s.stride[i] > 0, Kind::Runtime, "stride should not be zero");
    FLAMBEAU_CHECK(s.dilation[i] > 0, Kind::Runtime, "dilation should be greater than zero, but got %lld",
                   static_cast<Int>(s.dilation[i]));
    FLAMBEAU_CHECK(s.pad[i] >= 0, Kind::Runtime, "pad must be non-negative, but got pad: %lld",
                   static_cast<Int>(s.pad[i]));
    FLAMBEAU_CHECK(
        s.pad[i] * 2 <= (s.kernel[i] - 1) * s.dilation[i] + 1, Kind::Runtime,
        "pad should be at most half of effective kernel size, but got pad=%lld, kernel_size=%lld and dilation=%lld",
        static_cast<Int>(s.pad[i]), static_cast<Int>(s.kernel[i]), static_cast<Int>(s.dilation[i]));
    s.out[i] = pooled_size(s.in[i], s.kernel[i], s.pad[i], s.stride[i], s.dilation[i], ceil);
  }
  bool empty_out = false;
  for (int i = 0; i < 3; i++) empty_out = empty_out || s.out[i] <= 0;
  if (empty_out) {
    const int64_t channels = x.sizes[x.ndim() - nd - 1];
    const auto text = [&](const int64_t* three) {
      std::string t = "(";
      t += std::to_string(channels);
      for (int i = 0; i < nd; i++) {
        t += 'x';
        t += std::to_string(std::max<int64_t>(0, three[3 - nd + i]));
      }
      t += ')';
      return t;
    };
    fail(Kind::Runtime, "Given input size: %s. Calculated output size: %s. Output size is too small",
         text(s.in).c_str(), text(s.out).c_str());
  }
  for (int d = x.ndim() - nd - (x.ndim() == nd + 2 ? 1 : 0); d < x.ndim(); d++)
    FLAMBEAU_CHECK(x.sizes[d] > 0, Kind::Runtime,
                   "%s: Expected input's non-batch dimensions to have positive length, but got %s", name,
                   show(x.sizes).c_str());
  return s;
}

Dims pooled_sizes(const Tensor& x, int nd, const int64_t* out) {
  Dims d = x.sizes;
  for (int i = 0; i < nd; i++) d[d.size() - nd + i] = out[3 - nd + i];
  return d;
}

// max_pool(x, nd, kernel, stride, padding, dilation, ceil, with indices) -> values[, indices].
FLAMBEAU_OP(max_pool, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int nd = static_cast<int>(call.integer());
  const PoolShape s = pool_geometry(call, "max_pool", x, nd, true);
  FLAMBEAU_CHECK(!is_complex(x.dtype) && x.dtype != DType::Bool, Kind::Runtime,
                 "\"max_pool%dd\" not implemented for '%s'", nd, scalar_name(x.dtype));
  const DType dtype = dtype_of(compute_of(x.dtype));
  const Ref xc = contiguous(x, dtype);
  const Dims sizes = pooled_sizes(x, nd, s.out);
  Ref y = empty(sizes, dtype), indices;
  if (call.flag()) indices = empty(sizes, DType::I64);
  if (y->numel > 0)
    kernels().pool.max_forward(dtype, s, xc->data(), y->data(), indices ? indices->as<int64_t>() : nullptr);
  call.result(contiguous(*y, x.dtype));
  if (indices) call.result(std::move(indices));
}

// Puts gradients back where indices say: (gy, indices, in_sizes, nd). Serves max_pool, its adaptive form and unpooling.
FLAMBEAU_OP(max_pool_backward, OnMeta::Serve) {
  const Tensor& gy = call.tensor();
  const Tensor& indices = call.tensor();
  const Dims in_sizes = call.dims();
  const int nd = static_cast<int>(call.integer());
  FLAMBEAU_CHECK(indices.dtype == DType::I64 && indices.sizes == gy.sizes && in_sizes.size() == gy.ndim() && nd >= 1 &&
                     nd <= 3 && nd <= gy.ndim(),
                 Kind::Runtime, "max_pool backward: gradient %s and indices %s do not fit", show(gy.sizes).c_str(),
                 show(indices.sizes).c_str());
  int64_t planes = 1, in = 1, out = 1;
  for (int d = 0; d < gy.ndim() - nd; d++) {
    FLAMBEAU_CHECK(gy.sizes[d] == in_sizes[d], Kind::Runtime, "max_pool backward: batch or channels differ");
    planes *= gy.sizes[d];
  }
  for (int d = gy.ndim() - nd; d < gy.ndim(); d++) {
    in *= in_sizes[d];
    out *= gy.sizes[d];
  }
  const DType dtype = float_compute("max_pool_backward", gy);
  const Ref gc = contiguous(gy, dtype), ic = contiguous(indices);
  for (int64_t i = 0; i < ic->numel && !dry_run(); i++)
    FLAMBEAU_CHECK(ic->as<int64_t>()[i] >= 0 && ic->as<int64_t>()[i] < in, Kind::Runtime,
                   "Found an invalid max index: %lld (output volumes are of size %lld)",
                   static_cast<Int>(ic->as<int64_t>()[i]), static_cast<Int>(in));
  Ref gx = empty(in_sizes, dtype);
  if (gx->numel > 0) kernels().pool.max_backward(dtype, planes, in, out, gc->data(), ic->as<int64_t>(), gx->data());
  call.result(contiguous(*gx, gy.dtype));
}

void read_average(Call& call, PoolShape* s) {
  s->count_include_pad = call.flag();
  const auto divisor = call.integer_or_null();
  FLAMBEAU_CHECK(!divisor || *divisor != 0, Kind::Runtime, "divisor must be not zero");
  s->divisor = divisor.value_or(0);
}

// avg_pool(x, nd, kernel, stride, padding, ceil, count_include_pad, divisor or null).
FLAMBEAU_OP(avg_pool, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int nd = static_cast<int>(call.integer());
  PoolShape s = pool_geometry(call, "avg_pool", x, nd, false);
  read_average(call, &s);
  FLAMBEAU_CHECK(is_float(x.dtype) || x.dtype == DType::I64, Kind::Runtime, "\"avg_pool%dd\" not implemented for '%s'",
                 nd, scalar_name(x.dtype));
  const DType dtype = dtype_of(compute_of(x.dtype));
  const Ref xc = contiguous(x, dtype);
  Ref y = empty(pooled_sizes(x, nd, s.out), dtype);
  if (y->numel > 0) kernels().pool.avg_forward(dtype, s, xc->data(), y->data());
  call.result(contiguous(*y, x.dtype));
}

// avg_pool_backward(gy, x for its sizes, then as avg_pool).
FLAMBEAU_OP(avg_pool_backward, OnMeta::Serve) {
  const Tensor& gy = call.tensor();
  const Tensor& x = call.tensor();
  const int nd = static_cast<int>(call.integer());
  PoolShape s = pool_geometry(call, "avg_pool", x, nd, false);
  read_average(call, &s);
  FLAMBEAU_CHECK(gy.sizes == pooled_sizes(x, nd, s.out), Kind::Runtime,
                 "avg_pool backward: gradient of size %s does not fit", show(gy.sizes).c_str());
  const DType dtype = float_compute("avg_pool_backward", gy);
  const Ref gc = contiguous(gy, dtype);
  Ref gx = empty(x.sizes, dtype);
  if (gx->numel > 0) kernels().pool.avg_backward(dtype, s, gc->data(), gx->data());
  call.result(contiguous(*gx, gy.dtype));
}

PoolShape adaptive_geometry(const char* name, const Tensor& x, int nd, const Dims& out) {
  FLAMBEAU_CHECK(nd >= 1 && nd <= 3 && (x.ndim() == nd + 1 || x.ndim() == nd + 2), Kind::Runtime,
                 "%s: Expected %dD or %dD tensor, but got %s", name, nd + 1, nd + 2, show(x.sizes).c_str());
  FLAMBEAU_CHECK(out.size() == nd, Kind::Runtime, "%s: output_size must have %d elements", name, nd);
  PoolShape s{};
  spatial3(x, nd, s.in);
  s.planes = 1;
  for (int d = 0; d < x.ndim() - nd; d++) s.planes *= x.sizes[d];
  for (int i = 0; i < 3; i++) s.out[i] = s.kernel[i] = s.stride[i] = s.dilation[i] = 1;
  for (int i = 0; i < nd; i++) {
    FLAMBEAU_CHECK(out[i] >= 0, Kind::Runtime,
                   "%s: elements of output_size must be greater than or equal to 0 but received %s", name,
                   show(out).c_str());
    FLAMBEAU_CHECK(x.sizes[x.ndim() - nd + i] > 0, Kind::Runtime,
                   "%s: Expected input to have non-zero size for non-batch dimensions, but input has sizes %s", name,
                   show(x.sizes).c_str());
    s.out[3 - nd + i] = out[i];
  }
  return s;
}

// adaptive_avg_pool(x, nd, output sizes).
FLAMBEAU_OP(adaptive_avg_pool, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int nd = static_cast<int>(call.integer());
  const PoolShape s = adaptive_geometry("adaptive_avg_pool", x, nd, call.dims());
  const DType dtype = float_compute("adaptive_avg_pool", x);
  const Ref xc = contiguous(x, dtype);
  Ref y = empty(pooled_sizes(x, nd, s.out), dtype);
  if (y->numel > 0) kernels().pool.adaptive_avg_forward(dtype, s, xc->data(), y->data());
  call.result(contiguous(*y, x.dtype));
}

// adaptive_avg_pool_backward(gy, x for its sizes, nd).
FLAMBEAU_OP(adaptive_avg_pool_backward, OnMeta::Serve) {
  const Tensor& gy = call.tensor();
  const Tensor& x = call.tensor();
  const int nd = static_cast<int>(call.integer());
  FLAMBEAU_CHECK(nd >= 1 && nd <= 3 && gy.ndim() == x.ndim() && nd < gy.ndim(), Kind::Runtime,
                 "adaptive_avg_pool backward: sizes do not fit");
  const PoolShape s = adaptive_geometry("adaptive_avg_pool", x, nd, Dims(gy.sizes.data() + gy.ndim() - nd, nd));
  FLAMBEAU_CHECK(gy.sizes == pooled_sizes(x, nd, s.out), Kind::Runtime, "adaptive_avg_pool backward: sizes do not fit");
  const DType dtype = float_compute("adaptive_avg_pool_backward", gy);
  const Ref gc = contiguous(gy, dtype);
  Ref gx = empty(x.sizes, dtype);
  if (gx->numel > 0) kernels().pool.adaptive_avg_backward(dtype, s, gc->data(), gx->data());
  call.result(contiguous(*gx, gy.dtype));
}

// adaptive_max_pool(x, nd, output sizes) -> values, indices.
FLAMBEAU_OP(adaptive_max_pool, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int nd = static_cast<int>(call.integer());
  const PoolShape s = adaptive_geometry("adaptive_max_pool", x, nd, call.dims());
  const DType dtype = float_compute("adaptive_max_pool", x);
  const Ref xc = contiguous(x, dtype);
  const Dims sizes = pooled_sizes(x, nd, s.out);
  Ref y = empty(sizes, dtype);
  Ref indices = empty(sizes, DType::I64);
  if (y->numel > 0) kernels().pool.adaptive_max_forward(dtype, s, xc->data(), y->data(), indices->as<int64_t>());
  call.result(contiguous(*y, x.dtype));
  call.result(std::move(indices));
}

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
