// The pointwise table, filled family by family.
#include "kernels/set.h"

#include "kernels/pointwise.h"

namespace flambeau::FLAMBEAU_SET {

void fill_pointwise_unary(PointwiseKernels&);
void fill_pointwise_math(PointwiseKernels&);
void fill_pointwise_special(PointwiseKernels&);
void fill_pointwise_gamma(PointwiseKernels&);
void fill_pointwise_bessel(PointwiseKernels&);
void fill_pointwise_polynomial(PointwiseKernels&);
void fill_pointwise_activation(PointwiseKernels&);
void fill_pointwise_binary(PointwiseKernels&);
void fill_pointwise_binary_math(PointwiseKernels&);
void fill_pointwise_ternary(PointwiseKernels&);

void fill(PointwiseKernels& k) {
  for (auto& row : k.fn)
    for (auto& fn : row) fn = nullptr;
  fill_pointwise_unary(k);
  fill_pointwise_math(k);
  fill_pointwise_special(k);
  fill_pointwise_gamma(k);
  fill_pointwise_bessel(k);
  fill_pointwise_polynomial(k);
  fill_pointwise_activation(k);
  fill_pointwise_binary(k);
  fill_pointwise_binary_math(k);
  fill_pointwise_ternary(k);
}

}  // namespace flambeau::FLAMBEAU_SET
