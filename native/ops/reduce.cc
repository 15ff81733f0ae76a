// Reductions: a tensor is folded stage by stage. Its dimensions, in memory order, form alternating groups of kept and
// reduced ones; each stage removes the innermost reduced group with a kernel over rows (the group is innermost) or over
// columns (a kept group lies inside it), until none is left.
#include <algorithm>
#include <vector>

#include "kernels/kernels.h"
#include "ops/data.h"
#include "ops/layout.h"
#include "ops/promotion.h"
#include "ops/registry.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

constexpr int64_t kGrain = 16 * 1024;
// A long row is cut into blocks of this many elements: the cut depends on the length alone, so a result does not depend
// on the number of threads.
constexpr int64_t kBlock = 64 * 1024;

uint64_t dim_mask(const Dims& dims, int ndim) {
  if (dims.size() == 0) return ndim == 64 ? ~uint64_t{0} : (uint64_t{1} << ndim) - 1;
  uint64_t mask = 0;
  for (const int64_t dim : dims) {
    const int d = wrap_dim(dim, ndim);
    FLAMBEAU_CHECK(!(mask >> d & 1), Kind::Runtime, "dim %d appears multiple times in the list of dims", d);
    mask |= uint64_t{1} << d;
  }
  return ndim == 0 ? 0 : mask;
}

Dims reduced_sizes(const Tensor& t, uint64_t mask, bool keepdim) {
  Dims out;
  for (int d = 0; d < t.ndim(); d++) {
    if (!(mask >> d & 1))
      out.push_back(t.sizes[d]);
    else if (keepdim)
      out.push_back(1);
  }
  return out;
}

struct Group {
  bool reduced;
  int64_t size;
};

struct Stage {
  const char* in;
  DType dtype;  // of `in`
  int64_t numel;
  std::vector<Group> groups;  // outermost first, sizes > 1
};

DType reduce_dtype(Reduce op, DType compute) {
  if (op == Reduce::Any || op == Reduce::All) return DType::Bool;
  if (op == Reduce::CountNonzero) return DType::I64;
  return compute;
}

// What combines the partial results of `op`.
Reduce combining(Reduce op) {
  switch (op) {
    case Reduce::SumSquares:
    case Reduce::SumAbs:
    case Reduce::NanSum:
    case Reduce::CountNonzero: return Reduce::Sum;
    case Reduce::MaxAbs: return Reduce::Max;
    default: return op;
  }
}

// Any and All give bytes, which the kernels of the second stage would have to read as int64.
Ref widened(const Ref& t, Compute* compute) {
  if (t->dtype != DType::Bool) return t;
  *compute = Compute::I64;
  return contiguous(*t, DType::I64);
}

// in: [outer, n] contiguous -> [outer].
Ref fold_rows(Reduce op, Compute compute, const char* in, int64_t outer, int64_t n) {
  const auto fn = kernels().reduce.rows[static_cast<int>(op)][static_cast<int>(compute)];
  const int item = item_size(dtype_of(compute));
  const DType dtype = reduce_dtype(op, dtype_of(compute));
  const int out_item = item_size(dtype);
  if (n > 2 * kBlock && outer < 64) {
    const int64_t blocks = (n + kBlock - 1) / kBlock;
    Ref partial = empty(Dims{outer, blocks}, dtype);
    parallel(0, outer * blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t row = i / blocks, first = i % blocks * kBlock;
        fn(1, std::min(kBlock, n - first), 0, in + (row * n + first) * item, partial->data() + i * out_item);
      }
    });
    const Ref wide = widened(partial, &compute);
    return fold_rows(combining(op), dtype == DType::I64 ? Compute::I64 : compute, wide->data(), outer, blocks);
  }
  Ref out = empty(Dims{outer}, dtype);
  parallel(0, outer, std::max<int64_t>(1, kGrain / std::max<int64_t>(n, 1)), [&](int64_t begin, int64_t end) {
    fn(end - begin, n, n, in + begin * n * item, out->data() + begin * out_item);
  });
  return out;
}

