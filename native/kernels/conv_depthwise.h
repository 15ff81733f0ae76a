// Depthwise convolutions: one input channel a group, so that there is no matrix to multiply. Rows of the plane are
// copied with their padding into a window, and a row of results is the sum of shifted window rows times one weight
// each.
#pragma once
#include "kernels/conv_depthwise3.h"
#include "kernels/conv_lower.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// x: [n, groups, in...], y: [n, groups * each, grid...], w: [groups * each, taps]. Position q reads the plane, spread
// out by `lift` with zeros between its elements, at q * stride + tap. Forward: lift 1, tap = i * dilation - pad.
// Gradient by the input: lift = the convolution's stride, stride 1, tap = pad - i * dilation. lift or stride is 1.
struct DepthwiseShape {
  int64_t n, groups, each;
  int64_t in[3], grid[3], stride[3], lift[3], count[3], first[3], step[3];  // tap i is first + i * step

  int64_t lowest(int d) const { return step[d] < 0 ? first[d] + (count[d] - 1) * step[d] : first[d]; }
  int64_t span(int d) const { return (count[d] - 1) * (step[d] < 0 ? -step[d] : step[d]) + 1; }
  int64_t volume() const { return count[0] * count[1] * count[2]; }
  int64_t plane() const { return in[0] * in[1] * in[2]; }
  int64_t positions() const { return grid[0] * grid[1] * grid[2]; }
};

template <class T>
class Depthwise {
  static constexpr int L = kLanes<T>;
  static constexpr int64_t kWindow = 16384;                       // elements aimed at: 64 or 128 KiB
  static constexpr int64_t kTogether = 16, kTogetherRoom = 8192;  // channels, and elements of all their planes

 public:
  Depthwise(const DepthwiseShape& s, int threads) : s_(s), threads_(threads) {
    // A window row holds one line for each remainder of the column modulo the stride, so that the elements that
    // neighbouring results need are neighbours as well. The slack lets the last vector of a row read on.
    line_ = ((s.grid[2] - 1) * s.stride[2] + s.span(2) + s.stride[2] - 1) / s.stride[2];
    pitch_ = line_ * s.stride[2];
    const int64_t rows = kWindow / (pitch_ * s.count[0]);
    block_ = rows > s.span(1) ? (rows - s.span(1)) / s.stride[1] + 1 : 1;
    if (block_ > s.grid[1]) block_ = s.grid[1];
    rows_ = (block_ - 1) * s.stride[1] + s.span(1);
  }

  int64_t bytes() const { return round_up(s_.volume() * 8, 64) + threads_ * slot_bytes(); }

  // y = (accumulate ? y : bias) + conv(x, w); bias: [groups * each] or null.
  void run(const T* x, const T* w, const T* bias, T* y, void* workspace) {
    if (in_registers(1)) {
      share(s_.n * s_.groups * s_.each, threads_, [&](int64_t, int64_t i) {
        const int64_t o = i % (s_.groups * s_.each);
        plane3(x + i / s_.each * s_.plane(), w + o * 9, bias ? bias[o] : T(0), false, y + i * s_.positions());
      });
      return;
    }
    prepare(workspace);
    share(s_.n * s_.groups, threads_, [&](int64_t slot, int64_t i) {
      T* window = window_of(slot);
      const int64_t g = i % s_.groups * s_.each;
      each_block(x + i * s_.plane(), window, [&](int64_t d, int64_t h0, int64_t h1) {
        for (int64_t m = 0; m < s_.each; m++) {
          T* out = y + (i * s_.each + m) * s_.positions() + d * s_.grid[1] * s_.grid[2];
          rows(window, h1 - h0, w + (g + m) * s_.volume(), bias ? bias[g + m] : T(0), false, out + h0 * s_.grid[2]);
        }
      });
    });
  }

