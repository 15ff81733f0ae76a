// The plan of every pointwise op: result type and shape, then tiles of contiguous elements of one compute type through
// the kernel of the row. A row of kernels/pointwise.def is all that a new op needs here.
#include <algorithm>
#include <atomic>

#include "core/caches.h"
#include "kernels/kernels.h"
#include "ops/data.h"
#include "ops/layout.h"
#include "ops/overlap.h"
#include "ops/promotion.h"
#include "ops/registry.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

constexpr int64_t kTile = 1024;
constexpr int64_t kGrain = 32 * 1024;
constexpr int kMaxArity = kMaxPointwiseArity;
constexpr int kMaxParams = kMaxPointwiseParams;

// An operand on its way into a kernel.
struct Input {
  const char* base = nullptr;
  DType dtype = DType::F32;    // in memory
  DType compute = DType::F32;  // in the kernel
  Walk walk;
  bool direct = false;    // the kernel reads the memory itself
  bool constant = false;  // one value: its tile is filled once
  alignas(16) char value[16];
};

struct Plan {
  PointwiseFn fn;
  int arity;
  Input in[kMaxArity];
  const double* params;
  char* out;
  DType out_dtype, out_compute;
  Walk out_walk;
  bool out_direct;
  bool streaming;  // large enough to be written past the caches
  bool itself;     // ... by the kernel, not tile by tile after it

  // Operands whose whole numbers are divided by: a zero among them is told here.
  std::atomic<bool>* zero_divisor;

  // Elements i to i + n of operand k as the kernel reads them; `tile` and `raw` have room for a tile each.
  const void* operand(int k, int64_t i, int64_t n, char* tile, char* raw) const;
  void run(int64_t begin, int64_t end) const;
  void look_for_zeros(int64_t begin, int64_t end) const;
};

void fill_tile(char* tile, const char* value, int item, int64_t n) {
  for (int64_t i = 0; i < n; i++) std::memcpy(tile + i * item, value, static_cast<size_t>(item));
}

const void* Plan::operand(int k, int64_t i, int64_t n, char* tile, char* raw) const {
  const Input& x = in[k];
  const int item = item_size(x.dtype);
  if (x.constant) return tile;  // filled before
  if (x.direct) return x.base + i * item;
  if (x.dtype == x.compute) {
    x.walk.gather(x.base, item, i, n, tile);
    return tile;
  }
  const char* from = x.base + i * item;
  if (!x.walk.contiguous) {
    x.walk.gather(x.base, item, i, n, raw);
    from = raw;
  }
  kernels().convert.convert(x.dtype, x.compute, n, from, tile);
  return tile;
}

bool has_zero(const void* values, int64_t n) {
  uint8_t all;
  kernels().reduce.rows[static_cast<int>(Reduce::All)][static_cast<int>(Compute::I64)](1, n, n, values, &all);
  return all == 0;
}

void Plan::run(int64_t begin, int64_t end) const {
  const auto& convert = kernels().convert.convert;
  const auto& stream = kernels().convert.stream;
  const bool direct_out = out_direct && (!streaming || itself);
  alignas(64) char tiles[kMaxArity][kTile * 16];
  alignas(64) char raw[kTile * 16];
  alignas(64) char result[kTile * 16];
  bool whole = direct_out && !zero_divisor;
  for (int k = 0; k < arity; k++) {
    if (in[k].constant) fill_tile(tiles[k], in[k].value, item_size(in[k].compute), std::min(kTile, end - begin));
    whole = whole && in[k].direct;
  }
  const int out_item = item_size(out_dtype);
  const int64_t step = whole ? end - begin : kTile;
  for (int64_t i = begin; i < end; i += step) {
    const int64_t n = std::min(step, end - i);
    const void* operands[kMaxArity];
    for (int k = 0; k < arity; k++) operands[k] = operand(k, i, n, tiles[k], raw);
    if (zero_divisor && has_zero(operands[1], n)) zero_divisor->store(true, std::memory_order_relaxed);
    char* direct = out + i * out_item;
    if (direct_out) {
      fn(n, operands, direct, params, streaming);
      continue;
    }
    fn(n, operands, result, params, false);
    const char* stored = result;
    if (out_dtype != out_compute) {
      char* target = streaming || !out_walk.contiguous ? raw : direct;
      convert(out_compute, out_dtype, n, result, target);
      stored = target;
    }
    if (streaming)
      stream(n * out_item, stored, direct);
    else if (!out_walk.contiguous)
      out_walk.scatter(out, out_item, i, n, stored);
  }
  if (streaming) kernels().convert.stream_end();
}

