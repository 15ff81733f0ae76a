// Random tensors. A generator is a tensor of bytes that holds a Generator: it lives and dies like any other tensor.
// Without one, an op draws from the process's default generator.
#include <algorithm>
#include <cmath>
#include <new>

#include "kernels/kernels.h"
#include "ops/random_source.h"

namespace flambeau {
namespace {

static_assert(std::is_trivially_copyable_v<Generator>);

}  // namespace

Source::Source(Call& call) {
  if (Tensor* t = call.tensor_or_null()) {
    FLAMBEAU_CHECK(t->dtype == DType::U8 && t->offset == 0 && t->contiguous() &&
                       t->storage->bytes == static_cast<int64_t>(sizeof(Generator)),
                   Kind::Type, "expected a torch.Generator");
    if (dry_run()) return;
    generator_ = t->as<Generator>();
    return;
  }
  if (dry_run()) return;
  static std::mutex mutex;
  static Generator shared;
  lock_ = std::unique_lock(mutex);
  generator_ = &shared;
}

namespace {

FLAMBEAU_OP(generator_new) {
  Ref t = empty(Dims{static_cast<int64_t>(sizeof(Generator))}, DType::U8);
  new (t->data()) Generator();
  call.result(std::move(t));
}

// generator_seed(generator or null, seed): the seed's 64 bits
FLAMBEAU_OP(generator_seed) {
  const Source g(call);
  g->seed(static_cast<uint64_t>(call.scalar().integer()));
}

// generator_initial_seed(generator or null) -> the high and the low half
FLAMBEAU_OP(generator_initial_seed) {
  const Source g(call);
  call.number(static_cast<double>(g->initial_seed() >> 32));
  call.number(static_cast<double>(g->initial_seed() & 0xffffffffu));
}

// generator_state(generator or null) -> uint8 [5056], in PyTorch's layout
FLAMBEAU_OP(generator_state) {
  const Source g(call);
  Ref state = empty(Dims{static_cast<int64_t>(Generator::kStateBytes)}, DType::U8);
  g->get_state(state->as<uint8_t>());
  call.result(std::move(state));
}

FLAMBEAU_OP(generator_set_state) {
  const Source g(call);
  const Tensor& state = call.tensor();
  FLAMBEAU_CHECK(state.dtype == DType::U8, Kind::Type, "RNG state must be a torch.ByteTensor");
  const Ref bytes = contiguous(state);
  FLAMBEAU_CHECK(g->set_state(bytes->as<uint8_t>(), static_cast<size_t>(bytes->numel)), Kind::Runtime,
                 "RNG state is wrong size or invalid");
}

// Runs fill(dtype, out, n, row_major) on self's elements; a tensor that is not row-major is filled in its memory order,
// as in PyTorch. Complex tensors are pairs of real numbers to it.
template <class F>
void fill_self(Tensor& self, const F& fill_fn) {
  check_writable(self);
  const bool pairs = is_complex(self.dtype);
  const DType dtype = pairs ? (self.dtype == DType::C64 ? DType::F32 : DType::F64) : self.dtype;
  const int64_t n = pairs ? 2 * self.numel : self.numel;
  if (dry_run()) {
    // Nothing is drawn: the stream of random numbers does not depend on tensors without elements.
  } else if (self.contiguous()) {
    fill_fn(dtype, static_cast<void*>(self.data()), n, true);
  } else {
    int order[kMaxDims];
    memory_order(self.sizes, self.strides, order);
    const Dims sizes = permuted(self.sizes, order);
    Ref values = empty(sizes, self.dtype);
    fill_fn(dtype, static_cast<void*>(values->data()), n, false);
    const Ref to = view_of(self, sizes, permuted(self.strides, order), self.offset);
    copy_elements(*to, *values);
  }
  self.bump();
}

void check_real(const Tensor& t, const char* op) {
  FLAMBEAU_CHECK(is_float(t.dtype), Kind::Runtime, "\"%s\" not implemented for '%s'", op, scalar_name(t.dtype));
}

// uniform_(generator, self, from, to)
FLAMBEAU_OP(uniform_, OnMeta::Free) {
  const Source g(call);
  Tensor& self = call.tensor();
  const double from = call.number(), to = call.number();
  FLAMBEAU_CHECK(is_float(self.dtype) || is_complex(self.dtype), Kind::Runtime,
                 "\"check_uniform_bounds\" not implemented for '%s'", scalar_name(self.dtype));
  FLAMBEAU_CHECK(from <= to, Kind::Runtime, "uniform_ expects to return a [from, to) range, but found from=%g > to=%g",
                 from, to);
  const double highest = self.dtype == DType::F16   ? 65504.0
                         : self.dtype == DType::F64 ? 1.7976931348623157e308
                                                    : 3.4028234663852886e38;
  FLAMBEAU_CHECK(to - from <= highest, Kind::Runtime,
                 "uniform_ expects to-from <= std::numeric_limits<%s>::max(), but found to=%g and from=%g which result "
                 "in to-from to exceed the limit",
                 scalar_name(self.dtype), to, from);
  fill_self(self, [&](DType t, void* out, int64_t n, bool) { fill_uniform(*g, t, out, n, from, to); });
}

// normal_(generator, self, mean, std); of a complex tensor the parts share the variance
FLAMBEAU_OP(normal_, OnMeta::Free) {
  const Source g(call);
  Tensor& self = call.tensor();
  const double mean = call.number(), std = call.number();
  FLAMBEAU_CHECK(is_float(self.dtype) || is_complex(self.dtype), Kind::Runtime,
                 "\"normal_kernel_cpu\" not implemented for '%s'", scalar_name(self.dtype));
  FLAMBEAU_CHECK(std >= 0, Kind::Runtime, "normal expects std >= 0.0, but found std %g", std);
  const double each = is_complex(self.dtype) ? std / std::sqrt(2.0) : std;
  fill_self(self,
            [&](DType t, void* out, int64_t n, bool row_major) { fill_normal(*g, t, out, n, mean, each, !row_major); });
}

// random_(generator, self, from, to): integers in [from, to)
FLAMBEAU_OP(random_from_to_, OnMeta::Free) {
  const Source g(call);
  Tensor& self = call.tensor();
  const int64_t from = call.scalar().integer(), to = call.scalar().integer();
  FLAMBEAU_CHECK(from < to, Kind::Runtime, "random_ expects 'from' to be less than 'to', but got from=%lld >= to=%lld",
                 static_cast<long long>(from), static_cast<long long>(to));
  FLAMBEAU_CHECK(!is_complex(self.dtype), Kind::Runtime, "\"random_\" not implemented for '%s'",
                 scalar_name(self.dtype));
  if (!is_float(self.dtype)) {
    const bool is_unsigned = self.dtype == DType::U8 || self.dtype == DType::Bool;
    const int64_t low = is_unsigned ? 0 : INT64_MIN >> (64 - 8 * item_size(self.dtype));
    const int64_t high = self.dtype == DType::Bool ? 1 : self.dtype == DType::U8 ? 255 : ~low;
    FLAMBEAU_CHECK(from >= low && from <= high, Kind::Runtime, "from is out of bounds for %s", dtype_name(self.dtype));
    FLAMBEAU_CHECK(to - 1 >= low && to - 1 <= high, Kind::Runtime, "to - 1 is out of bounds for %s",
                   dtype_name(self.dtype));
  }
  const uint64_t range = static_cast<uint64_t>(to) - static_cast<uint64_t>(from);
  fill_self(self, [&](DType t, void* out, int64_t n, bool) { fill_randint(*g, t, out, n, from, range); });
}

// random_(generator, self, bits): over all that the type holds; with `bits` all 64 bits of int64
FLAMBEAU_OP(random_, OnMeta::Free) {
  const Source g(call);
  Tensor& self = call.tensor();
  const bool bits = call.flag();
  FLAMBEAU_CHECK(!is_complex(self.dtype), Kind::Runtime, "\"random_\" not implemented for '%s'",
                 scalar_name(self.dtype));
  fill_self(self, [&](DType t, void* out, int64_t n, bool) {
    if (bits)
      fill_random_bits(*g, t, out, n);
    else
      fill_random(*g, t, out, n);
  });
}

// randperm(generator, n, dtype)
FLAMBEAU_OP(randperm, OnMeta::Free) {
  const Source g(call);
  const int64_t n = call.integer();
  const DType dtype = call.dtype();
  call.place();
  FLAMBEAU_CHECK(n >= 0, Kind::Runtime, "Trying to create tensor with negative dimension %lld: [%lld]",
                 static_cast<long long>(n), static_cast<long long>(n));
  FLAMBEAU_CHECK(!is_complex(dtype) && dtype != DType::Bool, Kind::Runtime, "\"randperm\" not implemented for '%s'",
                 scalar_name(dtype));
  const int64_t highest = dtype == DType::U8     ? 255
                          : is_integral(dtype)   ? ~(INT64_MIN >> (64 - 8 * item_size(dtype)))
                          : dtype == DType::F16  ? int64_t{1} << 11
                          : dtype == DType::BF16 ? int64_t{1} << 8
                          : dtype == DType::F32  ? int64_t{1} << 24
                                                 : int64_t{1} << 53;
  FLAMBEAU_CHECK(n <= highest, Kind::Runtime, "n is too large for result tensor type: '%s'", dtype_name(dtype));
  Ref out = empty(Dims{n}, dtype);
  if (!dry_run()) fill_randperm(*g, dtype, out->data(), n);
  call.result(std::move(out));
}

// bernoulli_(generator, self, p)
FLAMBEAU_OP(bernoulli_, OnMeta::Free) {
  const Source g(call);
  Tensor& self = call.tensor();
  const double p = call.number();
  FLAMBEAU_CHECK(p >= 0 && p <= 1, Kind::Runtime, "bernoulli_ expects p to be in [0, 1], but got p=%g", p);
  FLAMBEAU_CHECK(!is_complex(self.dtype), Kind::Runtime, "\"bernoulli_scalar_cpu_\" not implemented for '%s'",
                 scalar_name(self.dtype));
  fill_self(self, [&](DType t, void* out, int64_t n, bool) { fill_bernoulli(*g, t, out, n, p); });
}

// bernoulli_each_(generator, self, p): a probability per element, broadcast to self
FLAMBEAU_OP(bernoulli_each_, OnMeta::Free) {
  const Source g(call);
  Tensor& self = call.tensor();
  const Tensor& p = call.tensor();
  check_real(p, "bernoulli_tensor_cpu_p_");
  FLAMBEAU_CHECK(broadcast_sizes(self.sizes, p.sizes) == self.sizes, Kind::Runtime,
                 "bernoulli_: p of shape %s does not broadcast to %s", show(p.sizes).c_str(), show(self.sizes).c_str());
  const Ref chances = contiguous(*view_of(p, self.sizes, broadcast_strides(p, self.sizes), p.offset));
  const Ref wide = contiguous(*chances, DType::F64);
  for (int64_t i = 0; i < wide->numel && !dry_run(); i++) {
    const double x = wide->as<double>()[i];
    FLAMBEAU_CHECK(x >= 0 && x <= 1, Kind::Runtime, "Expected p_in >= 0 && p_in <= 1 to be true, but got false.");
  }
  check_writable(self);
  Workspace work(self, self.dtype);
  if (!dry_run()) fill_bernoulli_each(*g, self.dtype, work->data(), self.numel, chances->dtype, chances->data());
  work.finish();
  self.bump();
}

// exponential_(generator, self, lambda)
FLAMBEAU_OP(exponential_, OnMeta::Free) {
  const Source g(call);
  Tensor& self = call.tensor();
  const double lambda = call.number();
  check_real(self, "exponential_cpu");
  FLAMBEAU_CHECK(lambda > 0, Kind::Runtime, "exponential_ expects lambda > 0.0, but found lambda=%g", lambda);
  fill_self(self, [&](DType t, void* out, int64_t n, bool) { fill_exponential(*g, t, out, n, lambda); });
}

// geometric_(generator, self, p)
FLAMBEAU_OP(geometric_, OnMeta::Free) {
  const Source g(call);
  Tensor& self = call.tensor();
  const double p = call.number();
  FLAMBEAU_CHECK(p > 0 && p < 1, Kind::Runtime, "geometric_ expects p to be in (0, 1), but got p=%g", p);
  FLAMBEAU_CHECK(!is_complex(self.dtype) && self.dtype != DType::Bool, Kind::Runtime,
                 "\"geometric_cpu\" not implemented for '%s'", scalar_name(self.dtype));
  fill_self(self, [&](DType t, void* out, int64_t n, bool) { fill_geometric(*g, t, out, n, p); });
}

// cauchy_(generator, self, median, sigma)
FLAMBEAU_OP(cauchy_, OnMeta::Free) {
  const Source g(call);
  Tensor& self = call.tensor();
  const double median = call.number(), sigma = call.number();
  FLAMBEAU_CHECK(is_float(self.dtype), Kind::Runtime,
                 "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
                 "specified %s",
                 scalar_name(self.dtype));
  FLAMBEAU_CHECK(sigma > 0, Kind::Runtime, "cauchy_ expects sigma > 0.0, but found sigma=%g", sigma);
  fill_self(self, [&](DType t, void* out, int64_t n, bool) { fill_cauchy(*g, t, out, n, median, sigma); });
}

// log_normal_(generator, self, mean, std)
FLAMBEAU_OP(log_normal_, OnMeta::Free) {
  const Source g(call);
  Tensor& self = call.tensor();
  const double mean = call.number(), std = call.number();
  check_real(self, "log_normal_cpu");
  FLAMBEAU_CHECK(std > 0, Kind::Runtime, "log_normal_ expects std > 0.0, but found std=%g", std);
  fill_self(self, [&](DType t, void* out, int64_t n, bool) { fill_log_normal(*g, t, out, n, mean, std); });
}

// poisson(generator, rates)
FLAMBEAU_OP(poisson, OnMeta::Free) {
  const Source g(call);
  const Tensor& rates = call.tensor();
  check_real(rates, "poisson_cpu");
  const Ref lambda = contiguous(rates);
  const Ref wide = contiguous(*lambda, DType::F64);
  for (int64_t i = 0; i < wide->numel && !dry_run(); i++)
    FLAMBEAU_CHECK(wide->as<double>()[i] >= 0, Kind::Runtime, "invalid Poisson rate, expected rate to be non-negative");
  Ref out = empty(rates.sizes, rates.dtype);
  if (!dry_run()) fill_poisson(*g, rates.dtype, out->data(), out->numel, lambda->data());
  call.result(std::move(out));
}

}  // namespace
}  // namespace flambeau