  // The gradient by the input of a convolution with `each` results a channel: here x is gy [n, groups * each, in...]
  // and y is gx [n, groups, grid...].
  void run_back(const T* gy, const T* w, const T* bias, T* gx, void* workspace) {
    if (in_registers(1) || in_registers(2)) {
      share(s_.n * s_.groups, threads_, [&](int64_t, int64_t i) {
        const int64_t g = i % s_.groups;
        for (int64_t m = 0; m < s_.each; m++) {
          plane3(gy + (i * s_.each + m) * s_.plane(), w + (g * s_.each + m) * 9, bias ? bias[g] : T(0), m > 0,
                 gx + i * s_.positions());
        }
      });
      return;
    }
    prepare(workspace);
    share(s_.n * s_.groups, threads_, [&](int64_t slot, int64_t i) {
      T* window = window_of(slot);
      const int64_t g = i % s_.groups;
      for (int64_t m = 0; m < s_.each; m++) {
        each_block(gy + (i * s_.each + m) * s_.plane(), window, [&](int64_t d, int64_t h0, int64_t h1) {
          T* out = gx + i * s_.positions() + d * s_.grid[1] * s_.grid[2];
          rows(window, h1 - h0, w + (g * s_.each + m) * s_.volume(), bias ? bias[g] : T(0), m > 0,
               out + h0 * s_.grid[2]);
        });
      }
    });
  }

  // gw[o, tap] = sum of gy times what the tap reads.
  void run_weight(const T* x, const T* gy, T* gw, void* workspace) {
    if (in_registers(1)) {
      // Channels with small planes are taken together, as far as there are enough for all threads: they lie side by
      // side in an image, and far apart from image to image.
      const int64_t channels = s_.groups * s_.each;
      int64_t some = threads_ > 1 ? channels / (4 * threads_) : kTogether;
      if (some > kTogetherRoom / s_.plane()) some = kTogetherRoom / s_.plane();
      some = some < 1 ? 1 : some < kTogether ? some : kTogether;
      share((channels + some - 1) / some, threads_, [&](int64_t, int64_t i) {
        const int64_t first = i * some, end = first + some < channels ? first + some : channels;
        alignas(64) T sums[kTogether][9 * L] = {};
        for (int64_t n = 0; n < s_.n; n++) {
          for (int64_t o = first; o < end; o++) {
            correlate3(x + (n * s_.groups + o / s_.each) * s_.plane(), gy + (n * channels + o) * s_.positions(),
                       some == 1 ? s_.groups : 1, sums[o - first]);
          }
        }
        for (int64_t o = first; o < end; o++) {
          for (int64_t t = 0; t < 9; t++) gw[o * 9 + t] = sum_lanes<T>(load(sums[o - first] + t * L));
        }
      });
      return;
    }
    prepare(workspace);
    share(s_.groups, threads_, [&](int64_t slot, int64_t g) {
      T* window = window_of(slot);
      T* sums = gw + g * s_.each * s_.volume();
      zero_run(sums, s_.each * s_.volume());
      for (int64_t n = 0; n < s_.n; n++) {
        const int64_t i = n * s_.groups + g;
        each_block(x + i * s_.plane(), window, [&](int64_t d, int64_t h0, int64_t h1) {
          for (int64_t m = 0; m < s_.each; m++) {
            const T* in = gy + (i * s_.each + m) * s_.positions() + (d * s_.grid[1] + h0) * s_.grid[2];
            for (int64_t t = 0; t < s_.volume(); t += 4) {
              const int64_t taps = s_.volume() - t < 4 ? s_.volume() - t : 4;
              correlate(window, in, h1 - h0, offsets_ + t, taps, sums + m * s_.volume() + t);
            }
          }
        });
      }
    });
  }

 private:
  // Whether conv_depthwise3.h has it, for planes that are spread out by `lift`.
  bool in_registers(int64_t lift) const {
    const bool flat = s_.count[0] == 1 && s_.in[0] == 1 && s_.grid[0] == 1 && s_.first[0] == 0;
    const bool square = s_.span(1) == 3 && s_.span(2) == 3 && s_.volume() == 9;
    const bool near = s_.stride[1] == s_.stride[2] && s_.stride[1] <= 2 && s_.lift[1] == lift && s_.lift[2] == lift;
    return kHasMaskedLoads && flat && square && near;
  }

  // Planes that follow one another.
  Plane3<T> plane_of(const T* x, T* y) const {
    return {x, s_.in[1],   s_.in[2],   s_.lowest(1), s_.lowest(2),  {}, T(0), false,
            y, s_.grid[1], s_.grid[2], s_.plane(),   s_.positions()};
  }

