#include "ops/promotion.h"

#include <atomic>

namespace flambeau {
namespace {

std::atomic<DType> default_type{DType::F32};

int category(DType t) { return t == DType::Bool ? 0 : is_complex(t) ? 3 : is_float(t) ? 2 : 1; }

// Combines a result that outranks another: the lower one counts only where its category is higher.
int combine(int higher, int lower) {
  if (higher < 0) return lower;
  if (lower < 0) return higher;
  const DType h = static_cast<DType>(higher);
  const DType l = static_cast<DType>(lower);
  if (is_complex(h)) return higher;
  if (is_float(h)) return is_complex(l) ? static_cast<int>(complex_of(h)) : higher;
  if (h == DType::Bool || is_float(l) || is_complex(l)) return static_cast<int>(promote(h, l));
  return higher;
}

}  // namespace

DType promote(DType a, DType b) {
  if (a == b) return a;
  const int ca = category(a);
  const int cb = category(b);
  if (ca != cb) {
    const DType high = ca > cb ? a : b;
    const DType low = ca > cb ? b : a;
    // float64 with complex64 needs complex128.
    if (is_complex(high) && low == DType::F64) return DType::C128;
    return high;
  }
  if (is_complex(a)) return DType::C128;
  if (is_float(a)) {
    if (a == DType::F64 || b == DType::F64) return DType::F64;
    return DType::F32;  // also float16 with bfloat16
  }
  // Integers: the wider one; uint8 with a signed type needs the next wider signed type than int8.
  if (a == DType::U8 || b == DType::U8) {
    const DType other = a == DType::U8 ? b : a;
    return other == DType::I8 ? DType::I16 : other;
  }
  return static_cast<int>(a) > static_cast<int>(b) ? a : b;
}

void ResultType::add(const Tensor& t) {
  int& slot = t.ndim() > 0 ? dims_ : zero_;
  slot = slot < 0 ? static_cast<int>(t.dtype) : static_cast<int>(promote(static_cast<DType>(slot), t.dtype));
}

void ResultType::add(const Scalar& s) {
  const DType t = s.kind == Scalar::Kind::Bool    ? DType::Bool
                  : s.kind == Scalar::Kind::Int   ? DType::I64
                  : s.kind == Scalar::Kind::Float ? default_dtype()
                                                  : complex_of(default_dtype());
  number_ = number_ < 0 ? static_cast<int>(t) : static_cast<int>(promote(static_cast<DType>(number_), t));
}

void ResultType::add(const Operand& o) {
  if (o.tensor)
    add(*o.tensor);
  else
    add(o.scalar);
}

DType ResultType::get() const { return static_cast<DType>(combine(dims_, combine(zero_, number_))); }

bool can_cast(DType from, DType to) {
  const int f = category(from);
  const int t = category(to);
  return f <= t;
}

DType default_dtype() { return default_type.load(std::memory_order_relaxed); }
void set_default_dtype(DType t) { default_type.store(t, std::memory_order_relaxed); }

}  // namespace flambeau