void Plan::look_for_zeros(int64_t begin, int64_t end) const {
  alignas(64) char tile[kTile * 16], raw[kTile * 16];
  for (int64_t i = begin; i < end; i += kTile) {
    const int64_t n = std::min(kTile, end - i);
    if (in[1].constant) fill_tile(tile, in[1].value, item_size(in[1].compute), n);
    if (has_zero(operand(1, i, n, tile, raw), n)) zero_divisor->store(true, std::memory_order_relaxed);
  }
}

// Whether the row's first operand is a mask of bytes.
bool masked(const PointwiseRow& row) { return row.rule == TypeRule::Where; }

DType computed_dtype(const PointwiseRow& row, DType common) {
  if (row.rule == TypeRule::Float && !is_float(common) && !is_complex(common)) return default_dtype();
  return common;
}

DType result_dtype(const PointwiseRow& row, DType common) {
  if (row.result == Result::Bool) return DType::Bool;
  if (row.result == Result::Real) return real_of(common);
  return common;
}

Walk walk_of(const Tensor& t, const Dims& sizes, const int* order) {
  return make_walk(permuted(sizes, order), permuted(broadcast_strides(t, sizes), order));
}

void check_divisor(const std::atomic<bool>& zero) {
  FLAMBEAU_CHECK(!zero.load(std::memory_order_relaxed), Kind::Runtime, "ZeroDivisionError");
}

