// Convolutions: which path a shape takes, and how it is described to that path. Forward, and by the input:
//   one tap, stride one                         a matrix product
//   one input channel a group                   conv_depthwise.h; 3 x 3: conv_depthwise3.h
//   3 x 3, stride one, many channels            conv_winograd.h
//   many output channels                        conv_direct.h; with ReLU and pooling behind it: conv_tail.h
//   few output channels                         conv_narrow.h
//   any other                                   conv_forward.h
// By the weight: conv_depthwise.h, conv_winograd_weight.h, conv_narrow_weight.h, conv_weight_direct.h where the sums
// are few, conv_weight.h.
#include "kernels/conv.h"

#include "core/allocator.h"
#include "kernels/conv_depthwise.h"
#include "kernels/conv_direct.h"
#include "kernels/conv_forward.h"
#include "kernels/conv_narrow.h"
#include "kernels/conv_narrow_weight.h"
#include "kernels/conv_weight.h"
#include "kernels/conv_weight_direct.h"
#include "kernels/conv_winograd.h"
#include "kernels/conv_winograd_weight.h"
#include "kernels/gemm.h"
#include "kernels/set.h"
#include "parallel/pool.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

int64_t volume(const int64_t (&size)[3]) { return size[0] * size[1] * size[2]; }

bool is_empty(const ConvShape& s) {
  return s.n <= 0 || s.c <= 0 || s.o <= 0 || volume(s.in) <= 0 || volume(s.out) <= 0 || volume(s.kernel) <= 0;
}

bool is_pointwise(const ConvShape& s) {
  for (int d = 0; d < 3; d++) {
    if (s.kernel[d] != 1 || s.stride[d] != 1 || s.pad[d] != 0 || s.in[d] != s.out[d]) return false;
  }
  return true;
}

// More results a channel are a matrix product worth its packing.
bool is_depthwise(const ConvShape& s) { return s.c == s.groups && s.o / s.groups <= 4; }

int threads_for(const ConvShape& s) {
  const int64_t work = s.n * s.o * volume(s.out) * (s.c / s.groups) * volume(s.kernel);
  return work < kParallelWork ? 1 : num_threads();
}

template <class T>
void fill_channels(const T* bias, int64_t n, int64_t c, int64_t plane, T* y) {
  for (int64_t i = 0; i < n * c; i++) {
    const T value = bias ? bias[i % c] : T(0);
    for (int64_t j = 0; j < plane; j++) y[i * plane + j] = value;
  }
}

// A kernel of one element with stride one: y = W x for every image, or x's gradient = W^T gy.
template <class T>
void run_pointwise(DType type, const ConvShape& s, bool back, const T* x, const T* w, const T* bias, T* y) {
  GemmKernels gemm;
  fill(gemm);
  const int64_t c = s.c / s.groups, o = s.o / s.groups, plane = volume(s.in);
  GemmArgs g;
  g.batch = s.n;
  g.m = back ? c : o;
  g.k = back ? o : c;
  g.n = plane;
  g.a_row = back ? 1 : c;
  g.a_col = back ? c : 1;
  g.b_batch = (back ? s.o : s.c) * plane;
  g.c_batch = (back ? s.c : s.o) * plane;
  g.b_row = g.c_row = plane;
  g.b_col = g.c_col = 1;
  for (int64_t i = 0; i < s.groups; i++) {
    g.a = w + i * o * c;
    g.b = x + i * g.k * plane;
    g.c = y + i * g.m * plane;
    g.row_bias = bias ? bias + i * g.m : nullptr;
    gemm.gemm(type, g);
  }
}

// ---- depthwise ----

DepthwiseShape depthwise_shape(const ConvShape& s, bool back) {
  DepthwiseShape r{s.n, s.groups, s.o / s.groups, {}, {}, {}, {}, {}, {}, {}};
  for (int d = 0; d < 3; d++) {
    r.in[d] = back ? s.out[d] : s.in[d];
    r.grid[d] = back ? s.in[d] : s.out[d];
    r.stride[d] = back ? 1 : s.stride[d];
    r.lift[d] = back ? s.stride[d] : 1;
    r.count[d] = s.kernel[d];
    r.first[d] = back ? s.pad[d] : -s.pad[d];
    r.step[d] = back ? -s.dilation[d] : s.dilation[d];
  }
  return r;
}

template <class T, class F>
void run_depthwise(const ConvShape& s, bool back, const F& run) {
  Depthwise<T> conv(depthwise_shape(s, back), threads_for(s));
  const auto bytes = static_cast<size_t>(conv.bytes());
  void* space = take_workspace(bytes);
  run(conv, space);
  return_workspace(space, bytes);
}

