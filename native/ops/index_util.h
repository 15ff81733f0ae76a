// What the indexing ops share: types chosen at run time, index tensors, and targets that must be row-major.
#pragma once
#include <complex>
#include <vector>

#include "ops/data.h"
#include "ops/layout.h"
#include "ops/registry.h"

namespace flambeau {

struct Sixteen {
  uint64_t a, b;
};

// Calls f with a value of the unsigned type of this size: moving elements needs no more than their size.
template <class F>
void by_size(int item, F&& f) {
  switch (item) {
    case 1: return f(uint8_t{});
    case 2: return f(uint16_t{});
    case 4: return f(uint32_t{});
    case 8: return f(uint64_t{});
    default: return f(Sixteen{});
  }
}

// Calls f with a value of the C++ type that elements of this compute type are.
template <class F>
void by_compute(Compute c, F&& f) {
  switch (c) {
    case Compute::F32: return f(float{});
    case Compute::F64: return f(double{});
    case Compute::I64: return f(int64_t{});
    case Compute::C64: return f(std::complex<float>{});
    default: return f(std::complex<double>{});
  }
}

// Calls f as by_compute does, for ops without a meaning for complex numbers.
template <class F>
void by_ordered(Compute c, F&& f) {
  if (c == Compute::F32) return f(float{});
  if (c == Compute::F64) return f(double{});
  return f(int64_t{});
}

// The row-major int64 values of an index of type int64 or int32. Shares no memory with `changed`, if that is given.
Ref index_values(const Tensor& index, const char* op, const Tensor* changed = nullptr);

// The row-major elements of t in type `dtype`, in memory that is not `changed`'s.
Ref source_values(const Tensor& t, DType dtype, const Tensor& changed);

// The position of element `i` of a walk, in elements.
int64_t offset_at(const Walk& w, int64_t i);
// The positions of all n elements of a walk: int64 [n].
Ref offsets_of(const Walk& w, int64_t n);

// A tensor seen as having one dimension if it has none.
Ref at_least_1d(const Tensor& t);

// Sizes of `t` before, at and after a dimension, multiplied.
struct Around {
  int64_t outer = 1, n = 1, inner = 1;
};
Around around(const Dims& sizes, int dim);

// A tensor to be changed, as row-major memory of a given type: the tensor itself where it is that, else a copy whose
// elements go back at the end.
class Workspace {
 public:
  Workspace(Tensor& self, DType dtype) : self_(self), work_(contiguous(self, dtype)) {}
  Tensor& operator*() const { return *work_; }
  Tensor* operator->() const { return work_.get(); }
  void finish() {
    if (work_.get() != &self_) copy_elements(self_, *work_);
  }

 private:
  Tensor& self_;
  Ref work_;
};

// How elements meet what is already there.
enum class Meet : uint8_t { Assign, Add, Multiply, Max, Min };

template <class T>
inline constexpr bool is_complex_type = false;
template <class T>
inline constexpr bool is_complex_type<std::complex<T>> = true;

// Sums of integers wrap; NaN wins over every number.
template <Meet kMeet, class T>
inline void meet(T& there, const T& x) {
  if constexpr (kMeet == Meet::Assign) {
    there = x;
  } else if constexpr (kMeet == Meet::Add) {
    if constexpr (std::is_integral_v<T>)
      there = static_cast<T>(static_cast<uint64_t>(there) + static_cast<uint64_t>(x));
    else
      there += x;
  } else if constexpr (kMeet == Meet::Multiply) {
    if constexpr (std::is_integral_v<T>)
      there = static_cast<T>(static_cast<uint64_t>(there) * static_cast<uint64_t>(x));
    else
      there *= x;
  } else if constexpr (!is_complex_type<T>) {
    const bool wins = kMeet == Meet::Max ? x > there : x < there;
    if (wins || x != x) there = x;
  }
}

// Calls f with the mode as a compile-time constant (a std::integral_constant).
template <class F>
void by_meet(Meet m, F&& f) {
  switch (m) {
    case Meet::Assign: return f(std::integral_constant<Meet, Meet::Assign>{});
    case Meet::Add: return f(std::integral_constant<Meet, Meet::Add>{});
    case Meet::Multiply: return f(std::integral_constant<Meet, Meet::Multiply>{});
    case Meet::Max: return f(std::integral_constant<Meet, Meet::Max>{});
    default: return f(std::integral_constant<Meet, Meet::Min>{});
  }
}

// What changes nothing when something is met with it, in a tensor's type: 0, 1, or the lowest or highest value.
Scalar identity_of(Meet m, DType dtype);

// For means: divides every touched element by its count (integers round down); `work` and `counts` have n elements, the
// first of the compute type, counts of zero leave the element alone.
void divide_by_counts(Tensor& work, const int64_t* counts);

}  // namespace flambeau
