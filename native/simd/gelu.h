// GELU and SiLU and their gradients: x times a distribution function. All are made of w(a) = a Q(a) for a = |x|, where
// Q(a) is the probability beyond a: f(x) = max(x, 0) - w(|x|) is right on both sides, and w keeps its digits far out,
// where 1 + erf(x) or 1 + tanh(x) would have cancelled. The power of two of the exponential is applied last, so that a
// denormal result is rounded once.
#pragma once
#include "simd/erf.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

// The float functions here take the rounding errors of their arguments into account, which needs a fused multiply-add;
// where the set has none they run in double lanes, to float's accuracy all the same.
template <class F>
FLAMBEAU_INLINE VF32 in_fused(VF32 x, F f) {
#if FLAMBEAU_FUSED
  return f(x);
#else
  return in_double(x, f);
#endif
}

// max(x, 0) - w(|x|) for w >= 0: -0 where x is -0, and where w has underflowed below 0. At minus infinity it is NaN,
// what PyTorch's minus infinity times zero gives.
template <class T>
FLAMBEAU_INLINE Vec<T> rectified_minus(Vec<T> x, Vec<T> w) {
  const Vec<T> y = max_second(Vec<T>(static_cast<T>(-0.0)), x) - w;
  return select(x == Vec<T>(static_cast<T>(-kInf)), Vec<T>(static_cast<T>(kNaN)), y);
}

// An exponential (1 + m) 2^n that is yet to be scaled; `shifted` carries n + 2 * bias.
template <class T>
struct Exponential {
  Vec<T> m, n, shifted;

  // y times the exponential, y in one part or two.
  FLAMBEAU_INLINE Vec<T> times(Vec<T> y) const { return scaled<0>(fma(y, m, y)); }
  FLAMBEAU_INLINE Vec<T> times(Vec<T> y, Vec<T> low) const { return scaled<0>(y + fma(y, m, fma(low, m, low))); }
  // y 2^(n + kMore)
  template <int kMore>
  FLAMBEAU_INLINE Vec<T> scaled(Vec<T> y) const {
    const Vec<T> more(static_cast<T>(kMore));
    return scale_by(y, n + more, shifted + more);
  }
};

// e^(x + rest), where the rest is far below ln(2): it joins when the multiple of ln(2) has been taken away.
template <class G, class T>
FLAMBEAU_INLINE Exponential<T> split_exp(Vec<T> x, Vec<T> rest) {
  using L = FloatTraits<T>;
  const Vec<T> shift(L::kRound + 2 * L::kExponentBias), shifted = fma(x, Vec<T>(static_cast<T>(kLog2E)), shift);
  const Vec<T> n = shifted - shift, low = fma(n, Vec<T>(static_cast<T>(-L::kLn2Lo)), rest);
  return {expm1_reduced<G>(fma(n, Vec<T>(static_cast<T>(-L::kLn2Hi)), x) + low), n, shifted};
}

// y e / (1 + e) for an exponential e <= 1, 2^kLogisticUp times too large so that it is no denormal number. Of numerator
// and denominator the rounding errors are kept, and the quotient is corrected by its residual: it is rounded once.
template <class T>
inline constexpr int kLogisticUp = FloatTraits<T>::kMantissa + 1;
template <class T>
inline constexpr T kLogisticDown = static_cast<T>(1) / static_cast<T>(static_cast<int64_t>(1) << kLogisticUp<T>);
template <class T>
FLAMBEAU_INLINE Vec<T> times_logistic(Vec<T> y, const Exponential<T>& e) {
  const Vec<T> one(1), down(kLogisticDown<T>);
  const Vec<T> raw = fma(y, e.m, y), raw_low = fma(y, e.m, y - raw);
  const Vec<T> above = e.template scaled<kLogisticUp<T>>(raw), above_low = e.template scaled<kLogisticUp<T>>(raw_low);
  const Vec<T> large = e.template scaled<kLogisticUp<T>>(one + e.m);
  const Vec<T> below = fma(large, down, one), below_low = fma(large, down, one - below);
  const Vec<T> inverse = rough_reciprocal(below), quotient = above * inverse;
  const Vec<T> rest = above_low + fma(-quotient, below_low, fma(-quotient, below, above));
  return fma(rest, inverse, quotient);
}

