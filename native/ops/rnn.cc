// One direction of one recurrent layer over all times, and its gradients.
#include <vector>

#include "kernels/kernels.h"
#include "ops/data.h"
#include "ops/registry.h"
#include "ops/work.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

// Multiplications in a sequence that make a second thread worth waking.
constexpr double kWork = 1 << 18;

const void* bytes(const Ref& t) { return t ? t->data() : nullptr; }
Ref optional(const Tensor* t) { return t ? contiguous(*t) : Ref(); }

// What both ops are told: mode, reverse, sizes of the batch at each time, weight [G H, H], bias of GRU's new gate or
// null, h0 [batch, H], c0 or null.
struct Sequence {
  RnnArgs a;
  std::vector<int64_t> sizes, starts;
  int64_t total = 0;
  Ref weight, bias, h0, c0;
  int64_t gates = 1;

  explicit Sequence(Call& call) {
    const int64_t mode = call.integer();
    FLAMBEAU_CHECK(mode >= 0 && mode <= 3, Kind::Runtime, "rnn: there is no mode %lld", static_cast<long long>(mode));
    a.mode = static_cast<RnnMode>(mode);
    a.reverse = call.flag();
    sizes = call.integers();
    const Tensor& w = call.tensor();
    const Tensor* b = call.tensor_or_null();
    const Tensor& h = call.tensor();
    const Tensor* c = call.tensor_or_null();
    gates = rnn_gates(a.mode);
    FLAMBEAU_CHECK(w.dtype == DType::F32 || w.dtype == DType::F64, Kind::Runtime, "rnn: not implemented for '%s'",
                   scalar_name(w.dtype));
    FLAMBEAU_CHECK(w.ndim() == 2 && w.sizes[0] == gates * w.sizes[1] && w.sizes[1] > 0, Kind::Runtime,
                   "rnn: a weight of size %s", show(w.sizes).c_str());
    a.type = w.dtype;
    a.hidden = w.sizes[1];
    FLAMBEAU_CHECK(!sizes.empty(), Kind::Runtime, "Expected sequence length to be larger than 0 in RNN");
    a.times = static_cast<int64_t>(sizes.size());
    a.batch = sizes[0];
    for (int64_t n : sizes) {
      FLAMBEAU_CHECK(n >= 0 && n <= (starts.empty() ? n : sizes[starts.size() - 1]), Kind::Runtime,
                     "rnn: batch sizes must not grow");
      starts.push_back(total);
      FLAMBEAU_CHECK(!__builtin_add_overflow(total, n, &total), Kind::Runtime, "rnn: too many rows");
    }
    const Dims state{a.batch, a.hidden};
    FLAMBEAU_CHECK(h.sizes == state && h.dtype == a.type && (c != nullptr) == (a.mode == RnnMode::Lstm) &&
                       (!c || (c->sizes == state && c->dtype == a.type)),
                   Kind::Runtime, "rnn: the initial state does not fit");
    FLAMBEAU_CHECK(!b || (a.mode == RnnMode::Gru && b->ndim() == 1 && b->numel == a.hidden && b->dtype == a.type),
                   Kind::Runtime, "rnn: the bias does not fit");
    weight = contiguous(w);
    bias = optional(b);
    h0 = contiguous(h);
    c0 = optional(c);
    a.sizes = sizes.data();
    a.starts = starts.data();
    a.weight = weight->data();
    a.new_bias = bytes(bias);
    a.h0 = h0->data();
    a.c0 = bytes(c0);
  }

  // All rows with `width` columns each.
  void check(const Tensor& t, int64_t width, const char* what) const {
    FLAMBEAU_CHECK((t.sizes == Dims{total, width} && t.dtype == a.type), Kind::Runtime, "rnn: %s of size %s", what,
                   show(t.sizes).c_str());
  }
  Ref rows(int64_t width) const { return empty(Dims{total, width}, a.type); }
  // Multiply-adds of the hidden state's product over all times.
  double work() const { return static_cast<double>(total) * static_cast<double>(gates * a.hidden * a.hidden); }
  int threads() const {
    int64_t most = static_cast<int64_t>(work() / kWork) + 1;
    if (most > a.batch) most = a.batch;
    return most < num_threads() ? static_cast<int>(most < 1 ? 1 : most) : num_threads();
  }
};

