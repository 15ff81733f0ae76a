// Scaled dot-product attention and its gradients: shapes, the masks' broadcasting, working memory.
#include <algorithm>

#include "core/dry_run.h"
#include "kernels/kernels.h"
#include "ops/data.h"
#include "ops/layout.h"
#include "ops/promotion.h"
#include "ops/registry.h"
#include "ops/work.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

using Int = long long;

// Pairs of a query and a key that make a second thread worth waking.
constexpr double kPairs = 2048;

// x: [B, H, rows, columns]
AttentionOperand operand(const Tensor& x) { return {x.data(), x.strides[0], x.strides[1], x.strides[2], x.strides[3]}; }

int lanes(const AttentionArgs& a) {
  const double pairs =
      static_cast<double>(a.batch * a.heads) * static_cast<double>(a.rows) * static_cast<double>(a.keys);
  const double most = pairs / kPairs + 1;
  return most < num_threads() ? static_cast<int>(most) : num_threads();
}

// A fresh [B, H, rows, width] tensor that lies in memory as `like` does: heads outermost, or rows outside of the heads
// ([B, L, H, E], or [L, B, H, E]), which is how projections give and want them.
Ref tensor_like(const AttentionOperand& like, int64_t batch, int64_t heads, int64_t rows, int64_t width, DType type) {
  const Dims sizes{batch, heads, rows, width};
  if (heads == 1 || like.row <= like.head) return empty(sizes, type);
  if (batch > 1 && like.batch < like.row)
    return empty_strided(sizes, Dims{heads * width, width, batch * heads * width, 1}, type);
  return empty_strided(sizes, Dims{rows * heads * width, width, heads * width, 1}, type);
}

uint64_t seed_of(const Tensor& seed) { return static_cast<uint64_t>(*seed.as<int64_t>()); }

struct Inputs {
  AttentionArgs a;
  Ref mask;  // expanded

  // q: [B, H, L, E], k: [B, Hk, S, E], v: [B, Hk, S, Ev] with Hk dividing H, mask or null, seed (int64 [1]) or null,
  // dropout, causal, scale.
  explicit Inputs(Call& call) {
    const Tensor& q = call.tensor();
    const Tensor& k = call.tensor();
    const Tensor& v = call.tensor();
    const Tensor* given = call.tensor_or_null();
    const Tensor* seed = call.tensor_or_null();
    a.dropout = call.number();
    a.causal = call.flag();
    a.scale = call.number();
    FLAMBEAU_CHECK(q.ndim() == 4 && k.ndim() == 4 && v.ndim() == 4 && q.dtype == k.dtype && q.dtype == v.dtype,
                   Kind::Runtime, "attention: expected query, key and value of four dimensions and one type");
    FLAMBEAU_CHECK(is_float(q.dtype), Kind::Runtime, "expected scalar type Float but found %s", scalar_name(q.dtype));
    a.type = q.dtype;
    a.batch = q.sizes[0];
    a.heads = q.sizes[1];
    a.rows = q.sizes[2];
    a.width = q.sizes[3];
    a.keys = k.sizes[2];
    a.value_width = v.sizes[3];
    const int64_t key_heads = k.sizes[1];
    FLAMBEAU_CHECK(k.sizes[0] == a.batch && v.sizes[0] == a.batch && v.sizes[1] == key_heads &&
                       (a.heads == 0 || (key_heads > 0 && a.heads % key_heads == 0)) && k.sizes[3] == a.width &&
                       v.sizes[2] == a.keys,
                   Kind::Runtime, "attention: query %s, key %s and value %s do not fit together", show(q.sizes).c_str(),
                   show(k.sizes).c_str(), show(v.sizes).c_str());
    a.group = key_heads > 0 ? std::max<int64_t>(1, a.heads / key_heads) : 1;
    a.q = operand(q);
    a.k = operand(k);
    a.v = operand(v);
    if (given) {
      FLAMBEAU_CHECK(given->dtype == DType::Bool || is_float(given->dtype), Kind::Runtime,
                     "attention: a mask of type %s", scalar_name(given->dtype));
      const Dims sizes{a.batch, a.heads, a.rows, a.keys};
      FLAMBEAU_CHECK(given->ndim() <= 4 && broadcast_sizes(sizes, given->sizes) == sizes, Kind::Runtime,
                     "The expanded size of the tensor must match the existing size: %s cannot be expanded to %s",
                     show(given->sizes).c_str(), show(sizes).c_str());
      mask = view_of(*given, sizes, broadcast_strides(*given, sizes), given->offset);
      a.mask = operand(*mask);
      a.mask_type = given->dtype;
    }
    if (seed && a.dropout > 0) {
      FLAMBEAU_CHECK(seed->dtype == DType::I64 && seed->numel == 1, Kind::Runtime, "attention: the seed is one int64");
      if (!dry_run()) a.seed = seed_of(*seed);
    }
    FLAMBEAU_CHECK(a.dropout >= 0 && a.dropout <= 1, Kind::Runtime,
                   "dropout probability has to be between 0 and 1, but got %g", a.dropout);
  }
};

