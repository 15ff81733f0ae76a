// PyTorch's type promotion: https://pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
#pragma once
#include "ops/registry.h"

namespace flambeau {

// The smallest type that holds both.
DType promote(DType a, DType b);

// Collects operands: tensors with dimensions outrank 0-d tensors, which outrank plain numbers, within a category.
class ResultType {
 public:
  void add(const Tensor& t);
  void add(const Scalar& s);
  void add(const Operand& o);
  DType get() const;

 private:
  int dims_ = -1, zero_ = -1, number_ = -1;  // DType or -1
};

// Whether a value of type `from` may be stored in place in one of type `to` (no step down in category).
bool can_cast(DType from, DType to);

DType default_dtype();
void set_default_dtype(DType t);

constexpr DType real_of(DType t) { return t == DType::C64 ? DType::F32 : t == DType::C128 ? DType::F64 : t; }
constexpr DType complex_of(DType t) { return is_complex(t) ? t : t == DType::F64 ? DType::C128 : DType::C64; }

}  // namespace flambeau