// rnn(mode, reverse, sizes, weight, new bias, h0, c0, shares [total, G H]) -> y [total, H], gates [total, G H], and the
// cells of LSTM or the new gate's hidden share of GRU [total, H]. The shares become the gates: they are overwritten.
FLAMBEAU_OP(rnn, OnMeta::Serve) {
  Sequence s(call);
  RnnArgs& a = s.a;
  Tensor& shares = call.tensor();
  s.check(shares, s.gates * a.hidden, "gates");
  Ref gates = contiguous(shares);
  Ref y = s.rows(a.hidden);
  const bool third = a.mode == RnnMode::Lstm || a.mode == RnnMode::Gru;
  Ref more = third ? s.rows(a.hidden) : Ref();
  if (s.total > 0) {
    a.gates = gates->data();
    a.y = y->data();
    if (a.mode == RnnMode::Lstm) a.cells = more->data();
    if (a.mode == RnnMode::Gru) a.hidden_new = more->data();
    const int threads = s.threads();
    const auto& kernel = kernels().rnn;
    const Ref room = empty(Dims{kernel.forward_room(a, threads)}, DType::U8);
    kernel.forward(a, threads, room->data());
    count_work(s.work());
    shares.bump();
  }
  call.result(std::move(y));
  call.result(std::move(gates));
  if (third) call.result(std::move(more));
}

// rnn_backward(as rnn, gates, y, cells or hidden share or null, gy [total, H], g of the final h or null, of the final c
// or null) -> gradients of the shares [total, G H], of h0, the hidden state that each row came from [total, H], then of
// LSTM the gradient of c0, of GRU that of the hidden state's share of the gates [total, 3 H].
FLAMBEAU_OP(rnn_backward, OnMeta::Serve) {
  Sequence s(call);
  RnnArgs& a = s.a;
  const Tensor& gates = call.tensor();
  const Tensor& y = call.tensor();
  const Tensor* more = call.tensor_or_null();
  const Tensor& gy = call.tensor();
  const Tensor* last = call.tensor_or_null();
  const Tensor* cell = call.tensor_or_null();
  const bool lstm = a.mode == RnnMode::Lstm, gru = a.mode == RnnMode::Gru;
  s.check(gates, s.gates * a.hidden, "gates");
  s.check(y, a.hidden, "a result");
  s.check(gy, a.hidden, "a gradient");
  FLAMBEAU_CHECK((more != nullptr) == (lstm || gru), Kind::Runtime, "rnn backward: saved tensors do not fit");
  if (more) s.check(*more, a.hidden, "a saved tensor");
  for (const Tensor* t : {last, cell}) {
    FLAMBEAU_CHECK(!t || (t->sizes == s.h0->sizes && t->dtype == a.type), Kind::Runtime,
                   "rnn backward: a gradient of the final state of size %s", t ? show(t->sizes).c_str() : "");
  }
  const Ref gates_c = contiguous(gates), y_c = contiguous(y), gy_c = contiguous(gy), more_c = optional(more),
            last_c = optional(last), cell_c = optional(cell);
  Ref g_gates = s.rows(s.gates * a.hidden), before = s.rows(a.hidden), g_h0 = empty(s.h0->sizes, a.type);
  Ref g_c0 = lstm ? empty(s.h0->sizes, a.type) : Ref();
  Ref g_hidden = gru ? s.rows(s.gates * a.hidden) : Ref();
  if (s.total > 0) {
    a.gates = gates_c->data();
    a.y = y_c->data();
    if (lstm) a.cells = more_c->data();
    if (gru) a.hidden_new = more_c->data();
    RnnGradients g;
    g.y = gy_c->data();
    g.last = bytes(last_c);
    g.cell = bytes(cell_c);
    g.gates = g_gates->data();
    g.before = before->data();
    g.h0 = g_h0->data();
    if (lstm) g.c0 = g_c0->data();
    if (gru) g.hidden_gates = g_hidden->data();
    const int threads = s.threads();
    const auto& kernel = kernels().rnn;
    const Ref room = empty(Dims{kernel.backward_room(a, threads)}, DType::U8);
    kernel.backward(a, g, threads, room->data());
    count_work(s.work());
  }
  call.result(std::move(g_gates));
  call.result(std::move(g_h0));
  call.result(std::move(before));
  if (lstm) call.result(std::move(g_c0));
  if (gru) call.result(std::move(g_hidden));
}

}  // namespace
}  // namespace flambeau
