#include "core/scalar.h"

#include "kernels/kernels.h"

namespace flambeau {

void Scalar::store(DType t, void* out) const {
  const auto& convert = kernels().convert.convert;
  if (kind == Kind::Bool || kind == Kind::Int) {
    convert(DType::I64, t, 1, &i, out);
  } else if (kind == Kind::Complex) {
    const double parts[2] = {re, im};
    convert(DType::C128, t, 1, parts, out);
  } else {
    convert(DType::F64, t, 1, &re, out);
  }
}

}  // namespace flambeau
