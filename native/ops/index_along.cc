// Indexing along one dimension by a vector of positions: index_select, index_add_, index_copy_, index_fill_,
// index_reduce_; and embedding.
#include "ops/index_selection.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

using Int = long long;

constexpr int64_t kGrain = 16 * 1024;

// Checks the index of the ops that take one vector.
void check_vector(const Tensor& index, const char* op) {
  FLAMBEAU_CHECK(index.ndim() <= 1, Kind::Range, "%s: Index is supposed to be a vector", op);
  FLAMBEAU_CHECK(index.dtype == DType::I64 || index.dtype == DType::I32, Kind::Runtime,
                 "%s: Expected dtype int32/int64 for index but got: %s", op, scalar_name(index.dtype));
}

// index_select(x, dim, index [n])
FLAMBEAU_OP(index_select, OnMeta::Indexed) {
  const Tensor& x = call.tensor();
  const int d = wrap_dim(call.integer(), x.ndim());
  Tensor& index = call.tensor();
  check_vector(index, "index_select()");
  const Ref lifted = at_least_1d(x);
  const Ref positions = at_least_1d(index);
  if (x.ndim() == 0)
    FLAMBEAU_CHECK(index.numel == 1, Kind::Runtime,
                   "index_select(): Index to scalar can have only 1 value, got %lld value(s)",
                   static_cast<Int>(index.numel));
  const Ref out = get(*lifted, select(*lifted, {d}, {positions.get()}, Bounds::Plain, nullptr));
  call.result(x.ndim() > 0 ? out : view_of(*out, Dims{}, Dims{}, out->offset));
}

// embedding(weight [V, D], index [..]) -> [.., D]
FLAMBEAU_OP(embedding, OnMeta::Indexed) {
  const Tensor& weight = call.tensor();
  Tensor& index = call.tensor();
  FLAMBEAU_CHECK(weight.ndim() == 2, Kind::Runtime, "'weight' must be 2-D");
  // PyTorch has no name of the older kind, torch.FloatTensor, for these.
  const bool young = is_complex(index.dtype) || index.dtype == DType::Bool || index.dtype == DType::BF16;
  FLAMBEAU_CHECK(index.dtype == DType::I64 || index.dtype == DType::I32, Kind::Runtime,
                 "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but "
                 "got %s%s%s instead (while checking arguments for embedding)",
                 young ? "CPU" : "torch.", scalar_name(index.dtype), young ? "Type" : "Tensor");
  call.result(get(weight, select(weight, {0}, {&index}, Bounds::Plain, nullptr)));
}

// The source of index_add_ and its kin, checked against self and index: sizes equal but for the dimension.
void check_source(const Tensor& self, int dim, const Tensor& index, const Tensor& source, const char* op) {
  check_vector(index, op);
  FLAMBEAU_CHECK(self.dtype == source.dtype, Kind::Runtime,
                 "%s: self (%s) and source (%s) must have the same scalar type", op, scalar_name(self.dtype),
                 scalar_name(source.dtype));
  const int64_t n = source.ndim() == 0 ? 1 : dim < source.ndim() ? source.sizes[dim] : -1;
  FLAMBEAU_CHECK(index.numel == n, Kind::Range,
                 "%s: Number of indices (%lld) should be equal to source.size(dim): (%lld), for dim: %d", op,
                 static_cast<Int>(index.numel), static_cast<Int>(n), dim);
  bool same = source.ndim() == self.ndim() || (source.ndim() <= 1 && self.ndim() <= 1);
  for (int d = 0; same && d < self.ndim() && d < source.ndim(); d++)
    same = d == dim || self.sizes[d] == source.sizes[d];
  FLAMBEAU_CHECK(same, Kind::Runtime,
                 "%s: source tensor shape must match self tensor shape, excluding the specified dimension. Got "
                 "self.shape = %s source.shape = %s",
                 op, show(self.sizes).c_str(), show(source.sizes).c_str());
}

