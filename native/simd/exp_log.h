// Exponentials and logarithms over Vec<float> and Vec<double>. All polynomials are near-minimax fits for the relative
// error of the function, made with Remez's exchange; the figure behind each is the error of the fit alone.
#pragma once
#include "simd/vec.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

inline constexpr double kInf = __builtin_inf();
inline constexpr double kNaN = __builtin_nan("");
inline constexpr double kLn2 = 0.69314718055994530942;
inline constexpr double kLog2E = 1.44269504088896340736;
inline constexpr double kPi = 3.14159265358979323846;

// c[0] + c[1] x + ... by Horner's rule; latency is hidden by the neighbouring vectors of a loop.
template <int I, class T, int K>
FLAMBEAU_INLINE Vec<T> poly_from(Vec<T> x, const double (&c)[K]) {
  if constexpr (I == K - 1)
    return Vec<T>(static_cast<T>(c[I]));
  else
    return fma(poly_from<I + 1>(x, c), x, Vec<T>(static_cast<T>(c[I])));
}
template <class T, int K>
FLAMBEAU_INLINE Vec<T> poly(Vec<T> x, const double (&c)[K]) {
  return poly_from<0>(x, c);
}

// The same from c[I] on as two sums, of the even and the odd powers: half the latency for one multiplication, where a
// body is so long that the loop's next vectors are out of the processor's sight.
template <int I, class T, int K>
FLAMBEAU_INLINE Vec<T> poly_every_second(Vec<T> square, const double (&c)[K]) {
  if constexpr (I + 2 >= K)
    return Vec<T>(static_cast<T>(c[I]));
  else
    return fma(poly_every_second<I + 2>(square, c), square, Vec<T>(static_cast<T>(c[I])));
}
template <int I, class T, int K>
FLAMBEAU_INLINE Vec<T> poly_in_halves(Vec<T> x, const double (&c)[K]) {
  const Vec<T> square = x * x;
  return fma(poly_every_second<I + 1>(square, c), x, poly_every_second<I>(square, c));
}

// A float function by way of double lanes: where double's spare digits make the algorithm both short and right. The
// polynomials behind it need float's accuracy only; `G` (for grade) is the type whose accuracy is wanted.
template <class F>
FLAMBEAU_INLINE VF32 in_double(VF32 x, F f) {
  return narrow(f(widen_low(x)), f(widen_high(x)));
}
template <class F>
FLAMBEAU_INLINE VF32 in_double(VF32 x, VF32 y, F f) {
  return narrow(f(widen_low(x), widen_low(y)), f(widen_high(x), widen_high(y)));
}

template <class T>
struct FloatTraits;
template <>
struct FloatTraits<float> {
  static constexpr int kMantissa = 23;
  static constexpr float kRound = 0x1.8p23f;  // adding it rounds to an integer, which is left in the low bits
  static constexpr float kExponentBias = 127;
  static constexpr double kLn2Hi = 0x1.62e4p-1;  // few enough bits that n * kLn2Hi is exact for every exponent n
  static constexpr double kLn2Lo = 0x1.7f7d1cf79abcap-20;
  static constexpr float kMin = 0x1p-126f, kExpLow = -104, kExpHigh = 89, kExpm1Low = -20;
  static constexpr float kExp2Low = -151, kExp2High = 129;
  static constexpr int32_t kOne = 0x3f800000, kSqrtHalf = 0x3f3504f3, kMantissaBits = 0x7fffff;
  static constexpr int32_t kIntegerBits = 0x4b000000;  // of 2^23
};
template <>
struct FloatTraits<double> {
  static constexpr int kMantissa = 52;
  static constexpr double kRound = 0x1.8p52;
  static constexpr double kExponentBias = 1023;
  static constexpr double kLn2Hi = 6.93147180369123816490e-01;
  static constexpr double kLn2Lo = 1.90821492927058770002e-10;
  static constexpr double kMin = 0x1p-1022, kExpLow = -746, kExpHigh = 710, kExpm1Low = -40;
  static constexpr double kExp2Low = -1076, kExp2High = 1025;
  static constexpr int64_t kOne = 0x3ff0000000000000, kSqrtHalf = 0x3fe6a09e667f3bcd, kMantissaBits = 0xfffffffffffff;
  static constexpr int64_t kIntegerBits = 0x4330000000000000;  // of 2^52
};

// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2.
inline constexpr double kExpF32[] = {0.499999934404256199, 0.16666520522227726, 4.16683893304247736e-2,
                                     8.36873017352400297e-3, 1.38145714678109738e-3};  // 2^-28
// For float in double lanes, 2^-34.
inline constexpr double kExpF32InF64[] = {0.500000006775629744,   0.166666658680436091,  4.16662946726381454e-2,
                                          8.33349719758191948e-3, 1.3944680350086409e-3, 1.979032215828617e-4};
inline constexpr double kExpF64[] = {0.500000000000001065,   0.166666666666664121,   4.16666666665299556e-2,
                                     8.33333333349470188e-3, 1.38888889436913794e-3, 1.98412695062006951e-4,
                                     2.48014930284792871e-5, 2.75575865784180683e-6, 2.76302756824981729e-7,
                                     2.50000400991835882e-8};  // 2^-58

// e^r - 1 for |r| <= ln(2) / 2.
template <class G, class T>
FLAMBEAU_INLINE Vec<T> expm1_reduced(Vec<T> r) {
  Vec<T> p;
  if constexpr (sizeof(G) == 8)
    p = poly(r, kExpF64);
  else if constexpr (sizeof(T) == 8)
    p = poly(r, kExpF32InF64);
  else
    p = poly(r, kExpF32);
  return fma(r * r, p, r);
}

template <class T>
FLAMBEAU_INLINE Vec<T> clamp_keeping_nan(Vec<T> x, T low, T high) {
  return min_second(Vec<T>(high), max_second(Vec<T>(low), x));
}

// x = n ln(2) + r. `shifted` is n + kRound + bias, whose low bits are those of the integer n + bias.
template <class T>
struct ExpParts {
  Vec<T> n, r, shifted;
};
template <class T>
FLAMBEAU_INLINE ExpParts<T> exp_reduce(Vec<T> x, T bias) {
  using L = FloatTraits<T>;
  Vec<T> shift(L::kRound + bias);
  ExpParts<T> e;
  e.shifted = fma(x, Vec<T>(static_cast<T>(kLog2E)), shift);
  e.n = e.shifted - shift;
  e.r = fma(e.n, Vec<T>(static_cast<T>(-L::kLn2Hi)), x);
  e.r = fma(e.n, Vec<T>(static_cast<T>(-L::kLn2Lo)), e.r);
  return e;
}

// y * 2^n, where `shifted` carries n + 2 * bias. Two factors, for the product may be subnormal or just overflow.
template <class T>
FLAMBEAU_INLINE Vec<T> scale_by(Vec<T> y, [[maybe_unused]] Vec<T> n, [[maybe_unused]] Vec<T> shifted) {
#if defined(__AVX512F__)
  return arch::scale(y.v, n.v);
#else
  Vec<Bits<T>> k = bits(shifted), half = shr(k, 1);
  constexpr int m = FloatTraits<T>::kMantissa;
  return y * from_bits(shl(half, m)) * from_bits(shl(k - half, m));
#endif
}

template <class G, class T>
FLAMBEAU_INLINE Vec<T> exp_graded(Vec<T> x) {
  using L = FloatTraits<T>;
  x = clamp_keeping_nan(x, L::kExpLow, L::kExpHigh);
  auto e = exp_reduce(x, 2 * L::kExponentBias);
  return scale_by(expm1_reduced<G>(e.r) + Vec<T>(1), e.n, e.shifted);
}
template <class T>
FLAMBEAU_INLINE Vec<T> exp(Vec<T> x) {
  return exp_graded<T>(x);
}