// Q(|x|) x has underflowed from there on, and nothing has overflowed.
template <class T>
inline constexpr T kSiluEnd = sizeof(T) == 4 ? 120 : 800;
template <class T>
inline constexpr T kGeluTanhEnd = sizeof(T) == 4 ? 11 : 24;
inline constexpr float kGeluEnd = 15;

template <class G, class T>
FLAMBEAU_INLINE Vec<T> silu_tail(Vec<T> a) {
  return times_logistic(a, split_exp<G>(-a, Vec<T>(0))) * Vec<T>(kLogisticDown<T>);
}

// sqrt(2 / pi) (https://arxiv.org/abs/1606.08415), twice: x (1 + tanh(u)) / 2 is x times the logistic function of 2 u.
inline constexpr long double kGeluLinear = 1.59576912160573071175978423973752747L;
inline constexpr long double kGeluCubic = kGeluLinear * 0.044715L;

// e^-v for v = 2 sqrt(2 / pi) (a + 0.044715 a^3). v can be 100 and more, so that its rounding error counts: it is taken
// along in a second part.
template <class G, class T>
FLAMBEAU_INLINE Exponential<T> gelu_tanh_exp(Vec<T> a) {
  // The linear coefficient lacks its last bits, so that `slope - high` is exact.
  constexpr long double kGrid = static_cast<long double>(static_cast<int64_t>(1) << (FloatTraits<T>::kMantissa - 4));
  constexpr T kHigh = static_cast<T>(static_cast<int64_t>(kGeluLinear * kGrid) / kGrid);
  constexpr T kCubic = static_cast<T>(kGeluCubic);
  const Vec<T> high(kHigh), low(static_cast<T>(kGeluLinear - kHigh));
  const Vec<T> cubic(kCubic), cubic_low(static_cast<T>(kGeluCubic - kCubic));
  const Vec<T> square = a * a, square_low = fma(a, a, -square);
  const Vec<T> slope = fma(square, cubic, high);
  const Vec<T> slope_low = fma(square, cubic, high - slope) + fma(square_low, cubic, fma(square, cubic_low, low));
  const Vec<T> v = a * slope;
  return split_exp<G>(-v, -fma(a, slope_low, fma(a, slope, -v)));
}

template <class G, class T>
FLAMBEAU_INLINE Vec<T> gelu_tanh_tail(Vec<T> a) {
  return times_logistic(a, gelu_tanh_exp<G>(a)) * Vec<T>(kLogisticDown<T>);
}
// The slope at -a; at a it is one minus that.
template <class G, class T>
FLAMBEAU_INLINE Vec<T> gelu_tanh_slope(Vec<T> a) {
  const Vec<T> one(1), linear(static_cast<T>(kGeluLinear)), cubic(static_cast<T>(3 * kGeluCubic));
  const Vec<T> large = times_logistic(one, gelu_tanh_exp<G>(a)), down(kLogisticDown<T>);
  return large * fma(-a * fma(a * a, cubic, linear), fma(-large, down, one), one) * down;
}

// With Q the tail of the normal distribution, H = (a + 4) e^(a^2 / 2) Q(a) as a polynomial in q = (a - 4) / (a + 4),
// 0 <= a <= 14.6; 2^-25.7 with coefficients that are floats.
inline constexpr double kTailF32[] = {0.7552851438522339,    -0.607896625995636,    0.38713631033897400,
                                      -0.18652229011058807,  0.060410235077142715,  -0.007531128358095884,
                                      -0.003537079785019159, 0.0015721742529422045, 0.00021204596851021051,
                                      -0.0001155108548118733};

template <class T>
struct TwoPart {
  Vec<T> high, low;
};
template <class T>
FLAMBEAU_INLINE TwoPart<T> tail_ratio(Vec<T> q) {
  const Vec<T> first(static_cast<T>(kTailF32[0])), rest = poly_in_halves<1>(q, kTailF32), h = fma(q, rest, first);
  return {h, fma(q, rest, first - h)};
}
// u = a / (a + 4) as a first guess and what it lacks.
template <class T>
FLAMBEAU_INLINE TwoPart<T> tail_argument(Vec<T> a) {
  const Vec<T> c(4), inverse = rough_reciprocal(a + c), u = a * inverse;
  return {u, fma(-u, a, fma(-u, c, a)) * inverse};
}

