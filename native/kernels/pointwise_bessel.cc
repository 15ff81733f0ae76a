// Kernels of the rows in pointwise_bessel.def.
#include "kernels/set.h"

#include "kernels/pointwise_loop.h"
#include "simd/bessel.h"

namespace flambeau::FLAMBEAU_SET {
namespace {

#define ROW FLAMBEAU_POINTWISE_ROW
#include "kernels/pointwise_bessel.def"
#undef ROW

}  // namespace

void fill_pointwise_bessel(PointwiseKernels& k) {
#define ROW(name, ...) fill_row<Row_##name>(k.fn[static_cast<int>(Pointwise::name)]);
#include "kernels/pointwise_bessel.def"
#undef ROW
}

}  // namespace flambeau::FLAMBEAU_SET
