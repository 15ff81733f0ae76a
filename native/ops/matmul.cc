// Matrix products over the blocked kernel: batches broadcast, any strides, no copies of transposed operands.
#include <algorithm>

#include "core/packed.h"
#include "kernels/kernels.h"
#include "ops/data.h"
#include "ops/layout.h"
#include "ops/promotion.h"
#include "ops/registry.h"
#include "ops/work.h"

namespace flambeau {
namespace {

DType product_dtype(DType t) {
  // Narrow integers and bool have no kernel of their own: products wrap in 64 bits and are cut afterwards.
  return is_float(t) || is_complex(t) ? t : DType::I64;
}

// The right operand as its kernel packs it, kept from call to call while it does not change.
PackedForm packed_right(const Tensor& b, const GemmArgs& g) {
  const int64_t bytes = kernels().gemm.packed_b_bytes(b.dtype, g);
  if (bytes == 0) return PackedForm();
  PackedKey key;
  key.offset = static_cast<const char*>(g.b) - static_cast<const char*>(b.storage->data);
  key.sizes[0] = g.k;
  key.sizes[1] = g.n;
  key.strides[0] = g.b_row;
  key.strides[1] = g.b_col;
  key.layout = static_cast<int32_t>(b.dtype);
  return packed_form(b.storage, key, bytes, [&](void* form) { kernels().gemm.pack_b(b.dtype, g, form); });
}

// c = alpha * a @ b + beta * c with a: [.., m, k], b: [.., k, n], c: [.., m, n]; batch dimensions broadcast to those of
// c, which is row-major in its batch dimensions.
void multiply(const Tensor& a, const Tensor& b, Tensor& c, GemmScalar alpha, GemmScalar beta, const void* col_bias) {
  const int nd = c.ndim();
  GemmArgs g;
  g.m = c.sizes[nd - 2];
  g.n = c.sizes[nd - 1];
  g.k = a.sizes[a.ndim() - 1];
  g.a_row = a.strides[a.ndim() - 2];
  g.a_col = a.strides[a.ndim() - 1];
  g.b_row = b.strides[b.ndim() - 2];
  g.b_col = b.strides[b.ndim() - 1];
  g.c_row = c.strides[nd - 2];
  g.c_col = c.strides[nd - 1];
  g.alpha = alpha;
  g.beta = beta;
  g.col_bias = col_bias;
  if (c.numel == 0) return;
  count_work(static_cast<double>(c.numel) * static_cast<double>(g.k));
  Dims batch(c.sizes.data(), nd - 2);
  const auto batch_walk = [&](const Tensor& t) {
    Dims strides(batch.size());
    const int own = t.ndim() - 2;
    for (int d = 0; d < batch.size(); d++) {
      const int at = d - (batch.size() - own);
      strides[d] = at < 0 || t.sizes[at] == 1 ? 0 : t.strides[at];
    }
    return strides;
  };
  const Dims as = batch_walk(a), bs = batch_walk(b), cs = batch_walk(c);
  // The innermost batch dimensions that all three operands step through evenly go to the kernel as one batch.
  int64_t inner = 1;
  int outer_dims = batch.size();
  int64_t steps[3] = {0, 0, 0};
  for (int d = batch.size() - 1; d >= 0; d--) {
    if (batch[d] == 1) {
      outer_dims = d;
      continue;
    }
    const int64_t now[3] = {as[d], bs[d], cs[d]};
    if (inner == 1)
      std::copy(now, now + 3, steps);
    else if (now[0] != steps[0] * inner || now[1] != steps[1] * inner || now[2] != steps[2] * inner)
      break;
    inner *= batch[d];
    outer_dims = d;
  }
  g.batch = inner;
  g.a_batch = steps[0];
  g.b_batch = steps[1];
  g.c_batch = steps[2];
  int64_t outer = 1;
  for (int d = 0; d < outer_dims; d++) outer *= batch[d];
  const int item = item_size(c.dtype);
  for (int64_t i = 0; i < outer; i++) {
    int64_t rest = i, oa = 0, ob = 0, oc = 0;
    for (int d = outer_dims - 1; d >= 0; d--) {
      const int64_t index = rest % batch[d];
      rest /= batch[d];
      oa += index * as[d];
      ob += index * bs[d];
      oc += index * cs[d];
    }
    g.a = a.data() + oa * item;
    g.b = b.data() + ob * item;
    g.c = c.data() + oc * item;
    const PackedForm form = packed_right(b, g);
    g.packed_b = form.data();
    kernels().gemm.gemm(c.dtype, g);
  }
}

Dims product_sizes(const Tensor& a, const Tensor& b) {
  Dims sizes = broadcast_sizes(Dims(a.sizes.data(), a.ndim() - 2), Dims(b.sizes.data(), b.ndim() - 2));
  sizes.push_back(a.sizes[a.ndim() - 2]);
  sizes.push_back(b.sizes[b.ndim() - 1]);
  return sizes;
}

// A type as PyTorch's product of matrices names it: by the type of C++.
const char* plain_name(DType t) {
  switch (t) {
    case DType::F32: return "float";
    case DType::F64: return "double";
    case DType::F16: return "c10::Half";
    case DType::BF16: return "c10::BFloat16";
    case DType::C64: return "c10::complex<float>";
    case DType::C128: return "c10::complex<double>";
    case DType::I64: return "long int";
    case DType::I32: return "int";
    case DType::I16: return "short int";
    case DType::I8: return "signed char";
    case DType::U8: return "unsigned char";
    case DType::Bool: return "bool";
  }
  return "?";
}

void check_pair(const char* name, const Tensor& a, const Tensor& b) {
  FLAMBEAU_CHECK(a.dtype == b.dtype, Kind::Runtime, "expected m1 and m2 to have the same dtype, but got: %s != %s",
                 plain_name(a.dtype), plain_name(b.dtype));
  FLAMBEAU_CHECK(a.ndim() >= 2 && b.ndim() >= 2, Kind::Runtime, "%s: both arguments must be matrices", name);
}

// The product of vectors, matrices and batches of matrices, as PyTorch's matmul combines them.
FLAMBEAU_OP(matmul, OnMeta::Serve) {
  const Tensor& given_a = call.tensor();
  const Tensor& given_b = call.tensor();
  // A vector takes part as a row on the left, as a column on the right; its dimension of size one leaves the result.
  const bool row = given_a.ndim() == 1, column = given_b.ndim() == 1;
  const Ref left =
      row ? view_of(given_a, Dims{1, given_a.sizes[0]}, Dims{0, given_a.strides[0]}, given_a.offset) : share(given_a);
  const Ref right = column ? view_of(given_b, Dims{given_b.sizes[0], 1}, Dims{given_b.strides[0], 0}, given_b.offset)
                           : share(given_b);
  const Tensor& a = *left;
  const Tensor& b = *right;
  check_pair("matmul", a, b);
  using Int = long long;
  const int64_t k = a.sizes[a.ndim() - 1];
  if (k != b.sizes[b.ndim() - 2]) {
    if (a.ndim() == 2 && b.ndim() == 2)
      fail(Kind::Runtime, "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)",
           static_cast<Int>(a.sizes[0]), static_cast<Int>(k), static_cast<Int>(b.sizes[0]),
           static_cast<Int>(b.sizes[1]));
    fail(Kind::Runtime,
         "Expected size for first two dimensions of batch2 tensor to be: [%lld, %lld] but got: [%lld, %lld].",
         static_cast<Int>(a.ndim() > 2 ? a.sizes[a.ndim() - 3] : 1), static_cast<Int>(k),
         static_cast<Int>(b.ndim() > 2 ? b.sizes[b.ndim() - 3] : 1), static_cast<Int>(b.sizes[b.ndim() - 2]));
  }
  const DType dtype = product_dtype(a.dtype);
  const Ref x = dtype == a.dtype ? left : contiguous(a, dtype);
  const Ref y = dtype == b.dtype ? right : contiguous(b, dtype);
  Ref out = empty(product_sizes(a, b), dtype);
  multiply(*x, *y, *out, 1.0, 0.0, nullptr);
  if (row || column) {
    Dims sizes = out->sizes;
    if (column) sizes.erase(sizes.size() - 1);
    if (row) sizes.erase(sizes.size() - (column ? 1 : 2));
    out->sizes = sizes;
    out->strides = contiguous_strides(sizes);
  }
  call.result(contiguous(*out, a.dtype));
}

GemmScalar factor(const Scalar& s) {
  GemmScalar g(s.re, s.im);
  g.integer = s.integer();
  return g;
}

// alpha * a @ b + beta * input, input broadcast to the product: addmm, baddbmm.
FLAMBEAU_OP(addmm, OnMeta::Serve) {
  const Tensor& input = call.tensor();
  const Tensor& a = call.tensor();
  const Tensor& b = call.tensor();
  const Scalar beta = call.scalar();
  const Scalar alpha = call.scalar();
  using Int = long long;
  FLAMBEAU_CHECK(input.dtype == b.dtype, Kind::Runtime, "self and mat2 must have the same dtype, but got %s and %s",
                 scalar_name(input.dtype), scalar_name(b.dtype));
  FLAMBEAU_CHECK(a.dtype == b.dtype, Kind::Runtime, "mat1 and mat2 must have the same dtype, but got %s and %s",
                 scalar_name(a.dtype), scalar_name(b.dtype));
  check_fits(beta, a.dtype);
  check_fits(alpha, a.dtype);
  FLAMBEAU_CHECK(a.sizes[a.ndim() - 1] == b.sizes[b.ndim() - 2], Kind::Runtime,
                 "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)",
                 static_cast<Int>(a.sizes[a.ndim() - 2]), static_cast<Int>(a.sizes[a.ndim() - 1]),
                 static_cast<Int>(b.sizes[b.ndim() - 2]), static_cast<Int>(b.sizes[b.ndim() - 1]));
  const DType dtype = product_dtype(a.dtype);
  const Ref x = dtype == a.dtype ? share(a) : contiguous(a, dtype);
  const Ref y = dtype == b.dtype ? share(b) : contiguous(b, dtype);
  Ref out = empty(product_sizes(a, b), dtype);
  const Ref wide = expanded(input, out->sizes);
  const bool scaled = beta.re != 0 || beta.im != 0;
  const int n = out->ndim();
  // A bias along the columns joins in the write-back; anything else is copied first and accumulated onto.
  const bool bias = scaled && beta.re == 1 && beta.im == 0 && input.ndim() == 1 &&
                    input.sizes[0] == out->sizes[n - 1] && input.strides[0] == 1 && input.dtype == dtype;
  if (bias) {
    multiply(*x, *y, *out, factor(alpha), 0.0, input.data());
  } else {
    if (scaled) copy_elements(*out, *wide);
    multiply(*x, *y, *out, factor(alpha), scaled ? factor(beta) : GemmScalar(0.0), nullptr);
  }
  call.result(contiguous(*out, a.dtype));
}

// x @ w^T + bias over the last dimension, in one product with the bias in its write-back. x: [.., in], w: [out, in].
FLAMBEAU_OP(linear, OnMeta::Serve) {
  const Tensor& x = call.tensor();
  const Tensor& w = call.tensor();
  const Tensor* bias = call.tensor_or_null();
  using Int = long long;
  FLAMBEAU_CHECK(x.ndim() >= 1 && w.ndim() == 2, Kind::Runtime, "linear(): expected a matrix as weight, got %s",
                 show(w.sizes).c_str());
  FLAMBEAU_CHECK(x.dtype == w.dtype, Kind::Runtime, "mat1 and mat2 must have the same dtype, but got %s and %s",
                 scalar_name(x.dtype), scalar_name(w.dtype));
  const int64_t in = x.sizes[x.ndim() - 1], out_features = w.sizes[0];
  int64_t rows = 1;
  for (int d = 0; d + 1 < x.ndim(); d++) rows *= x.sizes[d];
  FLAMBEAU_CHECK(in == w.sizes[1], Kind::Runtime, "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)",
                 static_cast<Int>(rows), static_cast<Int>(in), static_cast<Int>(w.sizes[1]),
                 static_cast<Int>(out_features));
  if (bias) {
    FLAMBEAU_CHECK(bias->dtype == x.dtype, Kind::Runtime, "linear(): bias has the type %s, expected %s",
                   scalar_name(bias->dtype), scalar_name(x.dtype));
    FLAMBEAU_CHECK(bias->ndim() == 1 && bias->sizes[0] == out_features, Kind::Runtime,
                   "The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension 1",
                   static_cast<Int>(out_features), static_cast<Int>(bias->numel));
  }
  const DType dtype = product_dtype(x.dtype);
  const Ref input = x.ndim() == 2 && dtype == x.dtype ? share(x) : contiguous(x, dtype);
  const Ref flat = input->ndim() == 2 ? input : view_of(*input, Dims{rows, in}, Dims{in, 1}, input->offset);
  const Ref weight = dtype == w.dtype ? share(w) : contiguous(w, dtype);
  const Ref turned =
      view_of(*weight, Dims{in, out_features}, Dims{weight->strides[1], weight->strides[0]}, weight->offset);
  const Ref shift = bias ? contiguous(*bias, dtype) : Ref();
  Dims sizes = x.sizes;
  sizes[sizes.size() - 1] = out_features;
  Ref out = empty(sizes, dtype);
  const Ref flat_out = view_of(*out, Dims{rows, out_features}, Dims{out_features, 1}, 0);
  multiply(*flat, *turned, *flat_out, 1.0, 0.0, shift ? shift->data() : nullptr);
  call.result(contiguous(*out, x.dtype));
}

}  // namespace
}  // namespace flambeau
