// Pooling: shape rules around the kernels. Half types are computed in float32.
#include <algorithm>

#include "kernels/kernels.h"
#include "ops/spatial.h"

namespace flambeau {
namespace {

using Int = long long;

// How many windows fit; `ceil` keeps a last one that starts inside the input or its left padding.
int64_t pooled_size(int64_t in, int64_t kernel, int64_t pad, int64_t stride, int64_t dilation, bool ceil) {
  const int64_t span = in + 2 * pad - dilation * (kernel - 1) - 1;
  const int64_t adjusted = span + (ceil ? stride - 1 : 0);
  int64_t out = (adjusted >= 0 ? adjusted / stride : -((-adjusted + stride - 1) / stride)) + 1;
  if (ceil && (out - 1) * stride >= in + pad) out--;
  return out;
}

// PyTorch keeps these in an int; so no sum or product of two of them overflows.
void check_int(const int64_t (&three)[3]) {
  for (const int64_t v : three)
    FLAMBEAU_CHECK(v == static_cast<int32_t>(v), Kind::Runtime,
                   "value cannot be converted to type int without overflow");
}

// x: [.., spatial]; the dimensions before the last nd are planes.
PoolShape pool_geometry(Call& call, const char* name, const Tensor& x, int nd, bool dilated) {
  PoolShape s{};
  read3(call, nd, 1, s.kernel, "kernel_size");
  read3(call, nd, 1, s.stride, "stride");
  read3(call, nd, 0, s.pad, "padding");
  for (int i = 0; i < 3; i++) s.dilation[i] = 1;
  if (dilated) read3(call, nd, 1, s.dilation, "dilation");
  for (const auto* given : {&s.kernel, &s.stride, &s.pad, &s.dilation}) check_int(*given);
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
  for (int d = x.ndim() == nd + 2 ? 1 : 0; d < x.ndim(); d++) {
    if (x.sizes[d] > 0) continue;
    if (nd == 3)
      fail(Kind::Runtime,
           "%s3d(): Expected input's non-batch dimensions to have positive length, but input has a shape of %s and "
           "non-batch dimension %d has length zero!",
           name, show(x.sizes).c_str(), d - (x.ndim() == nd + 2 ? 1 : 0));
    fail(Kind::Runtime,
         "%s%dd: Expected %dD or %dD (batch mode) tensor with optional 0 dim batch size for input, but got:%s", name,
         nd, nd + 1, nd + 2, show(x.sizes).c_str());
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
  Ref gx = empty(in_sizes, dtype);
  const bool inside = kernels().pool.max_backward(dtype, planes, in, out, gc->data(), ic->as<int64_t>(), gx->data());
  for (int64_t i = 0; i < ic->numel && !inside; i++)
    FLAMBEAU_CHECK(ic->as<int64_t>()[i] >= 0 && ic->as<int64_t>()[i] < in, Kind::Runtime,
                   "Found an invalid max index: %lld (output volumes are of size %lld)",
                   static_cast<Int>(ic->as<int64_t>()[i]), static_cast<Int>(in));
  call.result(contiguous(*gx, gy.dtype));
}

// Windows of `window` elements side by side in planes of in_sizes, and the places of their maxima.
PoolShape window_geometry(const Tensor& places, const Dims& in_sizes, const Dims& window) {
  PoolShape s{};
  FLAMBEAU_CHECK(places.dtype == DType::U8 && places.ndim() == 4 && in_sizes.size() == 4 && window.size() == 2,
                 Kind::Runtime, "max_pool backward: places %s do not fit", show(places.sizes).c_str());
  s.planes = in_sizes[0] * in_sizes[1];
  s.in[0] = s.out[0] = s.kernel[0] = 1;
  bool fits = places.sizes[0] == in_sizes[0] && places.sizes[1] == in_sizes[1];
  for (int i = 0; i < 2; i++) {
    s.in[1 + i] = in_sizes[2 + i];
    s.out[1 + i] = places.sizes[2 + i];
    s.kernel[1 + i] = s.stride[1 + i] = window[i];
    fits = fits && window[i] > 0 && s.out[1 + i] * window[i] <= s.in[1 + i];
  }
  FLAMBEAU_CHECK(fits, Kind::Runtime, "max_pool backward: places %s do not fit", show(places.sizes).c_str());
  return s;
}

// scatter_places(gy, places, in_sizes, window): the gradient of pooling, from the places that conv_relu found.
FLAMBEAU_OP(scatter_places, OnMeta::Serve) {
  const Tensor& gy = call.tensor();
  const Tensor& places = call.tensor();
  const Dims in_sizes = call.dims(), window = call.dims();
  const PoolShape s = window_geometry(places, in_sizes, window);
  FLAMBEAU_CHECK(gy.sizes == places.sizes, Kind::Runtime, "max_pool backward: gradient %s does not fit",
                 show(gy.sizes).c_str());
  const DType dtype = float_compute("max_pool_backward", gy);
  const Ref gc = contiguous(gy, dtype), pc = contiguous(places);
  Ref gx = empty(in_sizes, dtype);
  if (gx->numel > 0) kernels().pool.scatter_places(dtype, s, gc->data(), pc->as<uint8_t>(), gx->data());
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

}  // namespace
}  // namespace flambeau
