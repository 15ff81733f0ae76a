// Kernels of the rows in pointwise_polynomial.def.
#include "kernels/set.h"

#include "kernels/pointwise_loop.h"
#include "simd/polynomial.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

#define ROW FLAMBEAU_POINTWISE_ROW
#include "kernels/pointwise_polynomial.def"
#undef ROW

}  // namespace

void fill_pointwise_polynomial(PointwiseKernels& k) {
#define ROW(name, ...) fill_row<Row_##name>(k.fn[static_cast<int>(Pointwise::name)]);
#include "kernels/pointwise_polynomial.def"
#undef ROW
}

}  // namespace flambeau::FLAMBEAU_SET
