// The loop that turns a row of pointwise.def into a kernel. Included by the pointwise_*.cc files only.
#pragma once
#include "kernels/pointwise.h"
#include "simd/access.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

constexpr int64_t to_int64(double v) {  // saturating, 0 for NaN
  if (v != v) return 0;
  return v >= 0x1p63 ? INT64_MAX : v <= -0x1p63 ? INT64_MIN : static_cast<int64_t>(v);
}
template <class T>
FLAMBEAU_INLINE Vec<T> scalar_operand(double v, Vec<T>) {
  if constexpr (T(0.5) == T(0))
    return Vec<T>(to_int64(v));
  else
    return Vec<T>(static_cast<T>(v));
}
template <class T>
FLAMBEAU_INLINE Complex<T> scalar_operand(double v, Complex<T>) {
  return Complex<T>(static_cast<T>(v));
}

template <class V>
struct ConditionOf;
template <class T>
struct ConditionOf<Vec<T>> {
  using Type = Mask<T>;
};
template <class T>
struct ConditionOf<Complex<T>> {
  using Type = bool;
};
template <bool kWhere, class V>
struct FirstOperand {
  using Type = V;
};
template <class V>
struct FirstOperand<true, V> {
  using Type = typename ConditionOf<V>::Type;
};

template <class Row, class V>
struct PointwiseLoop {
  using First = typename FirstOperand<Row::kWhere, V>::Type;
  using Out = decltype(Row::compute(First{}, V{}, V{}, V{}, V{}, V{}, V{}));
  using FirstMemory = typename Access<First>::Memory;
  using Memory = typename Access<V>::Memory;
  using OutMemory = typename Access<Out>::Memory;
  static constexpr int N = Access<V>::N;

  // n is a multiple of N. Not inlined, for it is called twice and the arithmetic should exist once.
  static __attribute__((noinline)) void whole(int64_t n, const FirstMemory* a, const Memory* b, const Memory* c,
                                              OutMemory* out, const double* params, bool stream) {
    V p[kMaxPointwiseParams] = {};
    for (int i = 0; i < Row::kParams; i++) p[i] = scalar_operand(params[i], V{});
    FLAMBEAU_UNROLL(1)
    for (int64_t i = 0; i < n; i += N) {
      First x = Access<First>::load(a + i);
      V y = V(0), z = V(0);
      if constexpr (Row::kArity > 1) y = Access<V>::load(b + i);
      if constexpr (Row::kArity > 2) z = Access<V>::load(c + i);
      const Out result = Row::compute(x, y, z, p[0], p[1], p[2], p[3]);
      if constexpr (requires { Access<Out>::stream(result, out); }) {
        asm("" : "+r"(stream));  // or the compiler would make two loops, each with all the arithmetic
        if (stream) {
          Access<Out>::stream(result, out + i);
          continue;
        }
      }
      Access<Out>::store(result, out + i);
    }
  }

  static void run(int64_t n, const void* const* in, void* out, const double* params, bool stream) {
    const FirstMemory* a = static_cast<const FirstMemory*>(in[0]);
    const Memory* b = Row::kArity > 1 ? static_cast<const Memory*>(in[1]) : nullptr;
    const Memory* c = Row::kArity > 2 ? static_cast<const Memory*>(in[2]) : nullptr;
    OutMemory* o = static_cast<OutMemory*>(out);
    int64_t full = n - n % N;
    if (full > 0) whole(full, a, b, c, o, params, stream && streams(o));
    if constexpr (N > 1) {
      int rest = static_cast<int>(n - full);
      if (rest == 0) return;
      // The tail goes through the same body by way of a register-sized copy; its spare lanes are zeros.
      FirstMemory ta[N] = {};
      Memory tb[N] = {}, tc[N] = {};
      OutMemory to[N];
      for (int i = 0; i < rest; i++) ta[i] = a[full + i];
      if constexpr (Row::kArity > 1)
        for (int i = 0; i < rest; i++) tb[i] = b[full + i];
      if constexpr (Row::kArity > 2)
        for (int i = 0; i < rest; i++) tc[i] = c[full + i];
      whole(N, ta, tb, tc, to, params, false);
      for (int i = 0; i < rest; i++) o[full + i] = to[i];
    }
  }
};

template <class Row>
void fill_row(PointwiseFn* fn) {
  using namespace row_types;
  if constexpr ((Row::kTypes & F) != 0) {
    fn[static_cast<int>(Compute::F32)] = PointwiseLoop<Row, Vec<float>>::run;
    fn[static_cast<int>(Compute::F64)] = PointwiseLoop<Row, Vec<double>>::run;
  }
  if constexpr ((Row::kTypes & I) != 0) fn[static_cast<int>(Compute::I64)] = PointwiseLoop<Row, Vec<int64_t>>::run;
  if constexpr ((Row::kTypes & C) != 0) {
    fn[static_cast<int>(Compute::C64)] = PointwiseLoop<Row, Complex<float>>::run;
    fn[static_cast<int>(Compute::C128)] = PointwiseLoop<Row, Complex<double>>::run;
  }
}

// A row as a type: the expression as `compute`, with X the kind of the first operand (a mask for Where).
#define FLAMBEAU_POINTWISE_ROW(name, arity, params, result, rule, types, ...)                                     \
  struct Row_##name {                                                                                             \
    static constexpr int kArity = arity, kParams = params;                                                        \
    static constexpr int kTypes = [] {                                                                            \
      using namespace row_types;                                                                                  \
      return types;                                                                                               \
    }();                                                                                                          \
    static constexpr bool kWhere = TypeRule::rule == TypeRule::Where;                                             \
    template <class X, class V>                                                                                   \
    static FLAMBEAU_INLINE auto compute([[maybe_unused]] X x, [[maybe_unused]] V y, [[maybe_unused]] V z,         \
                                        [[maybe_unused]] V p0, [[maybe_unused]] V p1, [[maybe_unused]] V p2, V) { \
      return __VA_ARGS__;                                                                                         \
    }                                                                                                             \
  };

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