// ---- the general path ----

// The phase of the results that tap k of the gradient by the input counts for, and where it reads.
int64_t back_phase(const ConvShape& s, int d, int64_t k) {
  const int64_t rest = (k * s.dilation[d] - s.pad[d]) % s.stride[d];
  return rest < 0 ? rest + s.stride[d] : rest;
}
int64_t back_tap(const ConvShape& s, int d, int64_t k) {
  return (back_phase(s, d, k) + s.pad[d] - k * s.dilation[d]) / s.stride[d];
}

template <class T>
Lowered<T> lower(const ConvShape& s, const T* x, const T* w, const T* bias, T* y) {
  Lowered<T> r{};
  r.n = s.n;
  r.groups = s.groups;
  r.c = s.c / s.groups;
  r.o = s.o / s.groups;
  for (int d = 0; d < 3; d++) {
    r.in[d] = s.in[d];
    r.grid[d] = s.out[d];
    r.stride[d] = s.stride[d];
    r.count[d] = s.kernel[d];
    r.low[d] = -s.pad[d];
    r.span[d] = (s.kernel[d] - 1) * s.dilation[d] + 1;
  }
  r.x = x;
  r.w = w;
  r.kernel = volume(s.kernel);
  r.bias = bias;
  r.y = y;
  r.y_channel = volume(s.out);
  r.y_image = s.o * r.y_channel;
  r.y_step[0] = s.out[1] * s.out[2];
  r.y_step[1] = s.out[2];
  r.y_step[2] = 1;
  for (int d = 0; d < 3; d++) {
    r.phases[d] = 1;
    r.size[d] = s.out[d];
  }
  return r;
}

// The gradient by the input, where x is gy and y is gx: gx[i] sums w[k] gy[j] over i + pad = j stride + k dilation, so
// with i = q stride + phase a tap k counts for that phase for which phase + pad - k dilation is a multiple of the
// stride, and reads j = q + that multiple.
template <class T>
Lowered<T> lower_back(const ConvShape& s, const T* gy, const T* w, const T* bias, T* gx) {
  Lowered<T> r = lower(s, gy, w, bias, gx);
  r.c = s.o / s.groups;
  r.o = s.c / s.groups;
  r.transposed = true;
  r.y_channel = volume(s.in);
  r.y_image = s.c * r.y_channel;
  r.y_step[0] = s.in[1] * s.in[2];
  r.y_step[1] = s.in[2];
  for (int d = 0; d < 3; d++) {
    r.in[d] = s.out[d];
    r.grid[d] = (s.in[d] + s.stride[d] - 1) / s.stride[d];
    r.stride[d] = 1;
    r.phases[d] = s.stride[d];
    r.size[d] = s.in[d];
    r.low[d] = back_tap(s, d, 0);
    int64_t high = r.low[d];
    for (int64_t k = 1; k < s.kernel[d]; k++) {
      const int64_t at = back_tap(s, d, k);
      if (at < r.low[d]) r.low[d] = at;
      if (at > high) high = at;
    }
    r.span[d] = high - r.low[d] + 1;
  }
  return r;
}

template <class T>
int64_t tap_bytes(const Lowered<T>& r) {
  return round_up((r.count[0] + r.count[1] + r.count[2]) * 16, 64);
}

// Lists the taps of all dimensions and their phases at `memory` and points r to them.
template <class T>
void list_taps(const ConvShape& s, Lowered<T>& r, void* memory) {
  auto* at = static_cast<int64_t*>(memory);
  for (int d = 0; d < 3; d++) {
    r.taps[d] = at;
    for (int64_t i = 0; i < r.count[d]; i++) *at++ = r.transposed ? back_tap(s, d, i) : i * s.dilation[d] - s.pad[d];
    r.phase[d] = at;
    for (int64_t i = 0; i < r.count[d]; i++) *at++ = r.transposed ? back_phase(s, d, i) : 0;
  }
}

// Allocates the lists, of `lists` bytes, and the convolution's workspace, has the lists filled, and runs it.
template <class Conv, class F>
void run_with_lists(const Conv& sized, int64_t lists, const F& run) {
  const auto bytes = static_cast<size_t>(lists + sized.bytes());
  char* space = static_cast<char*>(take_workspace(bytes));
  run(space, space + lists);
  return_workspace(space, bytes);
}

template <class Conv, class T>
void run_lowered(const ConvShape& s, Lowered<T>& r, int threads) {
  run_with_lists(Conv(r, threads), tap_bytes(r), [&](void* list, void* space) {
    list_taps(s, r, list);
    Conv(r, threads).run(space);
  });
}

