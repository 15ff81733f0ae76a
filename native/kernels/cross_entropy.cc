#include "kernels/cross_entropy.h"

#include "kernels/row_stream.h"
#include "kernels/set.h"
#include "parallel/pool.h"
#include "simd/exp_log.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t kGrain = 8192;  // elements that are worth a second thread

template <class T>
inline constexpr T kLowest = static_cast<T>(-kInf);

// What is known of the positions, and where their results go.
template <class T>
struct Positions {
  const int64_t* target;
  T *top, *inverse, *loss;
};

// Turns the positions' sums of exponentials, which lie in `inverse`, and the distances of their targets from the
// largest score, in `loss`, into what they are to be.
template <class T>
void finish(const Positions<T>& p, int64_t begin, int64_t end) {
  each_vector<T>(end - begin, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
    const Vec<T> total = get(p.inverse + begin + i, count);
    put(p.loss + begin + i, count, get(p.loss + begin + i, count) + log(total));
    put(p.inverse + begin + i, count, Vec<T>(1) / total);
  });
  for (int64_t i = begin; i < end; i++)
    if (p.target[i] < 0) p.loss[i] = 0;
}

template <class T>
FLAMBEAU_INLINE Vec<T> larger(const T* x, int count, Vec<T> top) {
  Vec<T> v = get(x, count);
  if (count < Vec<T>::N) v = select(first_lanes<T>(count), v, Vec<T>(kLowest<T>));
  return max_second(v, top);  // passes over NaN, which the sums do not
}

// Rows `begin` to `end`. While the exponentials of a row are summed, the largest score of the next one is looked for:
// memory is read in a loop that has something else to do.
template <class T>
void forward_rows(int64_t n, int64_t begin, int64_t end, const T* x, const Positions<T>& p) {
  Vec<T> next_top(kLowest<T>);
  each_vector<T>(n,
                 [&](int64_t i, int count) FLAMBEAU_LAMBDA { next_top = larger(x + begin * n + i, count, next_top); });
  for (int64_t r = begin; r < end; r++) {
    const T *row = x + r * n, *next = r + 1 < end ? row + n : row;
    const T top = max(next_top);
    const Vec<T> shift(top);
    Vec<T> total(0);
    next_top = Vec<T>(kLowest<T>);
    each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
      prefetch(next + n + i);
      next_top = larger(next + i, count, next_top);
      total += keep(exp_term(get(row + i, count) - shift), count);
    });
    p.top[r] = top;
    p.inverse[r] = sum(total);
    p.loss[r] = p.target[r] < 0 ? T(0) : top - row[p.target[r]];
  }
  finish(p, begin, end);
}

template <class T>
void backward_rows(int64_t n, int64_t begin, int64_t end, const T* x, const Positions<const T>& p, const T* factor,
                   T* gx, bool stream) {
  constexpr int N = Vec<T>::N;
  for (int64_t r = begin; r < end; r++) {
    const T* row = x + r * n;
    T* out = gx + r * n;
    const Vec<T> top(p.top[r]), scale(p.inverse[r] * factor[r]), one(factor[r]);
    const int64_t target = p.target[r], hit = target < 0 ? -1 : target / N * N;
    each_vector<T>(n, [&](int64_t i, int count) FLAMBEAU_LAMBDA {
      Vec<T> v = exp_term(get(row + i, count) - top) * scale;
      if (i == hit) {
        const int lane = static_cast<int>(target - hit);
        v = select(first_lanes<T>(lane + 1) ^ first_lanes<T>(lane), v - one, v);
      }
      put(out + i, count, v, stream);
    });
  }
}

// Columns: so many at a time that all their scores are in the second-level cache for the second look.
constexpr int64_t kStrip = 256, kStripBytes = 256 * 1024;

template <class T>
int64_t strip_width(const CrossEntropyShape& s) {
  constexpr int64_t kLeast = 4 * Vec<T>::N;
  const int64_t fit = kStripBytes / (static_cast<int64_t>(sizeof(T)) * s.classes) / kLeast * kLeast;
  return fit < kLeast ? kLeast : fit > kStrip ? kStrip : fit;
}

template <class T>
void forward_strip(int64_t classes, int64_t inner, int64_t width, const T* x, const Positions<T>& p, int64_t first) {
  T* top = p.top + first;
  T* total = p.inverse + first;
  each_vector<T>(width, [&](int64_t j, int count) FLAMBEAU_LAMBDA { put(top + j, count, Vec<T>(kLowest<T>)); });
  for (int64_t c = 0; c < classes; c++) {
    each_vector<T>(width, [&](int64_t j, int count) FLAMBEAU_LAMBDA {
      put(top + j, count, max_second(get(x + c * inner + j, count), get(top + j, count)));
    });
  }
  each_vector<T>(width, [&](int64_t j, int count) FLAMBEAU_LAMBDA { put(total + j, count, Vec<T>(0)); });
  for (int64_t c = 0; c < classes; c++) {
    each_vector<T>(width, [&](int64_t j, int count) FLAMBEAU_LAMBDA {
      const Vec<T> e = exp_term(get(x + c * inner + j, count) - get(top + j, count));
      put(total + j, count, get(total + j, count) + e);
    });
  }
  for (int64_t j = 0; j < width; j++) {
    const int64_t target = p.target[first + j];
    p.loss[first + j] = target < 0 ? T(0) : top[j] - x[target * inner + j];
  }
  finish(p, first, first + width);
}

