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

const Register tril{"tril", triangle, 0, OnMeta::Serve};
const Register triu{"triu", triangle, 1, OnMeta::Serve};

// How many places of a matrix have column - row <= k.
__int128 lower_count(int64_t rows, int64_t columns, int64_t k) {
  const int64_t first = std::clamp<int64_t>(-k, 0, rows);                  // rows before have none
  const int64_t full = std::clamp<int64_t>(columns - k - 1, first, rows);  // rows from here on have all
  const __int128 growing = full - first;
  return growing * (first + k + 1) + growing * (growing - 1) / 2 + static_cast<__int128>(rows - full) * columns;
}

// tril_indices(rows, columns, k), triu_indices(...) -> int64 [2, n]: rows and columns of the triangle, in row-major
// order.
void triangle_indices(Call& call) {
  const int64_t rows = call.integer(), columns = call.integer(), k = call.integer();
  call.place();
  const bool upper = call.row == 1;
  FLAMBEAU_CHECK(rows >= 0, Kind::Runtime, "row must be non-negative, got%lld", static_cast<long long>(rows));
  FLAMBEAU_CHECK(columns >= 0, Kind::Runtime, "col must be non-negative, got%lld", static_cast<long long>(columns));
  const __int128 lower = lower_count(rows, columns, upper ? k - 1 : k);
  const __int128 count = upper ? static_cast<__int128>(rows) * columns - lower : lower;
  FLAMBEAU_CHECK(count < (int64_t{1} << 53), Kind::Runtime, "the triangle has too many elements");
  const auto n = static_cast<int64_t>(count);
  Ref out = empty(Dims{2, n}, DType::I64);
  if (dry_run()) return call.result(std::move(out));
  int64_t* at = out->as<int64_t>();
  // Only the rows that have elements in the triangle.
  const int64_t first = upper ? 0 : std::max<int64_t>(0, -k);
  const int64_t last = upper ? std::min(rows, columns - k) : columns > 0 ? rows : 0;
  for (int64_t r = first; r < last; r++) {
    const int64_t cut = std::clamp<int64_t>(r + k + (upper ? 0 : 1), 0, columns);
    const int64_t end = upper ? columns : cut;
    for (int64_t c = upper ? cut : 0; c < end; c++, at++) {
      at[0] = r;
      at[n] = c;
    }
  }
  call.result(std::move(out));
}

const Register tril_indices{"tril_indices", triangle_indices, 0, OnMeta::Serve};
const Register triu_indices{"triu_indices", triangle_indices, 1, OnMeta::Serve};

}  // namespace
}  // namespace flambeau