// The paths that read the image where it lies; false where none of them suits.
template <class T>
bool run_in_place(const ConvShape& s, Lowered<T>& r, int threads) {
  if (WinogradConvolution<T>::suits(r)) {
    bool done = false;
    run_with_lists(WinogradConvolution<T>(r, threads), tap_bytes(r), [&](void* list, void* space) {
      list_taps(s, r, list);
      done = WinogradConvolution<T>(r, threads).run(space);
    });
    if (done) return true;
    r.packed = nullptr;  // that is another form
  }
  if (DirectConvolution<T>::suits(r)) {
    run_lowered<DirectConvolution<T>>(s, r, threads);
  } else if (NarrowConvolution<T>::suits(r)) {
    run_lowered<NarrowConvolution<T>>(s, r, threads);
  } else {
    return false;
  }
  return true;
}

template <class T>
void run_forward(DType type, const ConvShape& s, const T* x, const T* w, const T* packed, const T* bias, T* y) {
  if (is_pointwise(s)) return run_pointwise(type, s, false, x, w, bias, y);
  if (is_depthwise(s)) {
    return run_depthwise<T>(s, false, [&](Depthwise<T>& conv, void* space) { conv.run(x, w, bias, y, space); });
  }
  Lowered<T> r = lower(s, x, w, bias, y);
  r.packed = packed;
  if (run_in_place(s, r, threads_for(s))) return;
  run_lowered<Convolution<T>>(s, r, threads_for(s));
}

// The convolution without the positions that fill no window.
template <class T>
Lowered<T> crop(Lowered<T> r, const int64_t (&window)[2]) {
  if (window[0] * window[1] == 1) return r;
  for (int d = 0; d < 2; d++) r.size[1 + d] = r.grid[1 + d] = r.grid[1 + d] / window[d] * window[d];
  r.y_channel = r.grid[1] / window[0] * (r.grid[2] / window[1]);
  r.y_image = r.groups * r.o * r.y_channel;
  return r;
}

// Where the whole convolution and the cropped one add up in the same order.
template <class T>
bool takes_tail_as(const ConvShape& s, const int64_t (&window)[2]) {
  if (is_empty(s) || is_pointwise(s) || is_depthwise(s) || s.out[0] != 1) return false;
  if (s.out[1] < window[0] || s.out[2] < window[1] || window[0] * window[1] >= kClosed) return false;
  const Lowered<T> r = lower<T>(s, nullptr, nullptr, nullptr, nullptr);
  if (WinogradConvolution<T>::suits(r) || !DirectConvolution<T>::suits(r)) return false;
  const int threads = threads_for(s);
  const ConvTail tail{{window[0], window[1]}, nullptr};
  return DirectConvolution<T>(r, threads).in_one_go() &&
         DirectConvolution<T>(crop(r, window), threads, &tail).in_one_go();
}

template <class T>
void forward_with_as(const ConvShape& s, const T* x, const T* w, const T* packed, const T* bias, const ConvTail& tail,
                     T* y) {
  Lowered<T> r = crop(lower(s, x, w, bias, y), tail.window);
  r.packed = packed;
  const int threads = threads_for(s);
  run_with_lists(DirectConvolution<T>(r, threads, &tail), tap_bytes(r), [&](void* list, void* space) {
    list_taps(s, r, list);
    DirectConvolution<T>(r, threads, &tail).run(space);
  });
}

// One phase of the gradient by the input: positions q * stride + phase of gx, a convolution of gy with stride one.
template <class T>
struct Phase {
  Lowered<T> r;
  int64_t at[3];

  Phase(const ConvShape& s, const int64_t (&phase)[3], const T* gy, const T* w, const T* bias, T* gx) {
    r = lower_back(s, gy, w, bias, gx);
    for (int d = 0; d < 3; d++) {
      at[d] = phase[d];
      r.grid[d] = r.size[d] = (s.in[d] - phase[d] + s.stride[d] - 1) / s.stride[d];
      r.phases[d] = 1;
      r.y += phase[d] * r.y_step[d];
      r.y_step[d] *= s.stride[d];
      r.count[d] = 0;
      int64_t highest = 0;
      for (int64_t k = 0; k < s.kernel[d]; k++) {
        if (!reads(s, d, k)) continue;
        r.low[d] = back_tap(s, d, k);  // they descend
        if (r.count[d]++ == 0) highest = r.low[d];
      }
      r.span[d] = highest - r.low[d] + 1;
    }
  }