template <class T>
void backward_strip(int64_t classes, int64_t inner, int64_t width, const T* x, const Positions<const T>& p,
                    int64_t first, const T* factor, T* gx, bool stream) {
  alignas(64) T scale[kStrip];
  alignas(64) Bits<T> at[kStrip];
  const T *top = p.top + first, *one = factor + first;
  for (int64_t j = 0; j < width; j++) {
    scale[j] = p.inverse[first + j] * one[j];
    at[j] = static_cast<Bits<T>>(p.target[first + j]);
  }
  for (int64_t c = 0; c < classes; c++) {
    const Vec<Bits<T>> here(static_cast<Bits<T>>(c));
    each_vector<T>(width, [&](int64_t j, int count) FLAMBEAU_LAMBDA {
      const Vec<T> v = exp_term(get(x + c * inner + j, count) - get(top + j, count)) * get(scale + j, count);
      const Mask<T> hit{(typename Mask<T>::R)(get(at + j, count) == here).v};
      put(gx + c * inner + j, count, select(hit, v - get(one + j, count), v), stream);
    });
  }
}

// Calls f(o, j, width) for the strips of all images.
template <class T, class F>
void each_strip(const CrossEntropyShape& s, bool stream, const F& f) {
  const int64_t wide = strip_width<T>(s), strips = (s.inner + wide - 1) / wide;
  parallel(0, s.outer * strips, kGrain / (wide * s.classes) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t j = i % strips * wide;
      f(i / strips, j, s.inner - j < wide ? s.inner - j : wide);
    }
    if (stream) arch::stream_end();
  });
}

template <class T>
void forward_as(const CrossEntropyShape& s, const T* x, const Positions<T>& p) {
  if (s.inner == 1) {
    return parallel(0, s.outer, kGrain / s.classes + 1,
                    [&](int64_t begin, int64_t end) { forward_rows(s.classes, begin, end, x, p); });
  }
  each_strip<T>(s, false, [&](int64_t o, int64_t j, int64_t width) {
    forward_strip(s.classes, s.inner, width, x + o * s.classes * s.inner + j, p, o * s.inner + j);
  });
}

template <class T>
void backward_as(const CrossEntropyShape& s, const T* x, const Positions<const T>& p, const T* factor, T* gx) {
  const int64_t all = s.outer * s.classes * s.inner;
  if (s.inner == 1) {
    const bool stream = streams_runs(gx, all, s.classes);
    return parallel(0, s.outer, kGrain / s.classes + 1, [&](int64_t begin, int64_t end) {
      backward_rows(s.classes, begin, end, x, p, factor, gx, stream);
      if (stream) arch::stream_end();
    });
  }
  const bool stream = streams_runs(gx, all, s.inner);
  each_strip<T>(s, stream, [&](int64_t o, int64_t j, int64_t width) {
    const int64_t at = o * s.classes * s.inner + j;
    backward_strip(s.classes, s.inner, width, x + at, p, o * s.inner + j, factor, gx + at, stream);
  });
}

template <class T>
void forward_of(const CrossEntropyShape& s, const void* x, const int64_t* target, void* top, void* inverse,
                void* loss) {
  forward_as<T>(s, static_cast<const T*>(x),
                {target, static_cast<T*>(top), static_cast<T*>(inverse), static_cast<T*>(loss)});
}

template <class T>
void backward_of(const CrossEntropyShape& s, const void* x, const int64_t* target, const void* top, const void* inverse,
                 const void* factor, void* gx) {
  const Positions<const T> p{target, static_cast<const T*>(top), static_cast<const T*>(inverse), nullptr};
  backward_as<T>(s, static_cast<const T*>(x), p, static_cast<const T*>(factor), static_cast<T*>(gx));
}

void forward(DType type, const CrossEntropyShape& s, const void* x, const int64_t* target, void* top, void* inverse,
             void* loss) {
  if (type == DType::F32) {
    forward_of<float>(s, x, target, top, inverse, loss);
  } else if (type == DType::F64) {
    forward_of<double>(s, x, target, top, inverse, loss);
  }
}

void backward(DType type, const CrossEntropyShape& s, const void* x, const int64_t* target, const void* top,
              const void* inverse, const void* factor, void* gx) {
  if (type == DType::F32) {
    backward_of<float>(s, x, target, top, inverse, factor, gx);
  } else if (type == DType::F64) {
    backward_of<double>(s, x, target, top, inverse, factor, gx);
  }
}

}  // namespace

void fill(CrossEntropyKernels& k) {
  k.forward = forward;
  k.backward = backward;
}

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