// e^(-a^2 / 2); what the square lost in rounding goes into the reduced argument.
template <class G, class T>
FLAMBEAU_INLINE Exponential<T> density_exp(Vec<T> a) {
  const Vec<T> square = a * a, half(static_cast<T>(-0.5));
  return split_exp<G>(square * half, fma(a, a, -square) * half);
}

// a Q(a) to float's accuracy.
template <class T>
FLAMBEAU_INLINE Vec<T> gelu_tail(Vec<T> a) {
  const TwoPart<T> u = tail_argument(a), h = tail_ratio(fma(u.high + u.low, Vec<T>(2), Vec<T>(-1)));
  const Vec<T> w = u.high * h.high;
  return density_exp<float>(a).times(w, fma(u.high, h.low, fma(u.low, h.high, fma(u.high, h.high, -w))));
}
// The slope at -a, e^(-a^2 / 2) (e^(a^2 / 2) Q(a) - a / sqrt(2 pi)), to float's accuracy; at a it is one minus that.
// Far out, where 1 - u = 4 / (a + 4) has lost digits, the second term is much the larger one.
template <class T>
FLAMBEAU_INLINE Vec<T> gelu_slope(Vec<T> a) {
  const TwoPart<T> parts = tail_argument(a);
  const Vec<T> u = parts.high + parts.low;
  const TwoPart<T> h = tail_ratio(fma(u, Vec<T>(2), Vec<T>(-1)));
  const Vec<T> quarter = h.high * Vec<T>(static_cast<T>(0.25)), q = fma(-u, quarter, quarter);
  const Vec<T> low = fma(-u, quarter, quarter - q) + h.low * Vec<T>(static_cast<T>(0.25));
  return density_exp<float>(a).times(fma(a, Vec<T>(static_cast<T>(-kInvSqrt2Pi)), q), low);
}

#if FLAMBEAU_FUSED
// 2^-64 (1 + e^-v) for the v of gelu_tanh_exp, here with the sign of x. Its coefficients are log2(e) times as large,
// and the product from which the exponent is taken loses nothing.
FLAMBEAU_INLINE VF32 gelu_tanh_below(VF32 x) {
  constexpr long double kLinear = kGeluLinear * kLog2E, kCubic = kGeluCubic * kLog2E;
  constexpr long double kGrid = 1 << 19;
  constexpr float kHigh = static_cast<float>(static_cast<int64_t>(kLinear * kGrid) / kGrid);
  constexpr float kCubicHigh = static_cast<float>(kCubic);
  const VF32 high(kHigh), low(static_cast<float>(kLinear - kHigh));
  const VF32 cubic(kCubicHigh), cubic_low(static_cast<float>(kCubic - kCubicHigh));
  const VF32 a = max_second(VF32(-12.8f), x), square = a * a, square_low = fma(a, a, -square);
  const VF32 slope = fma(square, cubic, high);
  const VF32 slope_low = fma(square, cubic, high - slope) + fma(square_low, cubic, fma(square, cubic_low, low));
  return logistic_below(
      -a, slope, [&](VF32 f) __attribute__((always_inline)) { return fma(-a, slope_low, f); });
}
#endif

#if FLAMBEAU_FUSED
// (sqrt(2 pi) a + 2 - T(a)) / a with T(a) = e^(-a^2 / 2) / Q(a), a quotient that is the less of T the larger a is;
// 2^-31.9 of T, 0 <= a <= 14.7.
inline constexpr double kMillsNumerator[] = {0.9108591825973805, 0.6825117392160134, 0.245702459239138,
                                             0.04728970686521342, 0.00418803004613572};
inline constexpr double kMillsDenominator[] = {
    1.0, 1.049286019255379, 0.5318695680013805, 0.15573242001922438, 0.02627099709290606, 0.002093985778398639};
// (2^f - 1) / f for |f| <= 1/2; 2^-28.9.
inline constexpr double kExp2F32[] = {0.6931472028559698,   0.2402264791349819,    0.05550332469693692,
                                      0.009618437366504813, 0.0013398874866701153, 0.00015353360606875505};