// Pairs of a query and a key. Those that a mask leaves out count too, as in PyTorch's counts.
double pairs(const AttentionArgs& a) {
  return static_cast<double>(a.batch * a.heads) * static_cast<double>(a.rows) * static_cast<double>(a.keys);
}

Ref room_of(int64_t bytes) { return empty(Dims{bytes}, DType::U8); }

// attention(q, k, v, mask, seed, dropout, causal, scale, wide) -> out [B, H, L, Ev], lse [B, H, L]. wide: the result of
// half types in float32, as backward wants it.
FLAMBEAU_OP(attention, OnMeta::Serve) {
  Inputs in(call);
  AttentionArgs& a = in.a;
  a.out_type = call.flag() ? dtype_of(compute_of(a.type)) : a.type;
  Ref out = tensor_like(a.q, a.batch, a.heads, a.rows, a.value_width, a.out_type);
  Ref lse = empty(Dims{a.batch, a.heads, a.rows}, dtype_of(compute_of(a.type)));
  if (out->numel > 0 && a.keys == 0) {
    fill(*out, Scalar::of(int64_t{0}));
  } else if (out->numel > 0) {
    a.out = operand(*out);
    a.lse = lse->data();
    count_work(pairs(a) * static_cast<double>(a.width + a.value_width));
    const int threads = lanes(a);
    const auto& kernel = kernels().attention;
    const Ref room = room_of(kernel.forward_room(a, threads));
    kernel.forward(a, threads, room->data());
  }
  call.result(std::move(out));
  call.result(std::move(lse));
}

// attention_backward(q, k, v, mask, seed, dropout, causal, scale, g, out, lse) -> the gradients of q, k and v.
FLAMBEAU_OP(attention_backward, OnMeta::Serve) {
  Inputs in(call);
  AttentionArgs& a = in.a;
  const Tensor& g = call.tensor();
  const Tensor& out = call.tensor();
  const Tensor& lse = call.tensor();
  const Dims sizes{a.batch, a.heads, a.rows, a.value_width};
  FLAMBEAU_CHECK(g.sizes == sizes && g.dtype == a.type && out.sizes == sizes &&
                     (out.dtype == a.type || out.dtype == dtype_of(compute_of(a.type))),
                 Kind::Runtime, "attention backward: gradient of size %s for a result of size %s",
                 show(g.sizes).c_str(), show(sizes).c_str());
  FLAMBEAU_CHECK((lse.sizes == Dims{a.batch, a.heads, a.rows} && lse.dtype == dtype_of(compute_of(a.type))),
                 Kind::Runtime, "attention backward: the sums do not fit the result");
  Ref gq = tensor_like(a.q, a.batch, a.heads, a.rows, a.width, a.type);
  Ref gk = tensor_like(a.k, a.batch, a.heads / a.group, a.keys, a.width, a.type);
  Ref gv = tensor_like(a.v, a.batch, a.heads / a.group, a.keys, a.value_width, a.type);
  if (out.numel > 0 && a.keys > 0) {
    AttentionGradients to;
    to.out = operand(g);
    to.q = operand(*gq);
    to.k = operand(*gk);
    to.v = operand(*gv);
    a.out = operand(out);
    a.out_type = out.dtype;
    const Ref sums = contiguous(lse);
    a.lse = sums->data();
    // The scores and the weights' gradients once more, and the three results.
    count_work(pairs(a) * static_cast<double>(3 * a.width + 2 * a.value_width));
    const int threads = lanes(a);
    const auto& kernel = kernels().attention;
    const Ref room = room_of(kernel.backward_room(a, threads));
    kernel.backward(a, to, threads, room->data());
  } else {
    for (const Ref& t : {gq, gk, gv}) fill(*t, Scalar::of(int64_t{0}));
  }
  call.result(std::move(gq));
  call.result(std::move(gk));
  call.result(std::move(gv));
}

// attention_dropout(seed, [.., L, S], p, dtype): the factors that attention multiplied its weights with.
FLAMBEAU_OP(attention_dropout, OnMeta::Serve) {
  const Tensor& seed = call.tensor();
  const Dims sizes = call.dims();
  const double p = call.number();
  const DType type = call.dtype();
  FLAMBEAU_CHECK(
      sizes.size() >= 2 && (type == DType::F32 || type == DType::F64) && seed.dtype == DType::I64 && seed.numel == 1,
      Kind::Runtime, "attention_dropout: unexpected arguments");
  Ref out = empty(sizes, type);
  const int64_t rows = sizes[sizes.size() - 2], keys = sizes[sizes.size() - 1];
  if (out->numel > 0)
    kernels().attention.dropout(type, out->numel / (rows * keys), rows, keys, p, dry_run() ? 0 : seed_of(seed),
                                out->data());
  call.result(std::move(out));
}

}  // namespace
}  // namespace flambeau
