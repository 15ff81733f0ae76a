// OpenBLAS: float32 matrix products. The counterpart of kinds/products.mjs.
#include <cblas.h>

#include <memory>
#include <random>
#include <vector>

#include "serve.h"

namespace {

std::vector<float> noise(size_t n) {
  std::mt19937 random(0);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

// a: [batch, m, k] (or its transpose), b: [batch, k, n] (or its transpose) -> [batch, m, n]
bench::Call matmul(const bench::Request& r) {
  if (r.text("dtype", "float32") != "float32" || !r.text("precision").empty()) return nullptr;
  const long m = r.size("m"), n = r.size("n"), k = r.size("k"), batch = r.size("batch", 1);
  const bool ta = r.number("ta") != 0, tb = r.number("tb") != 0;
  struct Work {
    std::vector<float> a, b, c;
  };
  auto w = std::make_shared<Work>();
  w->a = noise(static_cast<size_t>(batch * m * k));
  w->b = noise(static_cast<size_t>(batch * k * n));
  w->c.resize(static_cast<size_t>(batch * m * n));
  return [=] {
    for (long i = 0; i < batch; i++) {
      cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, static_cast<int>(m),
                  static_cast<int>(n), static_cast<int>(k), 1.0f, w->a.data() + i * m * k, static_cast<int>(ta ? m : k),
                  w->b.data() + i * k * n, static_cast<int>(tb ? k : n), 0.0f, w->c.data() + i * m * n,
                  static_cast<int>(n));
    }
  };
}

}  // namespace

int main() {
  const char* threads = std::getenv("BENCH_THREADS");
  openblas_set_num_threads(threads ? std::atoi(threads) : 1);
  return bench::serve([](const bench::Request& r) { return r.text("kind") == "matmul" ? matmul(r) : nullptr; });
}