// in: [outer, n, m] contiguous -> [outer, m].
Ref fold_cols(Reduce op, Compute compute, const char* in, int64_t outer, int64_t n, int64_t m) {
  const auto fn = kernels().reduce.cols[static_cast<int>(op)][static_cast<int>(compute)];
  const int item = item_size(dtype_of(compute));
  const DType dtype = reduce_dtype(op, dtype_of(compute));
  const int out_item = item_size(dtype);
  // Cut the columns only so that all threads have work when there are few matrices: long runs are read faster.
  const int64_t threads = num_threads();
  const int64_t cuts = threads > 1 && outer < 2 * threads ? (2 * threads + outer - 1) / std::max<int64_t>(outer, 1) : 1;
  const int64_t least = std::max<int64_t>(64, kGrain / std::max<int64_t>(n, 1));
  const int64_t width = std::max(least, (m + cuts - 1) / cuts);
  const int64_t strips = (m + width - 1) / width;
  Ref out = empty(Dims{outer * m}, dtype);
  parallel(0, outer * strips, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t o = i / strips, first = i % strips * width;
      fn(n, std::min(width, m - first), m, in + (o * n * m + first) * item, out->data() + (o * m + first) * out_item);
    }
  });
  return out;
}

// A dense tensor in the compute type, with the order of dimensions in which it lies in memory.
Ref dense(const Tensor& t, DType dtype, int* order) {
  memory_order(t.sizes, t.strides, order);
  const Dims sizes = permuted(t.sizes, order);
  Ref lined = view_of(t, sizes, permuted(t.strides, order), t.offset);
  return contiguous(*lined, dtype);
}

// Reduces t over the dimensions of `mask`; the result has the kept sizes.
Ref reduce(Reduce op, const Tensor& t, uint64_t mask, bool keepdim, DType compute_dtype) {
  Compute compute = compute_of(compute_dtype);
  FLAMBEAU_CHECK(kernels().reduce.rows[static_cast<int>(op)][static_cast<int>(compute)], Kind::Runtime,
                 "\"reduce\" not implemented for '%s'", scalar_name(compute_dtype));
  const Dims out_sizes = reduced_sizes(t, mask, keepdim);
  const DType out_dtype = reduce_dtype(op, dtype_of(compute));
  if (t.numel == 0) {
    Ref out = empty(out_sizes, out_dtype);
    // Nothing to fold: each result is the identity, which the kernel gives for an empty row.
    if (out->numel > 0)
      kernels().reduce.rows[static_cast<int>(op)][static_cast<int>(compute)](out->numel, 0, 0, t.storage->data,
                                                                             out->data());
    return out;
  }
  int order[kMaxDims];
  Ref current = dense(t, dtype_of(compute), order);
  std::vector<Group> groups;
  std::vector<int> kept;  // the kept dimensions, in memory order
  for (int i = 0; i < t.ndim(); i++) {
    const int d = order[i];
    const bool reduced = mask >> d & 1;
    if (!reduced) kept.push_back(d);
    if (t.sizes[d] == 1) continue;
    if (!groups.empty() && groups.back().reduced == reduced)
      groups.back().size *= t.sizes[d];
    else
      groups.push_back({reduced, t.sizes[d]});
  }
  bool folded = false;
  for (;;) {
    int at = static_cast<int>(groups.size()) - 1;
    while (at >= 0 && !groups[static_cast<size_t>(at)].reduced) at--;
    if (at < 0) break;
    int64_t outer = 1, inner = 1;
    for (int i = 0; i < at; i++) outer *= groups[static_cast<size_t>(i)].size;
    for (size_t i = static_cast<size_t>(at) + 1; i < groups.size(); i++) inner *= groups[i].size;
    const int64_t n = groups[static_cast<size_t>(at)].size;
    const Reduce now = folded ? combining(op) : op;
    current = inner == 1 ? fold_rows(now, compute, current->data(), outer, n)
                         : fold_cols(now, compute, current->data(), outer, n, inner);
    folded = true;
    if (current->dtype == DType::I64) compute = Compute::I64;
    current = widened(current, &compute);
    groups.erase(groups.begin() + at);
  }
  if (!folded) {
    // Only dimensions of size one: every element is a row of its own.
    current = fold_rows(op, compute, current->data(), current->numel, 1);
  }
  // Back from memory order to the order of the dimensions.
  Dims sizes, strides(static_cast<int>(kept.size()));
  Dims in_memory;
  for (const int d : kept) in_memory.push_back(t.sizes[d]);
  const Dims steps = contiguous_strides(in_memory);
  std::vector<int> by_dim(kept.size());
  for (size_t i = 0; i < kept.size(); i++) by_dim[i] = static_cast<int>(i);
  std::sort(by_dim.begin(), by_dim.end(),
            [&](int a, int b) { return kept[static_cast<size_t>(a)] < kept[static_cast<size_t>(b)]; });
  for (size_t i = 0; i < kept.size(); i++) {
    sizes.push_back(in_memory[by_dim[i]]);
    strides[static_cast<int>(i)] = steps[by_dim[i]];
  }
  Ref plain = view_of(*current, sizes, strides, current->offset);
  Ref packed = contiguous(*plain, out_dtype);
  return view_of(*packed, out_sizes, contiguous_strides(out_sizes), packed->offset);
}