// index_add_(self, dim, index, source, alpha)
FLAMBEAU_OP(index_add_, OnMeta::Indexed) {
  Tensor& self = call.tensor();
  const int d = wrap_dim(call.integer(), self.ndim());
  const Tensor& index = call.tensor();
  const Tensor& source = call.tensor();
  const Scalar alpha = call.scalar();
  check_writable(self);
  check_source(self, d, index, source, "index_add_()");
  check_fits(alpha, self.dtype);
  const DType dtype = dtype_of(compute_of(self.dtype));
  Workspace work(self, dtype);
  const Ref lifted = at_least_1d(*work);
  const Ref positions = at_least_1d(index);
  const Selection s = select(*lifted, {d}, {positions.get()}, Bounds::Plain, &self);
  Ref values = source_values(source, dtype, self);
  const bool unit = alpha.re == 1 && alpha.im == 0;
  if (!unit) {
    Ref scaled = empty(values->sizes, dtype);
    by_compute(compute_of(dtype), [&](auto zero) {
      using T = decltype(zero);
      T a;
      alpha.store(dtype, &a);
      const T* from = values->as<T>();
      T* to = scaled->as<T>();
      parallel(0, values->numel, kGrain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          T x = from[i];
          meet<Meet::Multiply>(x, a);
          to[i] = x;
        }
      });
    });
    values = std::move(scaled);
  }
  combine(*lifted, s, *values, Meet::Add);
  work.finish();
  self.bump();
}

// index_copy_(self, dim, index, source)
FLAMBEAU_OP(index_copy_, OnMeta::Indexed) {
  Tensor& self = call.tensor();
  const int d = wrap_dim(call.integer(), self.ndim());
  const Tensor& index = call.tensor();
  const Tensor& source = call.tensor();
  check_writable(self);
  check_source(self, d, index, source, "index_copy_()");
  const Ref lifted = at_least_1d(self);
  const Ref positions = at_least_1d(index);
  const Selection s = select(*lifted, {d}, {positions.get()}, Bounds::Wrapped, &self);
  assign(*lifted, s, *source_values(source, self.dtype, self));
  self.bump();
}

// index_fill_(self, dim, index, value): a number, or a tensor of no dimensions
FLAMBEAU_OP(index_fill_, OnMeta::Indexed) {
  Tensor& self = call.tensor();
  const int d = wrap_dim(call.integer(), self.ndim());
  const Tensor& index = call.tensor();
  const Operand value = call.operand();
  check_writable(self);
  check_vector(index, "index_fill_()");
  Ref one = empty(Dims{}, self.dtype);
  if (value.tensor) {
    FLAMBEAU_CHECK(value.tensor->ndim() == 0, Kind::Runtime,
                   "index_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).",
                   value.tensor->ndim());
    copy_elements(*one, *value.tensor);
  } else {
    FLAMBEAU_CHECK(!value.scalar.complex() || is_complex(self.dtype), Kind::Runtime,
                   "index_fill_(): Converting complex Scalar to non-complex type is not supported");
    fill(*one, value.scalar);
  }
  const Ref lifted = at_least_1d(self);
  const Ref positions = at_least_1d(index);
  assign(*lifted, select(*lifted, {d}, {positions.get()}, Bounds::Wrapped, &self), *one);
  self.bump();
}

// index_reduce_(self, dim, index, source, mode, mean, include_self): mode is a Meet
FLAMBEAU_OP(index_reduce_, OnMeta::Indexed) {
  Tensor& self = call.tensor();
  const int d = wrap_dim(call.integer(), self.ndim());
  const Tensor& index = call.tensor();
  const Tensor& source = call.tensor();
  const auto mode = static_cast<Meet>(call.integer());
  const bool mean = call.flag();
  const bool include_self = call.flag();
  check_writable(self);
  check_source(self, d, index, source, "index_reduce_()");
  FLAMBEAU_CHECK(!is_complex(self.dtype) || mode == Meet::Add || mode == Meet::Multiply, Kind::Runtime,
                 "index_reduce_(): complex tensors have no order");
  const DType dtype = dtype_of(compute_of(self.dtype));
  Workspace work(self, dtype);
  const Ref lifted = at_least_1d(*work);
  const Ref positions = at_least_1d(index);
  const Selection s = select(*lifted, {d}, {positions.get()}, Bounds::Plain, &self);
  const Ref values = source_values(source, dtype, self);
  if (!include_self) {
    Ref start = empty(Dims{}, dtype);
    fill(*start, identity_of(mode, self.dtype));
    assign(*lifted, s, *start);
  }
  combine(*lifted, s, *values, mode);
  if (mean) {
    Ref counts = empty(lifted->sizes, DType::I64);
    fill(*counts, Scalar::of(static_cast<int64_t>(include_self)));
    Ref one = empty(Dims{}, DType::I64);
    fill(*one, Scalar::of(int64_t{1}));
    combine(*counts, s, *one, Meet::Add);
    divide_by_counts(*lifted, counts->as<int64_t>());
  }
  work.finish();
  self.bump();
}

}  // namespace
}  // namespace flambeau
