// oneDNN: matrix products and convolutions, with all operands already in the layout that oneDNN prefers for them. The
// counterpart of kinds/products.mjs and kinds/convolutions.mjs. OMP_NUM_THREADS sets the number of threads.
#include <dnnl.hpp>

#include <memory>
#include <random>
#include <unordered_map>
#include <vector>

#include "serve.h"

namespace {

using dnnl::memory;
using Dims = memory::dims;
using Tag = memory::format_tag;
using Type = memory::data_type;

struct Work {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::primitive primitive;
  std::unordered_map<int, memory> args;

  // Memory of noise in the layout of `desc`.
  memory filled(const memory::desc& desc, const Dims& dims, Tag plain) {
    memory source({dims, Type::f32, plain}, engine);
    std::mt19937 random(0);
    std::normal_distribution<float> normal;
    auto* values = static_cast<float*>(source.get_data_handle());
    for (size_t i = 0; i < source.get_desc().get_size() / sizeof(float); i++) values[i] = normal(random);
    if (source.get_desc() == desc) return source;
    memory out(desc, engine);
    dnnl::reorder(source, out).execute(stream, source, out);
    stream.wait();
    return out;
  }
  void run() {
    primitive.execute(stream, args);
    stream.wait();
  }
};

bench::Call call_of(std::shared_ptr<Work> w) {
  return [w] { w->run(); };
}

// a: [batch, m, k], b: [batch, k, n], each in the order that the row asks for -> [batch, m, n]
bench::Call matmul(const bench::Request& r) {
  if (!r.text("precision").empty()) return nullptr;
  const Type type = r.text("dtype", "float32") == "bfloat16" ? Type::bf16 : Type::f32;
  const Dims a{r.size("batch", 1), r.size("m"), r.size("k")}, b{a[0], a[2], r.size("n")}, c{a[0], a[1], b[2]};
  const Tag of_a = r.number("ta") != 0 ? Tag::acb : Tag::abc, of_b = r.number("tb") != 0 ? Tag::acb : Tag::abc;
  auto w = std::make_shared<Work>();
  const memory::desc da(a, type, of_a), db(b, type, of_b), dc(c, type, Tag::abc);
  w->primitive = dnnl::matmul(dnnl::matmul::primitive_desc(dnnl::matmul::desc(da, db, dc), w->engine));
  w->args = {{DNNL_ARG_SRC, w->filled(da, a, of_a)},
             {DNNL_ARG_WEIGHTS, w->filled(db, b, of_b)},
             {DNNL_ARG_DST, memory(dc, w->engine)}};
  return call_of(w);
}

// x: [n, c, size, size], weight: [o, c / groups, kernel, kernel]
bench::Call conv2d(const bench::Request& r) {
  using dnnl::prop_kind;
  const long n = r.size("n"), c = r.size("c"), o = r.size("o"), size = r.size("size"), kernel = r.size("kernel");
  const long stride = r.size("stride", 1), padding = r.size("padding"), groups = r.size("groups", 1);
  const long out = (size + 2 * padding - kernel) / stride + 1;
  const Dims x{n, c, size, size}, y{n, o, out, out}, strides{stride, stride}, pad{padding, padding};
  const Dims weight = groups == 1 ? Dims{o, c, kernel, kernel} : Dims{groups, o / groups, c / groups, kernel, kernel};
  const Tag of_weight = groups == 1 ? Tag::oihw : Tag::goihw;
  const auto any = [](const Dims& dims) { return memory::desc(dims, Type::f32, Tag::any); };
  auto w = std::make_shared<Work>();
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const dnnl::convolution_forward::primitive_desc forward(
      {prop_kind::forward_training, algorithm, any(x), any(weight), any(y), strides, pad, pad}, w->engine);
  const std::string pass = r.text("pass", "forward");
  if (pass == "forward") {
    w->primitive = dnnl::convolution_forward(forward);
    w->args = {{DNNL_ARG_SRC, w->filled(forward.src_desc(), x, Tag::nchw)},
               {DNNL_ARG_WEIGHTS, w->filled(forward.weights_desc(), weight, of_weight)},
               {DNNL_ARG_DST, memory(forward.dst_desc(), w->engine)}};
  } else if (pass == "input") {
    const dnnl::convolution_backward_data::primitive_desc backward(
        {algorithm, any(x), any(weight), any(y), strides, pad, pad}, w->engine, forward);
    w->primitive = dnnl::convolution_backward_data(backward);
    w->args = {{DNNL_ARG_DIFF_DST, w->filled(backward.diff_dst_desc(), y, Tag::nchw)},
               {DNNL_ARG_WEIGHTS, w->filled(backward.weights_desc(), weight, of_weight)},
               {DNNL_ARG_DIFF_SRC, memory(backward.diff_src_desc(), w->engine)}};
  } else {
    const dnnl::convolution_backward_weights::primitive_desc backward(
        {algorithm, any(x), any(weight), any(y), strides, pad, pad}, w->engine, forward);
    w->primitive = dnnl::convolution_backward_weights(backward);
    w->args = {{DNNL_ARG_SRC, w->filled(backward.src_desc(), x, Tag::nchw)},
               {DNNL_ARG_DIFF_DST, w->filled(backward.diff_dst_desc(), y, Tag::nchw)},
               {DNNL_ARG_DIFF_WEIGHTS, memory(backward.diff_weights_desc(), w->engine)}};
  }
  return call_of(w);
}

}  // namespace

int main() {
  return bench::serve([](const bench::Request& r) -> bench::Call {
    const std::string kind = r.text("kind");
    if (kind == "matmul") return matmul(r);
    if (kind == "conv2d") return conv2d(r);
    return nullptr;
  });
}
