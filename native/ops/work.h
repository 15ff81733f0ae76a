// How much an op asks for: the multiply-adds of matrix products, convolutions, attention and recurrent layers. Counted
// in dry runs too, so that a model's cost is known without computing anything.
#pragma once
#include "kernels/conv.h"

namespace flambeau {

// Adds to what this thread has asked for so far. A double: exact up to 2^53, and no sum overflows.
void count_work(double multiply_adds);
inline void count_work(const ConvShape& s) {
  double n = static_cast<double>(s.n) * static_cast<double>(s.o) * static_cast<double>(s.c / s.groups);
  for (int i = 0; i < 3; i++) n *= static_cast<double>(s.out[i]) * static_cast<double>(s.kernel[i]);
  count_work(n);
}
double work_so_far();

}  // namespace flambeau
