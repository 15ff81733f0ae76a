#include "ops/registry.h"

namespace flambeau {
namespace {

// The tags that lib/tensor/invoke.ts writes.
constexpr double kNone = 0, kTensor = 1, kInt = 2, kFloat = 3, kBool = 4, kBigInt = 5, kComplex = 6, kInts = 7,
                 kTensors = 8, kDType = 9, kDevice = 10;

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

Register::Register(const char* name, OpFn fn, int row, OnMeta on_meta) { table().push_back({name, fn, row, on_meta}); }

void Call::settle_device(const char* op, OnMeta on_meta) {
  if (meta_storages.load(std::memory_order_relaxed) == 0) return;
  // Devices of tensors; the first that is not a number on the CPU says where the op belongs.
  bool any_meta = false, any_cpu = false, placed = false, on_cpu = false;
  const auto see = [&](double handle) {
    const Tensor& t = lookup_(table_, static_cast<uint32_t>(handle));
    const bool meta = t.meta(), number = !meta && t.ndim() == 0;
    any_meta = any_meta || meta;
    any_cpu = any_cpu || (!meta && !number);
    if (!placed && !number) {
      placed = true;
      on_cpu = !meta;
    }
  };
  for (const double* at = at_; at < end_;) {
    const double t = *at;
    if (t == kNone) {
      at++;
    } else if (t == kBigInt || t == kComplex) {
      at += 3;
    } else if (t == kInts || t == kTensors) {
      if (end_ - at < 2) return;
      const double n = at[1];
      if (!(n >= 0 && n <= static_cast<double>(end_ - at - 2))) return;  // the op says what is wrong with it
      const auto count = static_cast<size_t>(n);
      if (t == kTensors)
        for (size_t i = 0; i < count; i++) see(at[2 + i]);
      at += 2 + count;
    } else {
      if (end_ - at < 2) return;
      if (t == kTensor) see(at[1]);
      at += 2;
    }
  }
  if (!any_meta) return;
  FLAMBEAU_CHECK(on_meta != OnMeta::Refuse, Kind::Runtime, "%s: not implemented for the meta device", op);
  if (on_meta != OnMeta::Free) {
    FLAMBEAU_CHECK(!on_cpu, Kind::Runtime, "Tensor on device meta is not on the expected device cpu!");
    FLAMBEAU_CHECK(!any_cpu || on_meta == OnMeta::Indexed, Kind::Runtime,
                   "Tensor on device cpu is not on the expected device meta!");
  }
  dry_.emplace();
}

void Call::place() {
  if (at_ >= end_) return;
  const double t = tag();
  if (t == kNone) return;
  const double value = next();
  if (t == kTensor) return;  // settle_device has seen it
  if (t != kDevice) wrong("a device or a tensor");
  placed_on_meta_ = value != 0;
  if (placed_on_meta_ && !dry_run()) dry_.emplace();
}

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