// reduce(x, dims, keepdim, dtype or null): `dtype` is what the elements become before they are folded.
void reduce_op(Call& call) {
  const auto op = static_cast<Reduce>(call.row);
  const Tensor& t = call.tensor();
  const Dims dims = call.dims();
  const bool keepdim = call.flag();
  const DType dtype = call.more() ? call.dtype_or_null().value_or(t.dtype) : t.dtype;
  Ref source = dtype == t.dtype || compute_of(dtype) == compute_of(t.dtype) ? share(t) : contiguous(t, dtype);
  Ref out = reduce(op, *source, dim_mask(dims, t.ndim()), keepdim, dtype);
  const DType natural = reduce_dtype(op, dtype);
  call.result(contiguous(*out, natural));
}

const Register sum{"sum", reduce_op, static_cast<int>(Reduce::Sum), OnMeta::Serve};
const Register prod{"prod", reduce_op, static_cast<int>(Reduce::Prod), OnMeta::Serve};
const Register amax{"amax", reduce_op, static_cast<int>(Reduce::Max), OnMeta::Serve};
const Register amin{"amin", reduce_op, static_cast<int>(Reduce::Min), OnMeta::Serve};
const Register any{"any", reduce_op, static_cast<int>(Reduce::Any), OnMeta::Serve};
const Register all{"all", reduce_op, static_cast<int>(Reduce::All), OnMeta::Serve};
const Register sum_squares{"sum_squares", reduce_op, static_cast<int>(Reduce::SumSquares), OnMeta::Serve};
const Register sum_abs{"sum_abs", reduce_op, static_cast<int>(Reduce::SumAbs), OnMeta::Serve};
const Register max_abs{"max_abs", reduce_op, static_cast<int>(Reduce::MaxAbs), OnMeta::Serve};
const Register nansum{"nansum", reduce_op, static_cast<int>(Reduce::NanSum), OnMeta::Serve};
const Register count_nonzero{"count_nonzero", reduce_op, static_cast<int>(Reduce::CountNonzero), OnMeta::Serve};

// x as [rows, n] contiguous in its compute type, with the reduced dimensions inside.
Ref as_rows(const Tensor& t, uint64_t mask, DType dtype, int64_t* rows, int64_t* n) {
  Dims sizes, strides;
  *rows = *n = 1;
  for (int pass = 0; pass < 2; pass++)
    for (int d = 0; d < t.ndim(); d++)
      if (static_cast<int>(mask >> d & 1) == pass) {
        sizes.push_back(t.sizes[d]);
        strides.push_back(t.strides[d]);
        (pass ? *n : *rows) *= t.sizes[d];
      }
  const Ref v = view_of(t, sizes, strides, t.offset);
  return contiguous(*v, dtype);
}

