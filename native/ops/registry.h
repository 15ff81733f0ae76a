// The registry of native ops, and how an op reads its arguments and leaves its results. Knows no N-API.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/dry_run.h"
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

// What an op does about tensors of the meta device, whose ops run dry (core/dry_run.h).
enum class OnMeta : uint8_t {
  Refuse,   // needs the elements, or has not been looked through for loops of its own over them
  Serve,    // all tensors must be of one device, but for those on the CPU that have no dimensions
  Indexed,  // as Serve; next to tensors of the meta device, those on the CPU (positions) may stand too
  Free,     // looks after devices itself
};

// One call of an op: the arguments, read in order, and the results.
class Call {
 public:
  Call(const double* args, const double* end, HandleLookup lookup, void* table)
      : at_(args), end_(end), lookup_(lookup), table_(table) {}

  // Looks at the devices of all arguments before the op reads them; starts a dry run where one is of the meta device.
  void settle_device(const char* op, OnMeta on_meta);

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
  // Where a fresh tensor belongs, which ops that make one read last: a device, or a tensor whose device it is. Starts a
  // dry run for the meta device.
  void place();
  bool placed_on_meta() const { return placed_on_meta_; }
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
  std::optional<DryRun> dry_;
  bool placed_on_meta_ = false;
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
  OnMeta on_meta;
};

// All ops; ids are indices.
const std::vector<OpEntry>& op_table();

// Enters an op when the library is loaded: `static Register add{"add", run, row};` or FLAMBEAU_OP.
struct Register {
  Register(const char* name, OpFn fn, int row = 0, OnMeta on_meta = OnMeta::Refuse);
};

// FLAMBEAU_OP(cat) { ... call ... }, or FLAMBEAU_OP(cat, OnMeta::Serve) once nothing in it but parallel(), kernels and
// the functions of data.h touches elements, or only after it has asked dry_run().
#define FLAMBEAU_OP(name, ...)                                                                       \
  static void op_##name(Call& call);                                                                 \
  static const ::flambeau::Register register_##name{#name, op_##name, 0 __VA_OPT__(, ) __VA_ARGS__}; \
  static void op_##name(Call& call)

}  // namespace flambeau