// e^x for x <= 0, in which errors matter less the smaller it is: a term of a sum that has a term of 1, which stays
// exact. The error is that of exp() plus |x| 2^-28, for three quarters of its time.
template <class T>
FLAMBEAU_INLINE Vec<T> exp_term(Vec<T> x) {
  if constexpr (sizeof(T) == 8 || !FLAMBEAU_FUSED) return exp(x);
  using L = FloatTraits<T>;
  x = max_second(Vec<T>(L::kExpLow), x);
  const Vec<T> shift(L::kRound + 2 * L::kExponentBias), shifted = fma(x, Vec<T>(static_cast<T>(kLog2E)), shift);
  const Vec<T> n = shifted - shift, r = fma(n, Vec<T>(static_cast<T>(-kLn2)), x), square = r * r;
  const auto c = [](int i) { return Vec<T>(static_cast<T>(kExpF32[i])); };
  const Vec<T> p = fma(fma(c(4), square, fma(c(3), r, c(2))), square, fma(c(1), r, c(0)));
  return scale_by(fma(p, square, r + Vec<T>(1)), n, shifted);
}

template <class T>
FLAMBEAU_INLINE Vec<T> exp2(Vec<T> x) {
  using L = FloatTraits<T>;
  x = clamp_keeping_nan(x, L::kExp2Low, L::kExp2High);
  Vec<T> shift(L::kRound + 2 * L::kExponentBias);
  Vec<T> shifted = x + shift, n = shifted - shift;
  return scale_by(expm1_reduced<T>((x - n) * Vec<T>(static_cast<T>(kLn2))) + Vec<T>(1), n, shifted);
}

#if FLAMBEAU_FUSED
// 2^-64 (2^f - 1) / f for |f| <= 1/2; 2^-28.9.
inline constexpr float kGateUnit = 0x1p-64f;
inline constexpr double kGateF32[] = {0.6931472028559698 * kGateUnit,    0.2402264791349819 * kGateUnit,
                                      0.05550332469693692 * kGateUnit,   0.009618437366504813 * kGateUnit,
                                      0.0013398874866701153 * kGateUnit, 0.00015353360606875505 * kGateUnit};

// 2^(t - 64), which is infinite from t = 192 on, for the t <= 254 that is factor * x but for what `rest` adds to the
// fraction of it.
template <class F>
FLAMBEAU_INLINE VF32 logistic_power(VF32 factor, VF32 x, F rest) {
  using L = FloatTraits<float>;
  const VF32 shift(L::kRound + 2 * L::kExponentBias), shifted = fma(x, factor, shift), n = shifted - shift;
  const VF32 f = rest(fma(x, factor, -n)), unit(kGateUnit);
  return scale_by(fma(f, poly(f, kGateF32), unit), n, shifted);
}
// 2^-64 (1 + 2^t), likewise.
template <class F>
FLAMBEAU_INLINE VF32 logistic_below(VF32 factor, VF32 x, F rest) {
  return logistic_power(factor, x, rest) + VF32(kGateUnit);
}

// 2^-64 e^-x; where x is large what comes is not to be used.
FLAMBEAU_INLINE VF32 logistic_power(VF32 x) {
  constexpr float kHigh = static_cast<float>(-kLog2E), kLow = static_cast<float>(-kLog2E - kHigh);
  const VF32 least = max_second(VF32(-174), x);
  return logistic_power(
      VF32(kHigh), least, [&](VF32 f) __attribute__((always_inline)) { return fma(least, VF32(kLow), f); });
}
FLAMBEAU_INLINE VF32 logistic_below(VF32 x) { return logistic_power(x) + VF32(kGateUnit); }

// y / (1 + e) for below = 2^-64 (1 + e), where e is nothing beside 1 from x = `far` on.
FLAMBEAU_INLINE VF32 gated(VF32 y, VF32 below, VF32 x, float far) {
  return select(x > VF32(far), y, y / below * VF32(kGateUnit));
}
#endif

// e^x - 1 = 2 (2^(n-1) (e^r - 1) + (2^(n-1) - 1/2)); the outer 2 keeps the factor finite just below the overflow.
template <class G, class T>
FLAMBEAU_INLINE Vec<T> expm1_graded(Vec<T> x) {
  using L = FloatTraits<T>;
  auto e = exp_reduce(clamp_keeping_nan(x, L::kExpm1Low, L::kExpHigh), L::kExponentBias - 1);
  Vec<T> p = expm1_reduced<G>(e.r);
  Vec<T> s = from_bits(shl(bits(e.shifted), L::kMantissa));
  Vec<T> y = fma(s, p, s - Vec<T>(static_cast<T>(0.5)));
  return copysign(select(e.n == Vec<T>(0), p, y + y), x);  // copysign: for -0
}
template <class T>
FLAMBEAU_INLINE Vec<T> expm1(Vec<T> x) {
  return expm1_graded<T>(x);
}