// Joins the moments of the blocks of each row, after Chan, Golub and LeVeque, "Updating Formulae and a Pairwise
// Algorithm for Computing Sample Variances" (1979).
template <class T>
void join_moments(int64_t rows, int64_t blocks, int64_t n, const T* means, const T* squares, T* mean, T* m2) {
  for (int64_t r = 0; r < rows; r++) {
    double m = 0, square = 0;
    for (int64_t b = 0; b < blocks; b++) {
      const double before = static_cast<double>(b * kBlock),
                   count = static_cast<double>(std::min(kBlock, n - b * kBlock));
      const double delta = static_cast<double>(means[r * blocks + b]) - m, share = count / (before + count);
      m += delta * share;
      square += static_cast<double>(squares[r * blocks + b]) + delta * delta * before * share;
    }
    mean[r] = static_cast<T>(m);
    m2[r] = static_cast<T>(square);
  }
}

// As ReduceKernels::moments_rows, for rows that are longer than a cache: its two passes go block by block.
void moments_by_blocks(Compute compute, int64_t rows, int64_t n, const char* x, Tensor& mean, Tensor& m2) {
  const auto fn = kernels().reduce.moments_rows[static_cast<int>(compute)];
  const int item = item_size(dtype_of(compute));
  const int64_t blocks = (n + kBlock - 1) / kBlock;
  const Ref means = empty(Dims{rows * blocks}, dtype_of(compute)),
            squares = empty(Dims{rows * blocks}, dtype_of(compute));
  parallel(0, rows * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t first = i % blocks * kBlock;
      fn(1, std::min(kBlock, n - first), 0, x + (i / blocks * n + first) * item, means->data() + i * item,
         squares->data() + i * item);
    }
  });
  if (dry_run()) return;
  if (compute == Compute::F32)
    join_moments(rows, blocks, n, means->as<float>(), squares->as<float>(), mean.as<float>(), m2.as<float>());
  else
    join_moments(rows, blocks, n, means->as<double>(), squares->as<double>(), mean.as<double>(), m2.as<double>());
}

// var_mean(x, dims, correction, keepdim) -> var, mean, in the float type of x.
FLAMBEAU_OP(var_mean, OnMeta::Serve) {
  const Tensor& t = call.tensor();
  const Dims dims = call.dims();
  const double correction = call.number();
  const bool keepdim = call.flag();
  FLAMBEAU_CHECK(is_float(t.dtype), Kind::Runtime, "std and var only support floating point and complex dtypes");
  const uint64_t mask = dim_mask(dims, t.ndim());
  const Compute compute = compute_of(t.dtype);
  int64_t rows, n;
  const Ref x = as_rows(t, mask, dtype_of(compute), &rows, &n);
  const Dims sizes = reduced_sizes(t, mask, keepdim);
  Ref mean = empty(sizes, dtype_of(compute));
  Ref var = empty(sizes, dtype_of(compute));
  const int item = item_size(dtype_of(compute));
  const auto fn = kernels().reduce.moments_rows[static_cast<int>(compute)];
  if (n > kBlock) {
    moments_by_blocks(compute, rows, n, x->data(), *mean, *var);
  } else {
    parallel(0, rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(n, 1)), [&](int64_t begin, int64_t end) {
      fn(end - begin, n, n, x->data() + begin * n * item, mean->data() + begin * item, var->data() + begin * item);
    });
  }
  const double divisor = std::max(0.0, static_cast<double>(n) - correction);
  for (int64_t i = 0; i < rows && !dry_run(); i++) {
    if (compute == Compute::F32)
      var->as<float>()[i] = static_cast<float>(var->as<float>()[i] / divisor);
    else
      var->as<double>()[i] /= divisor;
  }
  call.result(contiguous(*var, t.dtype));
  call.result(contiguous(*mean, t.dtype));
}