  void plane3(const T* x, const T* w, T bias, bool add, T* y) const {
    const bool spread = s_.lift[2] == 2, flip = s_.step[2] < 0 && !spread;
    Plane3<T> p = plane_of(x, y);
    for (int i = 0; i < 9; i++) p.weights[i] = w[flip ? 8 - i : i];
    p.bias = bias;
    p.add = add;
    if (spread) {
      p.top = s_.first[1];
      p.left = s_.first[2];
      return p.left % 2 == 1 ? spread_plane3<T, true>(p) : spread_plane3<T, false>(p);
    }
    return s_.stride[2] == 1 ? convolve_plane3<T, 1>(p) : convolve_plane3<T, 2>(p);
  }

  // next: how many channels further the next plane lies.
  void correlate3(const T* x, const T* gy, int64_t next, T* sums) const {
    Plane3<T> p = plane_of(x, nullptr);
    p.x_next *= next;
    p.y_next *= next == 1 ? 1 : next * s_.each;
    return s_.stride[2] == 1 ? correlate_plane3<T, 1>(p, gy, sums) : correlate_plane3<T, 2>(p, gy, sums);
  }

  int64_t slot_bytes() const {
    return round_up((s_.count[0] * rows_ * pitch_ + L) * static_cast<int64_t>(sizeof(T)), 64);
  }
  T* window_of(int64_t slot) const { return reinterpret_cast<T*>(slots_ + slot * slot_bytes()); }

  // Where each tap reads in a window, from the window row of the result's own.
  void prepare(void* workspace) {
    offsets_ = static_cast<int64_t*>(workspace);
    slots_ = static_cast<char*>(workspace) + round_up(s_.volume() * 8, 64);
    int64_t* out = offsets_;
    for (int64_t i = 0; i < s_.count[0]; i++) {
      for (int64_t j = 0; j < s_.count[1]; j++) {
        for (int64_t k = 0; k < s_.count[2]; k++) {
          const int64_t h = s_.first[1] + j * s_.step[1] - s_.lowest(1);
          const int64_t w = s_.first[2] + k * s_.step[2] - s_.lowest(2);
          *out++ = (i * rows_ + h) * pitch_ + w % s_.stride[2] * line_ + w / s_.stride[2];
        }
      }
    }
  }

  template <class F>
  void each_block(const T* plane, T* window, const F& f) {
    for (int64_t d = 0; d < s_.grid[0]; d++) {
      for (int64_t h = 0; h < s_.grid[1]; h += block_) {
        const int64_t end = h + block_ < s_.grid[1] ? h + block_ : s_.grid[1];
        fill_window(plane, d, h, end, window);
        f(d, h, end);
      }
    }
  }

  // The coordinate in the plane of a coordinate in the spread plane, or -1.
  int64_t source(int dim, int64_t v) const {
    if (v < 0 || v % s_.lift[dim] != 0 || v / s_.lift[dim] >= s_.in[dim]) return -1;
    return v / s_.lift[dim];
  }

  void fill_window(const T* plane, int64_t d, int64_t h0, int64_t h1, T* window) {
    const int64_t rows = (h1 - h0 - 1) * s_.stride[1] + s_.span(1), low = s_.lowest(2);
    for (int64_t i = 0; i < s_.count[0]; i++) {
      const int64_t z = source(0, d * s_.stride[0] + s_.first[0] + i * s_.step[0]);
      for (int64_t r = 0; r < rows; r++) {
        T* dst = window + (i * rows_ + r) * pitch_;
        const int64_t y = source(1, h0 * s_.stride[1] + s_.lowest(1) + r);
        const T* row = z < 0 || y < 0 ? nullptr : plane + (z * s_.in[1] + y) * s_.in[2];
        if (s_.lift[2] == 1 || !row) {
          for (int64_t p = 0; p < s_.stride[2]; p++) {
            gather_run(dst + p * line_, line_, row, low + p, s_.stride[2], s_.in[2], plane + s_.plane());
          }
          continue;
        }
        zero_run(dst, pitch_);
        const int64_t begin = low > 0 ? (low + s_.lift[2] - 1) / s_.lift[2] : 0;
        for (int64_t x = begin; x < s_.in[2] && x * s_.lift[2] - low < pitch_; x++) dst[x * s_.lift[2] - low] = row[x];
      }
    }
  }