void pointwise(Call& call) {
  const PointwiseRow& row = kPointwiseRows[call.row / 2];
  const bool in_place = call.row % 2 == 1;
  Operand operands[kMaxArity];
  Ref copies[kMaxArity];
  ResultType promotion;
  for (int k = 0; k < row.arity; k++) {
    operands[k] = call.operand();
    if (!(k == 0 && masked(row))) promotion.add(operands[k]);
  }
  double params[kMaxParams] = {};
  for (int k = 0; k < row.params; k++) params[k] = call.number();

  const DType common = computed_dtype(row, promotion.get());
  const Compute compute = compute_of(common);
  const PointwiseFn fn = kernels().pointwise.fn[call.row / 2][static_cast<int>(compute)];
  FLAMBEAU_CHECK(fn && (common != DType::Bool || row.bool_ok), Kind::Runtime, "\"%s\" not implemented for '%s'",
                 row.name, scalar_name(common));

  Dims sizes;
  const Tensor* first = nullptr;
  bool same = true;  // all tensors have one layout and are row-major
  for (int k = 0; k < row.arity; k++) {
    const Tensor* t = operands[k].tensor;
    if (!t) continue;
    if (!first) {
      first = t;
      sizes = t->sizes;
      same = t->contiguous();
    } else if (t->sizes != sizes) {
      sizes = broadcast_sizes(sizes, t->sizes);
      same = false;
    } else {
      same = same && t->contiguous();
    }
  }
  FLAMBEAU_CHECK(in_place ? operands[0].tensor : first, Kind::Type, "%s(): expected a tensor", row.name);

  const DType dtype = result_dtype(row, common);
  Ref out;
  int order[kMaxDims];
  for (int d = 0; d < sizes.size(); d++) order[d] = d;
  if (in_place) {
    Tensor& self = *operands[0].tensor;
    FLAMBEAU_CHECK(sizes == self.sizes, Kind::Runtime, "output with shape %s doesn't match the broadcast shape %s",
                   show(self.sizes).c_str(), show(sizes).c_str());
    FLAMBEAU_CHECK(can_cast(dtype, self.dtype), Kind::Runtime,
                   "result type %s can't be cast to the desired output type %s", scalar_name(dtype),
                   scalar_name(self.dtype));
    check_writable(self);
    for (int k = 1; k < row.arity; k++) {
      const Tensor* t = operands[k].tensor;
      if (!t || t->storage != self.storage) continue;
      check_no_partial_overlap(self, *t);
      if (same_places(self, *t) || !may_overlap(self, *t)) continue;
      copies[k] = clone(*t);
      operands[k].tensor = copies[k].get();
    }
    out = share(self);
    if (!same) memory_order(self.sizes, self.strides, order);
  } else if (same) {
    out = empty(sizes, dtype);
  } else {
    // The result takes the memory order of the first operand that spans the whole shape, as PyTorch's does.
    const Tensor* guide = nullptr;
    for (int k = 0; k < row.arity && !guide; k++)
      if (operands[k].tensor && operands[k].tensor->sizes == sizes) guide = operands[k].tensor;
    if (guide) memory_order(guide->sizes, guide->strides, order);
    const Dims ordered = contiguous_strides(permuted(sizes, order));
    Dims strides(sizes.size());
    for (int d = 0; d < sizes.size(); d++) strides[order[d]] = ordered[d];
    out = empty_strided(sizes, strides, dtype);
  }

  if (out->numel > 0 && !dry_run()) {
    Plan plan;
    plan.fn = fn;
    plan.arity = row.arity;
    plan.params = params;
    for (int k = 0; k < row.arity; k++) {
      Input& x = plan.in[k];
      x.compute = k == 0 && masked(row) ? DType::Bool : dtype_of(compute);
      const Tensor* t = operands[k].tensor;
      if (!t) {
        x.constant = true;
        operands[k].scalar.store(x.compute, x.value);
        continue;
      }
      x.base = t->data();
      x.dtype = t->dtype;
      if (same) {
        x.walk.contiguous = true;
      } else {
        x.walk = walk_of(*t, sizes, order);
        if (x.walk.constant) {
          x.constant = true;
          kernels().convert.convert(x.dtype, x.compute, 1, x.base, x.value);
        }
      }
      x.direct = x.walk.contiguous && x.dtype == x.compute;
    }
    plan.out = out->data();
    plan.out_dtype = out->dtype;
    plan.out_compute = row.result == Result::Bool   ? DType::Bool
                       : row.result == Result::Real ? real_of(dtype_of(compute))
                                                    : dtype_of(compute);
    if (same)
      plan.out_walk.contiguous = true;
    else
      plan.out_walk = walk_of(*out, sizes, order);
    plan.out_direct = plan.out_walk.contiguous && plan.out_dtype == plan.out_compute;
    plan.streaming = !in_place && plan.out_walk.contiguous && out->numel * item_size(out->dtype) >= stream_from();
    plan.itself = streams_itself(row, compute);
    std::atomic<bool> zero{false};
    plan.zero_divisor = row.divides && compute == Compute::I64 ? &zero : nullptr;
    if (plan.zero_divisor && in_place) {  // nothing may have been written when it fails
      parallel(0, out->numel, kGrain, [&](int64_t b, int64_t e) { plan.look_for_zeros(b, e); });
      check_divisor(zero);
      plan.zero_divisor = nullptr;
    }
    // By tiles, so that every thread starts at an aligned place.
    const int64_t n = out->numel;
    parallel(0, (n + kTile - 1) / kTile, kGrain / kTile,
             [&](int64_t b, int64_t e) { plan.run(b * kTile, std::min(e * kTile, n)); });
    check_divisor(zero);
  }
  if (in_place)
    out->bump();
  else
    call.result(std::move(out));
}

// Each row gives two ops: name and name_ (in place on the first operand).
const struct Rows {
  Rows() {
    for (int i = 0; i < kPointwiseCount; i++) {
      Register(kPointwiseRows[i].name, pointwise, 2 * i, OnMeta::Serve);
      if (!masked(kPointwiseRows[i]))
        Register((std::string(kPointwiseRows[i].name) + "_").c_str(), pointwise, 2 * i + 1, OnMeta::Serve);
    }
  }
} rows;

FLAMBEAU_OP(result_type, OnMeta::Free) {
  ResultType r;
  while (call.more()) r.add(call.operand());
  call.number(static_cast<double>(r.get()));
}

FLAMBEAU_OP(promote_types) {
  const DType a = call.dtype();
  call.number(static_cast<double>(promote(a, call.dtype())));
}

FLAMBEAU_OP(set_default_dtype) { set_default_dtype(call.dtype()); }

}  // namespace
}  // namespace flambeau
