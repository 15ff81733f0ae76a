// Triangles of matrices.
#include <algorithm>

#include "ops/index_util.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

constexpr int64_t kGrain = 32 * 1024;

// tril(x [.., n, m], k) keeps column - row <= k, triu column - row >= k; all else is zero.
void triangle(Call& call) {
  const Tensor& x = call.tensor();
  const int64_t k = call.integer();
  const bool upper = call.row == 1;
  FLAMBEAU_CHECK(x.ndim() >= 2, Kind::Runtime, "%s: input tensor must have at least 2 dimensions",
                 upper ? "triu" : "tril");
  const Ref from = contiguous(x);
  Ref out = empty(x.sizes, x.dtype);
  const int64_t rows = x.sizes[x.ndim() - 2], columns = x.sizes[x.ndim() - 1];
  const int64_t item = item_size(x.dtype);
  if (out->numel > 0)
    parallel(0, out->numel / columns, std::max<int64_t>(1, kGrain / columns), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        // Columns [0, cut) are the lower part. The sum cannot overflow: k is at most 2^53.
        const int64_t cut = std::clamp<int64_t>(r % rows + k + (upper ? 0 : 1), 0, columns);
        const char* source = from->data() + r * columns * item;
        char* to = out->data() + r * columns * item;
        const auto low = static_cast<size_t>(cut * item), high = static_cast<size_t>((columns - cut) * item);
        if (upper) {
          std::memset(to, 0, low);
          std::memcpy(to + low, source + low, high);
        } else {
          std::memcpy(to, source, low);
          std::memset(to + low, 0, high);
        }
      }
    });
  call.result(std::move(out));
}

const Register tril{"tril", triangle, 0};
const Register triu{"triu", triangle, 1};

// tril_indices(rows, columns, k), triu_indices(...) -> int64 [2, n]: rows and columns of the triangle, in row-major order.
void triangle_indices(Call& call) {
  const int64_t rows = call.integer(), columns = call.integer(), k = call.integer();
  const bool upper = call.row == 1;
  FLAMBEAU_CHECK(rows >= 0, Kind::Runtime, "row must be non-negative, got%lld", static_cast<long long>(rows));
  FLAMBEAU_CHECK(columns >= 0, Kind::Runtime, "col must be non-negative, got%lld", static_cast<long long>(columns));
  const auto cut = [&](int64_t r) { return std::clamp<int64_t>(r + k + (upper ? 0 : 1), 0, columns); };
  int64_t n = 0;
  for (int64_t r = 0; r < rows; r++) n += upper ? columns - cut(r) : cut(r);
  Ref out = empty(Dims{2, n}, DType::I64);
  int64_t* at = out->as<int64_t>();
  for (int64_t r = 0; r < rows; r++) {
    const int64_t end = upper ? columns : cut(r);
    for (int64_t c = upper ? cut(r) : 0; c < end; c++, at++) {
      at[0] = r;
      at[n] = c;
    }
  }
  call.result(std::move(out));
}

const Register tril_indices{"tril_indices", triangle_indices, 0};
const Register triu_indices{"triu_indices", triangle_indices, 1};

}  // namespace
}  // namespace flambeau