// The first extreme of each row of `blocks` blocks, which have one each with its index in the block.
template <class T>
void first_extreme(bool max, int64_t rows, int64_t blocks, const T* values, const int64_t* indices, T* best,
                   int64_t* where) {
  for (int64_t r = 0; r < rows; r++) {
    int64_t at = 0;
    for (int64_t b = 1; b < blocks; b++) {
      const T v = values[r * blocks + b], top = values[r * blocks + at];
      if (top != top) break;
      if (v != v || (max ? v > top : v < top)) at = b;
    }
    best[r] = values[r * blocks + at];
    where[r] = at * kBlock + indices[r * blocks + at];
  }
}

// As ReduceKernels::arg_rows, for rows that are longer than a cache: its two passes go block by block.
void extreme_by_blocks(bool max, Compute compute, int64_t rows, int64_t n, const char* x, Tensor& values,
                       Tensor& indices) {
  const auto fn = kernels().reduce.arg_rows[max ? 0 : 1][static_cast<int>(compute)];
  const int item = item_size(dtype_of(compute));
  const int64_t blocks = (n + kBlock - 1) / kBlock;
  const Ref best = empty(Dims{rows * blocks}, dtype_of(compute)), where = empty(Dims{rows * blocks}, DType::I64);
  parallel(0, rows * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t first = i % blocks * kBlock;
      fn(1, std::min(kBlock, n - first), 0, x + (i / blocks * n + first) * item, best->data() + i * item,
         where->as<int64_t>() + i);
    }
  });
  if (dry_run()) return;
  const auto join = [&]<class T>(T) {
    first_extreme<T>(max, rows, blocks, best->as<T>(), where->as<int64_t>(), values.as<T>(), indices.as<int64_t>());
  };
  switch (compute) {
    case Compute::F32: return join(0.0f);
    case Compute::F64: return join(0.0);
    default: return join(int64_t{0});
  }
}

// argmax and argmin with their values: (x, dim or null, keepdim) -> values, indices.
void extreme(Call& call) {
  const Tensor& t = call.tensor();
  const auto dim = call.integer_or_null();
  const bool keepdim = call.flag();
  const char* name = call.row == 0 ? "max" : "min";
  const uint64_t mask = dim ? dim_mask(Dims{*dim}, t.ndim()) : dim_mask(Dims{}, t.ndim());
  const Compute compute = compute_of(t.dtype);
  const auto fn = kernels().reduce.arg_rows[call.row][static_cast<int>(compute)];
  FLAMBEAU_CHECK(fn, Kind::Runtime, "\"%s\" not implemented for '%s'", name, scalar_name(t.dtype));
  int64_t rows, n;
  const Ref x = as_rows(t, mask, dtype_of(compute), &rows, &n);
  if (n == 0)
    fail(Kind::Range, "%s(): Expected reduction dim %s to have non-zero size.", name,
         dim ? std::to_string(wrap_dim(*dim, t.ndim())).c_str() : "to be specified for input.numel() == 0");
  const Dims sizes = reduced_sizes(t, mask, keepdim);
  Ref values = empty(sizes, dtype_of(compute));
  Ref indices = empty(sizes, DType::I64);
  const int item = item_size(dtype_of(compute));
  if (n > 2 * kBlock) {
    extreme_by_blocks(call.row == 0, compute, rows, n, x->data(), *values, *indices);
  } else {
    parallel(0, rows, std::max<int64_t>(1, kGrain / n), [&](int64_t begin, int64_t end) {
      fn(end - begin, n, n, x->data() + begin * n * item, values->data() + begin * item,
         indices->as<int64_t>() + begin);
    });
  }
  call.result(contiguous(*values, t.dtype));
  call.result(std::move(indices));
}

