// Plane rotations of rows, gathered and then applied together: an iteration on a few numbers decides them one by one,
// and the matrix of vectors that they turn is walked in blocks of columns that stay in the cache, on several threads.
#pragma once
#include <new>

#include "ops/linalg.h"
#include "parallel/pool.h"

namespace flambeau::linalg {

class Rotations {
 public:
  // rows: [.., width] doubles, `width` apart. A complex matrix counts as one of twice the width: rotations are real.
  Rotations(double* rows, int64_t width) : rows_(rows), width_(width) {}

  // row i = c row_i + s row_j; row j = c row_j - s row_i
  void add(int64_t i, int64_t j, double c, double s) {
    if (rows_ == nullptr || width_ == 0) return;
    list_[count_++] = {static_cast<int32_t>(i), static_cast<int32_t>(j), c, s};
    if (count_ == kLimit) apply();
  }
  void apply() {
    if (count_ == 0) return;
    const int64_t blocks = (width_ + kBlock - 1) / kBlock;
    const int64_t grain = std::max<int64_t>(1, 8192 / count_);
    parallel(0, blocks, grain, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; b++) {
        const int64_t from = b * kBlock, n = std::min(kBlock, width_ - from);
        for (int64_t r = 0; r < count_; r++) {
          const Rotation& t = list_[r];
          turn(rows_ + t.i * width_ + from, rows_ + t.j * width_ + from, n, t.c, t.s);
        }
      }
    });
    count_ = 0;
  }

 private:
  struct Rotation {
    int32_t i, j;
    double c, s;
  };
  static void turn(double* __restrict x, double* __restrict y, int64_t n, double c, double s) {
    for (int64_t k = 0; k < n; k++) {
      const double a = x[k], b = y[k];
      x[k] = c * a + s * b;
      y[k] = c * b - s * a;
    }
  }
  static constexpr int64_t kLimit = 2048;
  static constexpr int64_t kBlock = 64;
  double* rows_;
  int64_t width_;
  int64_t count_ = 0;
  Rotation list_[kLimit];
};

// c and s with c x + s y = r and c y - s x = 0.
inline double rotation(double x, double y, double& c, double& s) {
  const double r = std::hypot(x, y);
  if (r == 0) {
    c = 1;
    s = 0;
    return 0;
  }
  c = x / r;
  s = y / r;
  return r;
}

}  // namespace flambeau::linalg