  // U vectors of results, `step` apart in the window and `out_step` in the output. The last one has `last` lanes, or
  // all of them have (`narrow`).
  template <int U>
  __attribute__((noinline)) void tile(const T* window, int64_t step, const T* w, T bias, bool accumulate, T* out,
                                      int64_t out_step, int last, bool narrow) const {
    V<T> acc[U];
    const auto lanes = [&](int u) { return narrow || u == U - 1 ? last : L; };
#pragma GCC unroll 4
    for (int u = 0; u < U; u++) acc[u] = accumulate ? load_n(out + u * out_step, lanes(u)) : splat(bias);
    const int64_t volume = s_.volume();
    for (int64_t t = 0; t < volume; t++) {
      const T* in = window + offsets_[t];
      const V<T> weight = splat(w[t]);
#pragma GCC unroll 4
      for (int u = 0; u < U; u++) acc[u] = fma<T>(weight, load(in + u * step), acc[u]);
    }
#pragma GCC unroll 4
    for (int u = 0; u < U; u++) {
      if (lanes(u) == L) {
        store(out + u * out_step, acc[u]);
      } else {
        store_n(out + u * out_step, acc[u], lanes(u));
      }
    }
  }

  void some(int64_t count, const T* window, int64_t step, const T* w, T bias, bool accumulate, T* out, int64_t out_step,
            int last, bool narrow) const {
    switch (count) {
      case 1: return tile<1>(window, step, w, bias, accumulate, out, out_step, last, narrow);
      case 2: return tile<2>(window, step, w, bias, accumulate, out, out_step, last, narrow);
      case 3: return tile<3>(window, step, w, bias, accumulate, out, out_step, last, narrow);
      default: return tile<4>(window, step, w, bias, accumulate, out, out_step, last, narrow);
    }
  }

  // Four sums are under way at a time: vectors of one row, or of several where a row is a vector.
  void rows(const T* window, int64_t count, const T* w, T bias, bool accumulate, T* out) const {
    const int64_t n = s_.grid[2], down = s_.stride[1] * pitch_;
    if (n <= L) {
      for (int64_t h = 0; h < count; h += 4) {
        some(count - h < 4 ? count - h : 4, window + h * down, down, w, bias, accumulate, out + h * n, n,
             static_cast<int>(n), true);
      }
      return;
    }
    for (int64_t h = 0; h < count; h++, out += n) {
      for (int64_t i = 0; i < n; i += 4 * L) {
        const int64_t left = n - i < 4 * L ? n - i : 4 * L, vectors = (left + L - 1) / L;
        some(vectors, window + h * down + i, L, w, bias, accumulate, out + i, L,
             static_cast<int>(left - (vectors - 1) * L), false);
      }
    }
  }

  // sums[t] += gy . window shifted by offsets[t], for up to four taps.
  __attribute__((noinline)) void correlate(const T* window, const T* gy, int64_t rows, const int64_t* offsets,
                                           int64_t taps, T* sums) const {
    V<T> acc[4] = {V<T>{}, V<T>{}, V<T>{}, V<T>{}};
    const T* in[4];
    for (int t = 0; t < 4; t++) in[t] = window + offsets[t < taps ? t : 0];
    for (int64_t h = 0; h < rows; h++, gy += s_.grid[2]) {
      const int64_t base = h * s_.stride[1] * pitch_;
      for (int64_t i = 0; i < s_.grid[2]; i += L) {
        if (s_.grid[2] - i >= L) {
          const V<T> g = load(gy + i);
#pragma GCC unroll 4
          for (int t = 0; t < 4; t++) acc[t] = fma<T>(g, load(in[t] + base + i), acc[t]);
        } else {
          const int left = static_cast<int>(s_.grid[2] - i);
          const V<T> g = load_n(gy + i, left);
#pragma GCC unroll 4
          for (int t = 0; t < 4; t++) acc[t] = fma<T>(g, load_n(in[t] + base + i, left), acc[t]);
        }
      }
    }
    for (int t = 0; t < taps; t++) sums[t] += sum_lanes<T>(acc[t]);
  }

  DepthwiseShape s_;
  int threads_;
  int64_t line_, pitch_, block_, rows_;
  int64_t* offsets_ = nullptr;
  char* slots_ = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