const Register max_dim{"max_dim", extreme, 0, OnMeta::Serve};
const Register min_dim{"min_dim", extreme, 1, OnMeta::Serve};

// x as [outer, n, inner] contiguous around one dimension.
void around(const Tensor& t, int d, int64_t* outer, int64_t* n, int64_t* inner) {
  *outer = *inner = 1;
  *n = t.ndim() ? t.sizes[d] : 1;
  for (int i = 0; i < d; i++) *outer *= t.sizes[i];
  for (int i = d + 1; i < t.ndim(); i++) *inner *= t.sizes[i];
}

// cumsum, cumprod, logcumsumexp: (x, dim).
void scan(Call& call) {
  const Tensor& t = call.tensor();
  const int d = wrap_dim(call.integer(), t.ndim());
  const Compute compute = compute_of(t.dtype);
  const auto& k = kernels().reduce;
  FLAMBEAU_CHECK(k.scan_rows[call.row][static_cast<int>(compute)], Kind::Runtime, "\"scan\" not implemented for '%s'",
                 scalar_name(t.dtype));
  const Ref x = contiguous(t, dtype_of(compute));
  Ref y = empty(t.sizes, dtype_of(compute));
  int64_t outer, n, inner;
  around(t, d, &outer, &n, &inner);
  const int64_t block = n * inner * item_size(dtype_of(compute));
  if (t.numel > 0)
    parallel(0, outer, std::max<int64_t>(1, kGrain / (n * inner)), [&](int64_t begin, int64_t end) {
      if (inner == 1) {
        k.scan_rows[call.row][static_cast<int>(compute)](end - begin, n, n, x->data() + begin * block, n,
                                                         y->data() + begin * block);
        return;
      }
      for (int64_t o = begin; o < end; o++)
        k.scan_cols[call.row][static_cast<int>(compute)](n, inner, inner, x->data() + o * block, inner,
                                                         y->data() + o * block);
    });
  call.result(contiguous(*y, t.dtype));
}

const Register cumsum{"cumsum", scan, static_cast<int>(Scan::CumSum), OnMeta::Serve};
const Register cumprod{"cumprod", scan, static_cast<int>(Scan::CumProd), OnMeta::Serve};
const Register logcumsumexp{"logcumsumexp", scan, static_cast<int>(Scan::LogCumSumExp), OnMeta::Serve};

// cummax, cummin: (x, dim) -> values, indices.
void scan_extreme(Call& call) {
  const Tensor& t = call.tensor();
  const int d = wrap_dim(call.integer(), t.ndim());
  const Compute compute = compute_of(t.dtype);
  const auto& k = kernels().reduce;
  FLAMBEAU_CHECK(k.scan_arg_rows[call.row][static_cast<int>(compute)], Kind::Runtime,
                 "\"cummax_cummin\" not implemented for '%s'", scalar_name(t.dtype));
  const Ref x = contiguous(t, dtype_of(compute));
  Ref values = empty(t.sizes, dtype_of(compute));
  Ref indices = empty(t.sizes, DType::I64);
  int64_t outer, n, inner;
  around(t, d, &outer, &n, &inner);
  const int item = item_size(dtype_of(compute));
  for (int64_t o = 0; t.numel > 0 && o < outer && !dry_run(); o++) {
    const int64_t at = o * n * inner;
    char* v = values->data() + at * item;
    int64_t* i = indices->as<int64_t>() + at;
    if (inner == 1)
      k.scan_arg_rows[call.row][static_cast<int>(compute)](1, n, n, x->data() + at * item, n, v, i);
    else
      k.scan_arg_cols[call.row][static_cast<int>(compute)](n, inner, inner, x->data() + at * item, inner, v, i);
  }
  call.result(contiguous(*values, t.dtype));
  call.result(std::move(indices));
}

const Register cummax{"cummax", scan_extreme, 0, OnMeta::Serve};
const Register cummin{"cummin", scan_extreme, 1, OnMeta::Serve};

}  // namespace
}  // namespace flambeau