  bool reads(const ConvShape& s, int d, int64_t k) const { return back_phase(s, d, k) == at[d]; }

  int64_t bytes() const { return round_up((r.count[0] + r.count[1] + r.count[2] + r.volume()) * 8, 64); }

  // Lists the taps and where their weights lie.
  void prepare(const ConvShape& s, int64_t* list) {
    for (int d = 0; d < 3; d++) {
      r.taps[d] = list;
      for (int64_t k = 0; k < s.kernel[d]; k++) {
        if (reads(s, d, k)) *list++ = back_tap(s, d, k);
      }
    }
    r.tap_index = list;
    for (int64_t i = 0; i < s.kernel[0]; i++) {
      for (int64_t j = 0; j < s.kernel[1]; j++) {
        for (int64_t k = 0; k < s.kernel[2]; k++) {
          if (reads(s, 0, i) && reads(s, 1, j) && reads(s, 2, k)) *list++ = (i * s.kernel[1] + j) * s.kernel[2] + k;
        }
      }
    }
  }

  void fill() const {
    for (int64_t i = 0; i < r.n * r.groups * r.o; i++) {
      const T value = r.bias ? r.bias[i % (r.groups * r.o)] : T(0);
      for (int64_t d = 0; d < r.grid[0]; d++) {
        for (int64_t h = 0; h < r.grid[1]; h++) {
          T* row = r.y + i * r.y_channel + d * r.y_step[0] + h * r.y_step[1];
          for (int64_t w = 0; w < r.grid[2]; w++) row[w * r.y_step[2]] = value;
        }
      }
    }
  }
};

template <class T>
void run_backward_input(DType type, const ConvShape& s, const T* gy, const T* w, const T* bias, T* gx) {
  if (is_pointwise(s)) return run_pointwise(type, s, true, gy, w, bias, gx);
  if (is_depthwise(s)) {
    return run_depthwise<T>(s, true, [&](Depthwise<T>& conv, void* space) { conv.run_back(gy, w, bias, gx, space); });
  }
  const int threads = threads_for(s);
  Lowered<T> r = lower_back(s, gy, w, bias, gx);
  if (run_in_place(s, r, threads)) return;
  int64_t phase[3];
  for (phase[0] = 0; phase[0] < s.stride[0] && phase[0] < s.in[0]; phase[0]++) {
    for (phase[1] = 0; phase[1] < s.stride[1] && phase[1] < s.in[1]; phase[1]++) {
      for (phase[2] = 0; phase[2] < s.stride[2] && phase[2] < s.in[2]; phase[2]++) {
        Phase<T> p(s, phase, gy, w, bias, gx);
        if (p.r.volume() == 0) {
          p.fill();
          continue;
        }
        run_with_lists(Convolution<T>(p.r, threads), p.bytes(), [&](void* list, void* space) {
          p.prepare(s, static_cast<int64_t*>(list));
          Convolution<T>(p.r, threads).run(space);
        });
      }
    }
  }
}

template <class T>
void run_backward_weight(const ConvShape& s, const T* gy, const T* x, T* gw) {
  if (is_depthwise(s)) {
    return run_depthwise<T>(s, false, [&](Depthwise<T>& conv, void* space) { conv.run_weight(x, gy, gw, space); });
  }
  Lowered<T> r = lower<T>(s, x, nullptr, nullptr, nullptr);
  const int threads = threads_for(s);
  if (WinogradWeightGradient<T>::suits(r)) {
    WinogradWeightGradient<T> gradient(r, gy, gw, threads);
    const auto bytes = static_cast<size_t>(gradient.bytes());
    void* space = take_workspace(bytes);
    const bool done = gradient.run(space);
    return_workspace(space, bytes);
    if (done) return;
  }
  const auto run = [&]<class Gradient>(const Gradient& sized) {
    run_with_lists(sized, tap_bytes(r), [&](void* list, void* space) {
      list_taps(s, r, list);
      Gradient(r, gy, gw, threads).run(space);
    });
  };
  if (NarrowWeightGradient<T>::suits(r)) return run(NarrowWeightGradient<T>(r, gy, gw, threads));
  if (DirectWeightGradient<T>::suits(r)) return run(DirectWeightGradient<T>(r, gy, gw, threads));
  run(WeightGradient<T>(r, gy, gw, threads));
}

// ---- by element type ----

