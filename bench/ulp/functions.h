// What the sweep measures: the kernels' rows beside their true values, written once for every floating-point type.
#pragma once
#include <cmath>

#include "kernels/pointwise.h"

namespace flambeau::ulp {

// The arguments are every float (Every), or pairs whose result is mostly finite (Powers). A gradient row takes the
// gradient 1 first and the argument second (Gradient).
enum class Arguments { Every, Gradient, Powers };

struct Function {
  const char* name;
  Pointwise row;
  Arguments arguments;
  double (*truth)(double x, double y);
  // The same in the widest type of the machine: the check on `truth`.
  long double (*wide)(long double x, long double y);
  // The error is in ulp of the largest of the result and this: for results that are a difference of two terms and have
  // a zero of their own. Null: of the result.
  double (*size)(double x);
  double params[4];
};

template <class T>
constexpr T kPi = T(3.14159265358979323846264338327950288L);

template <class T>
T normal_tail(T x) {  // P(X > x)
  return std::erfc(x * std::sqrt(T(0.5))) / 2;
}
template <class T>
T density(T x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * kPi<T>);
}
template <class T>
T logistic(T x) {
  return 1 / (1 + std::exp(-x));
}
// Twice the argument of GELU's tanh.
template <class T>
T gelu_argument(T x) {
  return 2 * std::sqrt(2 / kPi<T>) * (x + T(0.044715L) * x * x * x);
}
template <class T>
T gelu_argument_slope(T x) {
  return 2 * std::sqrt(2 / kPi<T>) * (1 + 3 * T(0.044715L) * x * x);
}
// x f(x), where f goes to 0 at both ends faster than x goes away.
template <class T>
T times(T x, T factor) {
  return factor == 0 ? T(0) : x * factor;
}
// The slopes are negative far out on the negative side.
template <class T>
T slope(T first, T second) {
  return first + second == 0 ? -T(0) : first + second;
}

#define TRUTH(expression)                                 \
  [](double x, [[maybe_unused]] double y) {               \
    using T = double;                                     \
    return static_cast<T>(expression);                    \
  },                                                      \
      [](long double x, [[maybe_unused]] long double y) { \
        using T = long double;                            \
        return static_cast<T>(expression);                \
      }
#define EVERY(name, expression)                                              \
  {                                                                          \
#name, Pointwise::name, Arguments::Every, TRUTH(expression), nullptr, {} \
  }

inline const Function kFunctions[] = {
    EVERY(exp, std::exp(x)),
    EVERY(log, std::log(x)),
    EVERY(tanh, std::tanh(x)),
    EVERY(erf, std::erf(x)),
    EVERY(gelu, x* normal_tail(-x)),
    EVERY(gelu_tanh, x* logistic(gelu_argument(x))),
    {"gelu_backward",
     Pointwise::gelu_backward,
     Arguments::Gradient,
     TRUTH(slope(normal_tail(-x), times(x, density(x)))),
     [](double x) { return std::fmax(normal_tail(-x), std::fabs(times(x, density(x)))); },
     {}},
    {"gelu_tanh_backward",
     Pointwise::gelu_tanh_backward,
     Arguments::Gradient,
     TRUTH(slope(logistic(gelu_argument(x)),
                 times(x* gelu_argument_slope(x), logistic(-gelu_argument(x)) * logistic(gelu_argument(x))))),
     [](double x) {
       const double v = gelu_argument(x), s = logistic(v);
       return std::fmax(s, std::fabs(times(x * gelu_argument_slope(x), logistic(-v) * s)));
     },
     {}},
    EVERY(expm1, std::expm1(x)),
    EVERY(log1p, std::log1p(x)),
    EVERY(sigmoid, logistic(x)),
    EVERY(silu, x* logistic(x)),
    {"softplus", Pointwise::softplus, Arguments::Every, TRUTH(x > 20 ? x : std::log1p(std::exp(x))), nullptr, {1, 20}},
    EVERY(sin, std::sin(x)),
    EVERY(cos, std::cos(x)),
    EVERY(exp2, std::exp2(x)),
    EVERY(log2, std::log2(x)),
    EVERY(log10, std::log10(x)),
    EVERY(sqrt, std::sqrt(x)),
    EVERY(rsqrt, 1 / std::sqrt(x)),
    EVERY(erfc, std::erfc(x)),
    {"pow", Pointwise::pow, Arguments::Powers, TRUTH(std::pow(x, y)), nullptr, {}},
};

#undef EVERY
#undef TRUTH

}  // namespace flambeau::ulp