// (log(1 + f) - f + f^2 / 2) / f^3 for sqrt(1/2) <= 1 + f <= sqrt(2).
inline constexpr double kLogF32[] = {0.33333311966921623,  -0.25000008709849254, 0.2000216704945312,
                                     -0.16668090424193153, 0.14218554669843688,  -0.12403082850571318,
                                     0.1189351005474972,   -0.11694339258905912, 6.7575797355888555e-2};  // 2^-30
// (log((1 + s) / (1 - s)) / s - 2) / s^2 as a polynomial in s^2, s = f / (2 + f) with f as above.
inline constexpr double kLogF32InF64[] = {0.66666665603141552, 0.40000345596144416, 0.28536601257671764,
                                          0.23596366101762425};  // 2^-37
inline constexpr double kLogF64[] = {0.66666666666667394, 0.39999999999377868, 0.28571428751328194, 0.22222197584674599,
                                     0.18183619131712697, 0.15312566082921878, 0.14811579439614651};  // 2^-59

// log(x) for positive, normal, finite x; `bias` is added to the exponent.
template <class G, class T>
FLAMBEAU_INLINE Vec<T> log_normal(Vec<T> x, Vec<T> bias) {
  using L = FloatTraits<T>;
  using I = Vec<Bits<T>>;
  I ix = bits(x) + I(L::kOne - L::kSqrtHalf);
  Vec<T> m = from_bits((ix & I(L::kMantissaBits)) + I(L::kSqrtHalf));
  // The exponent is put below the mantissa's top bit of 2^kMantissa, which makes it a number without a conversion.
  Vec<T> k = from_bits(shr(ix, L::kMantissa) | I(L::kIntegerBits)) - from_bits(I(L::kIntegerBits));
  k = k - (Vec<T>(L::kExponentBias) - bias);
  Vec<T> f = m - Vec<T>(1), half_square = f * f * Vec<T>(static_cast<T>(0.5));
  Vec<T> hi(static_cast<T>(L::kLn2Hi)), lo(static_cast<T>(L::kLn2Lo));
  if constexpr (sizeof(T) == 4) {
    Vec<T> y = fma(k, lo, f * f * f * poly(f, kLogF32)) - half_square;
    return fma(k, hi, f + y);
  } else {
    Vec<T> s = f / (f + Vec<T>(2)), z = s * s, r;
    if constexpr (sizeof(G) == 8)
      r = z * poly(z, kLogF64);
    else
      r = z * poly(z, kLogF32InF64);
    return k * hi - ((half_square - fma(s, half_square + r, k * lo)) - f);
  }
}

template <class T>
FLAMBEAU_INLINE Vec<T> log(Vec<T> x) {
  using L = FloatTraits<T>;
  constexpr T kUp = static_cast<T>(static_cast<int64_t>(1) << L::kMantissa);
  Mask<T> subnormal = x < Vec<T>(L::kMin);
  Vec<T> y = log_normal<T>(select(subnormal, x * Vec<T>(kUp), x), select(subnormal, Vec<T>(-L::kMantissa), Vec<T>(0)));
  y = select(x == Vec<T>(static_cast<T>(kInf)), x, y);
  y = select(x == Vec<T>(0), Vec<T>(static_cast<T>(-kInf)), y);
  return select(x >= Vec<T>(0), y, Vec<T>(static_cast<T>(kNaN)));
}

// log of doubles that were made from floats, to float's accuracy: they are normal or 0, infinite, negative, NaN.
FLAMBEAU_INLINE VF64 log_wide(VF64 x) {
  VF64 y = log_normal<float>(x, VF64(0));
  y = select(x == VF64(kInf), x, y);
  y = select(x == VF64(0), VF64(-kInf), y);
  return select(x >= VF64(0), y, VF64(kNaN));
}

