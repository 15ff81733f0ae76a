// The registry of native ops, and how an op reads its arguments and leaves its results. Knows no N-API.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/scalar.h"
#include "core/tensor.h"

namespace flambeau {

// Looks up a tensor by handle; throws Error for a handle that is not alive.
using HandleLookup = Tensor& (*)(void* table, uint32_t handle);

// A tensor or a number: either side of a binary op.
struct Operand {
  Tensor* tensor = nullptr;
  Scalar scalar;
};

// One call of an op: the arguments, read in order, and the results.
class Call {
 public:
  Call(const double* args, const double* end, HandleLookup lookup, void* table)
      : at_(args), end_(end), lookup_(lookup), table_(table) {}

  Tensor& tensor();
  Tensor* tensor_or_null();
  std::vector<Tensor*> tensors();
  Operand operand();
  Scalar scalar();
  std::optional<Scalar> scalar_or_null();
  double number();
  int64_t integer();
  std::optional<int64_t> integer_or_null();
  bool flag();
  DType dtype();
  std::optional<DType> dtype_or_null();
  Dims dims();  // a list of integers, or one integer as a list of one
  std::vector<int64_t> integers();
  bool more() const { return at_ < end_; }

  void result(Ref t) { results.push_back(std::move(t)); }
  void number(double x) { numbers.push_back(x); }

  int row = 0;  // which entry of its family runs
  std::vector<Ref> results;
  std::vector<double> numbers;

 private:
  double tag();
  size_t length();
  double next();
  const double* at_;
  const double* end_;
  HandleLookup lookup_;
  void* table_;
};

using OpFn = void (*)(Call&);

struct OpEntry {
  std::string name;
  OpFn fn;
  int row;
};

// All ops; ids are indices.
const std::vector<OpEntry>& op_table();

// Enters an op when the library is loaded: `static Register add{"add", run, row};` or FLAMBEAU_OP.
struct Register {
  Register(const char* name, OpFn fn, int row = 0);
};

// FLAMBEAU_OP(cat) { ... call ... }
#define FLAMBEAU_OP(name)                                              \
  static void op_##name(Call& call);                                   \
  static const ::flambeau::Register register_##name{#name, op_##name}; \
  static void op_##name(Call& call)

}  // namespace flambeau
