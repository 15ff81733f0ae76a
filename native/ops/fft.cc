// Fourier transforms along dimensions of tensors: complex to complex, real to complex, complex to real.
#include <algorithm>
#include <complex>

#include "ops/data.h"
#include "ops/fft_plan.h"
#include "ops/registry.h"
#include "ops/workspace.h"

namespace flambeau {
namespace {

// Bytes of one block of lines: it is to stay in the second-level cache.
constexpr int64_t kBlockBytes = 256 * 1024;
constexpr int64_t kMaxLanes = 16;

// All lines along one dimension of a tensor: where each starts, and its step.
class LineSet {
 public:
  LineSet(const Tensor& t, int dim) : step(t.strides[dim]) {
    for (int d = 0; d < t.ndim(); d++) {
      if (d == dim) continue;
      sizes_.push_back(t.sizes[d]);
      strides_.push_back(t.strides[d]);
      count *= t.sizes[d];
    }
  }
  int64_t start(int64_t line) const {
    int64_t at = 0;
    for (int d = sizes_.size() - 1; d >= 0; d--) {
      at += line % sizes_[d] * strides_[d];
      line /= sizes_[d];
    }
    return at;
  }
  int64_t count = 1;
  int64_t step;

 private:
  Dims sizes_, strides_;
};

// Where each of a block's lines starts; whether they are neighbours in memory.
bool starts(const LineSet& set, int64_t first, int64_t lanes, int64_t* at) {
  bool neighbours = lanes > 1;
  for (int64_t q = 0; q < lanes; q++) {
    at[q] = set.start(first + q);
    neighbours = neighbours && at[q] == at[0] + q;
  }
  return neighbours;
}

// What a block of lines is done with: the transform's length and plan, in the type it computes in.
template <class T>
struct Job {
  std::shared_ptr<const FftPlan<T>> plan;
  int64_t lanes;
  explicit Job(int64_t length, int64_t lines) : plan(fft_plan<T>(length)) {
    lanes = kMaxLanes;
    while (lanes > 1 && (lanes > lines || lanes * bytes_per_lane() > kBlockBytes)) lanes /= 2;
  }
  int64_t bytes_per_lane() const { return 4 * plan->room() * static_cast<int64_t>(sizeof(T)); }
  int64_t room() const { return 4 * Room::bytes<T>(plan->room() * lanes); }
  FftLines<T> take(char* space) const {
    Room part(space);
    const int64_t n = plan->room() * lanes;
    T* re = part.take<T>(n);
    T* im = part.take<T>(n);
    T* re2 = part.take<T>(n);
    return {re, im, re2, part.take<T>(n)};
  }
};

// Calls fn(q, begin, end) for tiles of elements of each of the lines: lines are stored side by side, so going through
// one line after the other would touch a cache line per element.
template <class F>
void in_tiles(int64_t n, int64_t lanes, const F& fn) {
  constexpr int64_t kTile = 16;
  for (int64_t k = 0; k < n; k += kTile)
    for (int64_t q = 0; q < lanes; q++) fn(q, k, std::min(k + kTile, n));
}

// Runs fn(first, n, lines) for blocks of n lines from `first` on.
template <class T, class F>
void over_blocks(const Job<T>& job, int64_t count, const F& fn) {
  const int64_t blocks = (count + job.lanes - 1) / job.lanes;
  const double work = static_cast<double>(job.plan->room() * job.lanes) * 16;
  for_each_in_room(blocks, work, job.room(), [&](int64_t b, char* space) {
    const int64_t first = b * job.lanes;
    fn(first, std::min(job.lanes, count - first), job.take(space));
  });
}

// Complex lines of length n from `in` to `out` (which may be the same). D: float or double as stored, T: as computed.
template <class D, class T>
void complex_lines(const Tensor& in, Tensor& out, int dim, bool forward, double scale) {
  const LineSet from(in, dim), to(out, dim);
  const int64_t n = in.sizes[dim];
  const Job<T> job(n, from.count);
  const D* source = in.as<D>();
  D* target = out.as<D>();
  // The inverse transform is the forward one with real and imaginary parts exchanged.
  const int re = forward ? 0 : 1, im = 1 - re;
  over_blocks(job, from.count, [&](int64_t first, int64_t lanes, FftLines<T> l) {
    int64_t start[kMaxLanes];
    if (starts(from, first, lanes, start)) {
      for (int64_t k = 0; k < n; k++) {
        const D* x = source + 2 * (start[0] + k * from.step);
        for (int64_t q = 0; q < lanes; q++) {
          l.re[k * lanes + q] = static_cast<T>(x[2 * q + re]);
          l.im[k * lanes + q] = static_cast<T>(x[2 * q + im]);
        }
      }
    } else {
      in_tiles(n, lanes, [&](int64_t q, int64_t begin, int64_t end) {
        const D* x = source + 2 * (start[q] + begin * from.step);
        for (int64_t k = begin; k < end; k++, x += 2 * from.step) {
          l.re[k * lanes + q] = static_cast<T>(x[re]);
          l.im[k * lanes + q] = static_cast<T>(x[im]);
        }
      });
    }
    job.plan->run(l, lanes);
    const T factor = static_cast<T>(scale);
    if (starts(to, first, lanes, start)) {
      for (int64_t k = 0; k < n; k++) {
        D* y = target + 2 * (start[0] + k * to.step);
        for (int64_t q = 0; q < lanes; q++) {
          y[2 * q + re] = static_cast<D>(l.re[k * lanes + q] * factor);
          y[2 * q + im] = static_cast<D>(l.im[k * lanes + q] * factor);
        }
      }
    } else {
      in_tiles(n, lanes, [&](int64_t q, int64_t begin, int64_t end) {
        D* y = target + 2 * (start[q] + begin * to.step);
        for (int64_t k = begin; k < end; k++, y += 2 * to.step) {
          y[re] = static_cast<D>(l.re[k * lanes + q] * factor);
          y[im] = static_cast<D>(l.im[k * lanes + q] * factor);
        }
      });
    }
  });
}

// Real lines of length n to complex ones: of n / 2 + 1 elements, or all n. An even length is done as a complex
// transform of half the length: z_j = x_2j + i x_2j+1, X_k = (Z_k + Z'_k) / 2 - i w^k (Z_k - Z'_k) / 2 with
// Z'_k = conj(Z_(h - k)).
template <class D, class T>
void real_to_complex(const Tensor& in, Tensor& out, int dim, bool forward, double scale) {
  const LineSet from(in, dim), to(out, dim);
  const int64_t n = in.sizes[dim], half = n / 2, stored = out.sizes[dim];
  const bool even = n % 2 == 0;
  const Job<T> job(even ? half : n, from.count);
  const T* w = even ? job.plan->half_turns() : nullptr;
  const D* source = in.as<D>();
  D* target = out.as<D>();
  over_blocks(job, from.count, [&](int64_t first, int64_t lanes, FftLines<T> l) {
    int64_t start[kMaxLanes];
    starts(from, first, lanes, start);
    in_tiles(even ? half : n, lanes, [&](int64_t q, int64_t begin, int64_t end) {
      const D* x = source + start[q] + (even ? 2 : 1) * begin * from.step;
      if (even) {
        for (int64_t k = begin; k < end; k++, x += 2 * from.step) {
          l.re[k * lanes + q] = static_cast<T>(x[0]);
          l.im[k * lanes + q] = static_cast<T>(x[from.step]);
        }
      } else {
        for (int64_t k = begin; k < end; k++, x += from.step) {
          l.re[k * lanes + q] = static_cast<T>(x[0]);
          l.im[k * lanes + q] = 0;
        }
      }
    });
    job.plan->run(l, lanes);
    const T factor = static_cast<T>(scale), sign = forward ? factor : -factor;
    starts(to, first, lanes, start);
    in_tiles(half + 1, lanes, [&](int64_t q, int64_t begin, int64_t end) {
      D* y = target + 2 * start[q];
      const auto put = [&](int64_t k, T re, T im) {
        y[2 * k * to.step] = static_cast<D>(re * factor);
        y[2 * k * to.step + 1] = static_cast<D>(im * sign);
        // The other half is the conjugate.
        if (k == 0 || n - k >= stored || n - k == k) return;
        y[2 * (n - k) * to.step] = static_cast<D>(re * factor);
        y[2 * (n - k) * to.step + 1] = static_cast<D>(-im * sign);
      };
      if (!even) {
        for (int64_t k = begin; k < end; k++) put(k, l.re[k * lanes + q], l.im[k * lanes + q]);
        return;
      }
      if (begin == 0) {
        put(0, l.re[q] + l.im[q], 0);
        put(half, l.re[q] - l.im[q], 0);
      }
      for (int64_t k = std::max<int64_t>(begin, 1); k < std::min(end, half); k++) {
        const int64_t a = k * lanes + q, b = (half - k) * lanes + q;
        const T sr = (l.re[a] + l.re[b]) / 2, si = (l.im[a] - l.im[b]) / 2;
        const T dr = (l.re[a] - l.re[b]) / 2, di = (l.im[a] + l.im[b]) / 2;
        const T c = w[2 * k], s = w[2 * k + 1];
        put(k, sr + (c * di + s * dr), si - (c * dr - s * di));
      }
    });
  });
}

// The inverse of real_to_complex's first half to real lines of length n. The imaginary parts of the first element and,
// for even n, of the last are not looked at. `forward` conjugates the input.
template <class D, class T>
void complex_to_real(const Tensor& in, Tensor& out, int dim, bool forward, double scale) {
  const LineSet from(in, dim), to(out, dim);
  const int64_t n = out.sizes[dim], half = n / 2;
  const bool even = n % 2 == 0;
  const Job<T> job(even ? half : n, from.count);
  const T* w = even ? job.plan->half_turns() : nullptr;
  const D* source = in.as<D>();
  D* target = out.as<D>();
  const T sign = forward ? -1 : 1;
  over_blocks(job, from.count, [&](int64_t first, int64_t lanes, FftLines<T> l) {
    // Written with real and imaginary parts exchanged, so that the forward transform inverts.
    int64_t start[kMaxLanes];
    starts(from, first, lanes, start);
    in_tiles(even ? half : half + 1, lanes, [&](int64_t q, int64_t begin, int64_t end) {
      const D* x = source + 2 * start[q];
      const auto part = [&](int64_t k) {
        const D* at = x + 2 * k * from.step;
        const bool real = k == 0 || (even && k == half);
        return std::complex<T>(static_cast<T>(at[0]), real ? 0 : sign * static_cast<T>(at[1]));
      };
      if (!even) {
        for (int64_t k = begin; k < end; k++) {
          const std::complex<T> v = part(k);
          l.im[k * lanes + q] = v.real();
          l.re[k * lanes + q] = v.imag();
          if (k == 0) continue;
          l.im[(n - k) * lanes + q] = v.real();
          l.re[(n - k) * lanes + q] = -v.imag();
        }
        return;
      }
      // Z_k = (X_k + X'_k) + i conj(w^k) (X_k - X'_k), X'_k = conj(X_(h - k))
      for (int64_t k = begin; k < end; k++) {
        const std::complex<T> a = part(k), b = part(half - k);
        const T sr = a.real() + b.real(), si = a.imag() - b.imag(), dr = a.real() - b.real(), di = a.imag() + b.imag();
        const T c = w[2 * k], s = -w[2 * k + 1];
        l.im[k * lanes + q] = sr - (c * di + s * dr);
        l.re[k * lanes + q] = si + (c * dr - s * di);
      }
    });
    job.plan->run(l, lanes);
    const T factor = static_cast<T>(scale);
    starts(to, first, lanes, start);
    in_tiles(even ? half : n, lanes, [&](int64_t q, int64_t begin, int64_t end) {
      D* y = target + start[q] + (even ? 2 : 1) * begin * to.step;
      if (even) {
        for (int64_t k = begin; k < end; k++, y += 2 * to.step) {
          y[0] = static_cast<D>(l.im[k * lanes + q] * factor);
          y[to.step] = static_cast<D>(l.re[k * lanes + q] * factor);
        }
      } else {
        for (int64_t k = begin; k < end; k++, y += to.step) y[0] = static_cast<D>(l.im[k * lanes + q] * factor);
      }
    });
  });
}

bool is_double(const Tensor& t) { return t.dtype == DType::F64 || t.dtype == DType::C128; }
int64_t core_length(int64_t n, bool real) { return real && n % 2 == 0 ? n / 2 : n; }

void check_type(const char* name, const Tensor& t, bool complex) {
  const bool fits = complex ? is_complex(t.dtype) : t.dtype == DType::F32 || t.dtype == DType::F64;
  FLAMBEAU_CHECK(fits, Kind::Runtime, "%s: expected a %s tensor, got %s", name, complex ? "complex" : "real float",
                 scalar_name(t.dtype));
}

// fft_c2c(x, dims, forward, scale): complex to complex along each of the dimensions
FLAMBEAU_OP(fft_c2c, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const Dims dims = call.dims();
  const bool forward = call.flag();
  const double scale = call.number();
  check_type("fft_c2c", x, true);
  Ref out = empty(x.sizes, x.dtype);
  if (dims.size() == 0) {
    copy_elements(*out, x);
    call.result(out);
    return;
  }
  const Tensor* from = &x;
  // Last dimension first: its lines are the contiguous ones.
  for (int i = dims.size() - 1; i >= 0 && x.numel > 0; i--) {
    const int d = wrap_dim(dims[i], x.ndim());
    if (dry_run()) continue;
    const double factor = i == 0 ? scale : 1;
    const bool convolves = fft_convolves(x.sizes[d]);
    if (is_double(x))
      complex_lines<double, double>(*from, *out, d, forward, factor);
    else if (convolves)
      complex_lines<float, double>(*from, *out, d, forward, factor);
    else
      complex_lines<float, float>(*from, *out, d, forward, factor);
    from = out.get();
  }
  call.result(out);
}

// fft_r2c(x, dim, forward, onesided, scale): real to complex along one dimension
FLAMBEAU_OP(fft_r2c, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int dim = wrap_dim(call.integer(), x.ndim());
  const bool forward = call.flag();
  const bool onesided = call.flag();
  const double scale = call.number();
  check_type("fft_r2c", x, false);
  const int64_t n = x.sizes[dim];
  FLAMBEAU_CHECK(n >= 1, Kind::Runtime, "Invalid number of data points (%lld) specified", static_cast<long long>(n));
  Dims sizes = x.sizes;
  if (onesided) sizes[dim] = n / 2 + 1;
  Ref out = empty(sizes, is_double(x) ? DType::C128 : DType::C64);
  if (x.numel > 0 && !dry_run()) {
    const bool convolves = fft_convolves(core_length(n, true));
    if (is_double(x))
      real_to_complex<double, double>(x, *out, dim, forward, scale);
    else if (convolves)
      real_to_complex<float, double>(x, *out, dim, forward, scale);
    else
      real_to_complex<float, float>(x, *out, dim, forward, scale);
  }
  call.result(out);
}

// fft_c2r(x, dim, n, forward, scale): n / 2 + 1 complex elements along one dimension to n real ones
FLAMBEAU_OP(fft_c2r, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const int dim = wrap_dim(call.integer(), x.ndim());
  const int64_t n = call.integer();
  const bool forward = call.flag();
  const double scale = call.number();
  check_type("fft_c2r", x, true);
  FLAMBEAU_CHECK(n >= 1 && x.ndim() > 0 && x.sizes[dim] == n / 2 + 1, Kind::Runtime,
                 "Invalid number of data points (%lld) specified", static_cast<long long>(n));
  Dims sizes = x.sizes;
  sizes[dim] = n;
  Ref out = empty(sizes, is_double(x) ? DType::F64 : DType::F32);
  if (out->numel > 0 && !dry_run()) {
    const bool convolves = fft_convolves(core_length(n, true));
    if (is_double(x))
      complex_to_real<double, double>(x, *out, dim, forward, scale);
    else if (convolves)
      complex_to_real<float, double>(x, *out, dim, forward, scale);
    else
      complex_to_real<float, float>(x, *out, dim, forward, scale);
  }
  call.result(out);
}

}  // namespace
}  // namespace flambeau