FLAMBEAU_INLINE VF32 log2(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) { return log_wide(v) * VF64(kLog2E); });
}
FLAMBEAU_INLINE VF64 log2(VF64 x) {
  return map(x, [](double v) { return __builtin_log2(v); });
}
FLAMBEAU_INLINE VF32 log10(VF32 x) {
  return in_double(
      x, [](VF64 v) __attribute__((always_inline)) { return log_wide(v) * VF64(0.43429448190325182765); });
}
FLAMBEAU_INLINE VF64 log10(VF64 x) {
  return map(x, [](double v) { return __builtin_log10(v); });
}

// log(1 + x) = log(u) + (x - (u - 1)) / u with u = 1 + x as rounded: the second term is what the rounding lost.
template <class T>
FLAMBEAU_INLINE Vec<T> log1p(Vec<T> x) {
  Vec<T> one(1), u = one + x;
  Vec<T> y = log(u), lost = (x - (u - one)) / u;
  y = select((u > Vec<T>(0)) & (u < Vec<T>(static_cast<T>(kInf))), y + lost, y);
  return select(x == Vec<T>(0), x, y);
}
// The same in double lanes, to float's accuracy, for x > -1 or NaN.
FLAMBEAU_INLINE VF64 log1p_wide(VF64 x) {
  VF64 u = VF64(1) + x;
  return select(u < VF64(kInf), log_normal<float>(u, VF64(0)) + (x - (u - VF64(1))) / u, u);
}

// 1 / (1 + e^-x), written so that the exponential never overflows and small results keep their digits. What the sum
// d = 1 + e lost in rounding comes back by the first-order term, for which 1 / d = 1.457 - d / 2 (to 5 %) is enough.
template <class T>
FLAMBEAU_INLINE Vec<T> sigmoid(Vec<T> x) {
#if FLAMBEAU_FUSED
  if constexpr (sizeof(T) == 4) return gated(VF32(1), logistic_below(x), x, 20);
#endif
  Vec<T> e = exp(-abs(x)), one(1), d = one + e, lost = e - (d - one);
  Vec<T> q = select(x < Vec<T>(0), e, one) / d;
  Vec<T> inverse = fma(d, Vec<T>(static_cast<T>(-0.5)), Vec<T>(static_cast<T>(1.457)));
  return fma(q * lost, -inverse, q);
}

// (tanh(x) / x - 1) / x^2 as a polynomial in x^2, |x| < 0.6.
inline constexpr double kTanhF32[] = {-0.33333331782510119,  0.13333247791495898,    -5.3952475542761735e-2,
                                      2.1734439483766771e-2, -8.2670901285640286e-3, 2.2310633297339088e-3};  // 2^-33
inline constexpr double kTanhF64[] = {-0.33333333333333134,   0.13333333333300904,    -5.3968253949875e-2,
                                      2.1869488015956547e-2,  -8.8632269553885454e-3, 3.5920388412608339e-3,
                                      -1.4552230408540893e-3, 5.8721422915728371e-4,  -2.3045063129190528e-4,
                                      7.9377247247539982e-5,  -1.7210837173992043e-5};  // 2^-57

#if FLAMBEAU_FUSED
// With m = e^(-2 |x|) - 1, whose digits are all right where it is small, |tanh(x)| = -m / (m + 2).
FLAMBEAU_INLINE VF32 tanh_fused(VF32 x) {
  using L = FloatTraits<float>;
  const auto e = exp_reduce(min_second(VF32(9.1f), abs(x)) * VF32(-2), L::kExponentBias);
  const VF32 s = from_bits(shl(bits(e.shifted), L::kMantissa)), m = fma(s, expm1_reduced<float>(e.r), s - VF32(1));
  return copysign(m / (m + VF32(2)), x);
}
#endif

template <class T>
FLAMBEAU_INLINE Vec<T> tanh(Vec<T> x) {
#if FLAMBEAU_FUSED
  if constexpr (sizeof(T) == 4) return tanh_fused(x);
#endif
  Vec<T> a = abs(x), z = x * x, p;
  if constexpr (sizeof(T) == 4)
    p = poly(z, kTanhF32);
  else
    p = poly(z, kTanhF64);
  Vec<T> small = fma(x * z, p, x);
  Vec<T> large = Vec<T>(1) - Vec<T>(2) / (exp(a + a) + Vec<T>(1));
  return copysign(select(a < Vec<T>(static_cast<T>(0.6)), small, large), x);
}

}  // namespace
}  // namespace flambeau::FLAMBEAU_SET