template <class T>
void forward_as(DType type, const ConvShape& s, const void* x, const void* w, const void* packed, const void* bias,
                void* y) {
  if (is_empty(s)) {
    return fill_channels(static_cast<const T*>(bias), s.n, s.o, volume(s.out), static_cast<T*>(y));
  }
  run_forward(type, s, static_cast<const T*>(x), static_cast<const T*>(w), static_cast<const T*>(packed),
              static_cast<const T*>(bias), static_cast<T*>(y));
}

template <class T>
int64_t packed_bytes_as(const ConvShape& s) {
  if (is_empty(s) || is_pointwise(s) || is_depthwise(s)) return 0;
  const Lowered<T> r = lower<T>(s, nullptr, nullptr, nullptr, nullptr);
  if (WinogradConvolution<T>::suits(r)) return WinogradConvolution<T>(r, 1).form_bytes();
  return DirectConvolution<T>::suits(r) ? DirectConvolution<T>(r, 1).form_bytes() : 0;
}

template <class T>
void pack_as(const ConvShape& s, const void* w, void* form) {
  const Lowered<T> r = lower<T>(s, nullptr, static_cast<const T*>(w), nullptr, nullptr);
  const int threads = threads_for(s);
  if (WinogradConvolution<T>::suits(r)) return WinogradConvolution<T>(r, threads).pack(static_cast<T*>(form));
  DirectConvolution<T>(r, threads).pack(static_cast<T*>(form));
}

template <class T>
void backward_input_as(DType type, const ConvShape& s, const void* gy, const void* w, const void* bias, void* gx) {
  if (is_empty(s)) {
    return fill_channels(static_cast<const T*>(bias), s.n, s.c, volume(s.in), static_cast<T*>(gx));
  }
  run_backward_input(type, s, static_cast<const T*>(gy), static_cast<const T*>(w), static_cast<const T*>(bias),
                     static_cast<T*>(gx));
}

template <class T>
void backward_weight_as(const ConvShape& s, const void* gy, const void* x, void* gw) {
  if (is_empty(s)) {
    const int64_t size = s.groups > 0 ? s.o * (s.c / s.groups) * volume(s.kernel) : 0;
    return fill_channels<T>(nullptr, 1, 1, size, static_cast<T*>(gw));
  }
  run_backward_weight(s, static_cast<const T*>(gy), static_cast<const T*>(x), static_cast<T*>(gw));
}

void forward(DType type, const ConvShape& s, const void* x, const void* w, const void* packed, const void* bias,
             void* y) {
  if (type == DType::F32) return forward_as<float>(type, s, x, w, packed, bias, y);
  if (type == DType::F64) forward_as<double>(type, s, x, w, packed, bias, y);
}
int64_t packed_bytes(DType type, const ConvShape& s) {
  if (type == DType::F32) return packed_bytes_as<float>(s);
  return type == DType::F64 ? packed_bytes_as<double>(s) : 0;
}
void pack(DType type, const ConvShape& s, const void* w, void* form) {
  if (type == DType::F32) pack_as<float>(s, w, form);
  if (type == DType::F64) pack_as<double>(s, w, form);
}
bool takes_tail(DType type, const ConvShape& s, const int64_t (&window)[2]) {
  if (type == DType::F32) return takes_tail_as<float>(s, window);
  return type == DType::F64 && takes_tail_as<double>(s, window);
}
void forward_with(DType type, const ConvShape& s, const void* x, const void* w, const void* packed, const void* bias,
                  const ConvTail& tail, void* y) {
  const auto run = [&]<class T>(T* out) {
    forward_with_as(s, static_cast<const T*>(x), static_cast<const T*>(w), static_cast<const T*>(packed),
                    static_cast<const T*>(bias), tail, out);
  };
  if (type == DType::F32) return run(static_cast<float*>(y));
  if (type == DType::F64) run(static_cast<double*>(y));
}
void backward_input(DType type, const ConvShape& s, const void* gy, const void* w, const void* bias, void* gx) {
  if (type == DType::F32) return backward_input_as<float>(type, s, gy, w, bias, gx);
  if (type == DType::F64) backward_input_as<double>(type, s, gy, w, bias, gx);
}
void backward_weight(DType type, const ConvShape& s, const void* gy, const void* x, void* gw) {
  if (type == DType::F32) return backward_weight_as<float>(s, gy, x, gw);
  if (type == DType::F64) backward_weight_as<double>(s, gy, x, gw);
}

}  // namespace

void fill(ConvKernels& k) {
  k.forward = forward;
  k.packed_bytes = packed_bytes;
  k.pack = pack;
  k.takes_tail = takes_tail;
  k.forward_with = forward_with;
  k.backward_input = backward_input;
  k.backward_weight = backward_weight;
}

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