// a Q(a) = a / T(a) e^(-a^2 / 2). What T lost in rounding and the quotient's residual are carried along, and the
// exponent has what the square lost.
FLAMBEAU_INLINE VF32 gelu_tail_fused(VF32 a) {
  using L = FloatTraits<float>;
  constexpr float kHigh = static_cast<float>(-0.5 * kLog2E), kLow = static_cast<float>(-0.5 * kLog2E - kHigh);
  const VF32 square = a * a, square_low = fma(a, a, -square), high(kHigh);
  const VF32 shift(L::kRound + 2 * L::kExponentBias), shifted = fma(square, high, shift), n = shifted - shift;
  const VF32 f = fma(square, high, -n) + fma(square, VF32(kLow), square_low * high), m = f * poly(f, kExp2F32);
  const VF32 less = poly(a, kMillsNumerator) / poly(a, kMillsDenominator);
  const VF32 limit(static_cast<float>(2.50662827463100050)), slope = limit - less, two(2);
  const VF32 t = fma(a, slope, two), t_low = fma(a, (limit - slope) - less, fma(a, slope, two - t)), q = a / t;
  const VF32 rest = fma(-q, t_low, fma(-q, t, a)) * rough_reciprocal(t);
  return scale_by(q + fma(q, m, rest), n, shifted);
}
#endif

FLAMBEAU_INLINE VF32 gelu(VF32 x) {
  const VF32 a = min_second(VF32(kGeluEnd), abs(x));
#if FLAMBEAU_FUSED
  return rectified_minus(x, gelu_tail_fused(a));
#else
  return rectified_minus(x, in_double(
                                a, [](VF64 v) __attribute__((always_inline)) { return gelu_tail(v); }));
#endif
}
FLAMBEAU_INLINE VF32 gelu_tanh(VF32 x) {
#if FLAMBEAU_FUSED
  return gated(x, gelu_tanh_below(x), x, 6);
#else
  const VF32 a = min_second(VF32(kGeluTanhEnd<float>), abs(x));
  return rectified_minus(x, in_double(
                                a, [](VF64 v) __attribute__((always_inline)) { return gelu_tanh_tail<float>(v); }));
#endif
}
FLAMBEAU_INLINE VF32 silu(VF32 x) {
#if FLAMBEAU_FUSED
  return gated(x, logistic_below(x), x, 20);
#else
  const VF32 a = min_second(VF32(kSiluEnd<float>), abs(x));
  return rectified_minus(x, in_double(
                                a, [](VF64 v) __attribute__((always_inline)) { return silu_tail<float>(v); }));
#endif
}
FLAMBEAU_INLINE VF64 silu(VF64 x) {
  return rectified_minus(x, silu_tail<double>(min_second(VF64(kSiluEnd<double>), abs(x))));
}
FLAMBEAU_INLINE VF64 gelu(VF64 x) { return x * ndtr(x); }
FLAMBEAU_INLINE VF64 gelu_tanh(VF64 x) {
  return rectified_minus(x, gelu_tanh_tail<double>(min_second(VF64(kGeluTanhEnd<double>), abs(x))));
}

// g times the slope.
FLAMBEAU_INLINE VF32 gelu_backward(VF32 g, VF32 x) {
  const VF32 a = min_second(VF32(kGeluEnd), abs(x));
  const VF32 d = in_fused(
      a, [](auto v) __attribute__((always_inline)) { return gelu_slope(v); });
  return g * select(x > VF32(0), VF32(1) - d, d);
}
FLAMBEAU_INLINE VF32 gelu_tanh_backward(VF32 g, VF32 x) {
  const VF32 a = min_second(VF32(kGeluTanhEnd<float>), abs(x));
  const VF32 d = in_fused(
      a, [](auto v) __attribute__((always_inline)) { return gelu_tanh_slope<float>(v); });
  return g * select(x > VF32(0), VF32(1) - d, d);
}
FLAMBEAU_INLINE VF64 gelu_backward(VF64 g, VF64 x) {
  return g * (ndtr(x) + x * exp(x * x * VF64(-0.5)) * VF64(kInvSqrt2Pi));
}
FLAMBEAU_INLINE VF64 gelu_tanh_backward(VF64 g, VF64 x) {
  const VF64 d = gelu_tanh_slope<double>(min_second(VF64(kGeluTanhEnd<double>), abs(x)));
  return g * select(x > VF64(0), VF64(1) - d, d);
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
