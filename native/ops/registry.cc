#include "ops/registry.h"

namespace flambeau {
namespace {

// The tags that lib/tensor/invoke.ts writes.
constexpr double kNone = 0, kTensor = 1, kInt = 2, kFloat = 3, kBool = 4, kBigInt = 5, kComplex = 6, kInts = 7,
                 kTensors = 8, kDType = 9;

std::vector<OpEntry>& table() {
  static auto* t = new std::vector<OpEntry>;
  return *t;
}

[[noreturn]] void wrong(const char* wanted) {
  fail(Kind::Type, "a native op expected %s as its next argument", wanted);
}

int64_t whole(double d) {
  if (!(d >= -9007199254740992.0 && d <= 9007199254740992.0) || d != static_cast<double>(static_cast<int64_t>(d)))
    fail(Kind::Type, "expected an integer, got %g", d);
  return static_cast<int64_t>(d);
}

}  // namespace

const std::vector<OpEntry>& op_table() { return table(); }

Register::Register(const char* name, OpFn fn, int row) { table().push_back({name, fn, row}); }

double Call::next() {
  if (at_ >= end_) fail(Kind::Type, "a native op got too few arguments");
  return *at_++;
}

double Call::tag() { return next(); }

// The length of a list: what it claims must be there, before memory is reserved for it.
size_t Call::length() {
  const int64_t n = whole(next());
  if (n < 0 || n > end_ - at_) fail(Kind::Type, "a native op got too few arguments");
  return static_cast<size_t>(n);
}

Tensor& Call::tensor() {
  if (tag() != kTensor) wrong("a tensor");
  return lookup_(table_, static_cast<uint32_t>(next()));
}

Tensor* Call::tensor_or_null() {
  const double t = tag();
  if (t == kNone) return nullptr;
  if (t != kTensor) wrong("a tensor or null");
  return &lookup_(table_, static_cast<uint32_t>(next()));
}

std::vector<Tensor*> Call::tensors() {
  const double t = tag();
  if (t != kTensors && t != kInts) wrong("a list of tensors");
  const size_t n = length();
  if (t == kInts && n != 0) wrong("a list of tensors");
  std::vector<Tensor*> out(n);
  for (auto& x : out) x = &lookup_(table_, static_cast<uint32_t>(next()));
  return out;
}

Scalar Call::scalar() {
  const auto s = scalar_or_null();
  if (!s) wrong("a number");
  return *s;
}

std::optional<Scalar> Call::scalar_or_null() {
  const double t = tag();
  if (t == kNone) return std::nullopt;
  if (t == kInt) return Scalar::of(whole(next()));
  if (t == kFloat) return Scalar::of(next());
  if (t == kBool) return Scalar::of(next() != 0);
  if (t == kBigInt) {
    const auto low = static_cast<uint32_t>(next());
    const auto high = static_cast<int32_t>(next());
    return Scalar::of(static_cast<int64_t>((static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32) | low));
  }
  if (t == kComplex) {
    Scalar s;
    s.kind = Scalar::Kind::Complex;
    s.re = next();
    s.im = next();
    return s;
  }
  wrong("a number");
}

Operand Call::operand() {
  Operand o;
  if (at_ < end_ && *at_ == kTensor)
    o.tensor = &tensor();
  else
    o.scalar = scalar();
  return o;
}

double Call::number() { return scalar().re; }

int64_t Call::integer() {
  const Scalar s = scalar();
  if (s.kind == Scalar::Kind::Int || s.kind == Scalar::Kind::Bool) return s.i;
  return whole(s.re);
}

std::optional<int64_t> Call::integer_or_null() {
  if (at_ < end_ && *at_ == kNone) {
    next();
    return std::nullopt;
  }
  return integer();
}

bool Call::flag() { return scalar().re != 0; }

DType Call::dtype() {
  const auto t = dtype_or_null();
  if (!t) wrong("a dtype");
  return *t;
}

std::optional<DType> Call::dtype_or_null() {
  const double t = tag();
  if (t == kNone) return std::nullopt;
  if (t != kDType) wrong("a dtype");
  const int64_t code = whole(next());
  if (code < 0 || code >= kDTypeCount) wrong("a dtype");
  return static_cast<DType>(code);
}

std::vector<int64_t> Call::integers() {
  if (at_ < end_ && *at_ != kInts) return {integer()};
  next();
  std::vector<int64_t> out(length());
  for (auto& x : out) x = whole(next());
  return out;
}

Dims Call::dims() {
  const auto v = integers();
  FLAMBEAU_CHECK(v.size() <= kMaxDims, Kind::Runtime, "a tensor has at most %d dimensions, got %zu", kMaxDims,
                 v.size());
  return Dims(v.data(), static_cast<int>(v.size()));
}

}  // namespace flambeau
