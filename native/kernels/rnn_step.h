// What both directions of a recurrent layer are built of: the product of a step's few rows with packed weights, and the
// order of the rows in time.
#pragma once
#include "kernels/gemm_pack.h"
#include "kernels/rnn.h"
#include "kernels/rows.h"
#include "parallel/pool.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// The rows that a step multiplies lie in slices of kSlice columns, [slice][row][kSlice], so that the tile reaches all
// of its rows from one pointer; a slice's part of a panel of weights stays in the first cache while the rows pass by.
constexpr int64_t kSlice = 128;
// Rows of the batch that one thread takes through the sequence together.
constexpr int64_t kRowBlock = 48;

// How many rows a tile of NV vectors may have: accumulators, a row of weights and one element fill the register file.
template <int NV>
constexpr int kTileRows =
#if defined(__AVX512F__) || defined(__aarch64__)
    NV == 4   ? 6
    : NV == 3 ? 8
              : 12;
#elif defined(__AVX2__)
    NV == 4   ? 2
    : NV == 3 ? 4
              : 6;
#else
    NV == 4   ? 2
    : NV == 3 ? 3
              : 4;
#endif

// c[R, NV vectors] (+)= a[R, k] b[k, NV vectors].
template <class T, int R, int NV>
__attribute__((noinline)) void step_tile(int64_t k, const T* a, const T* b, T* c, int64_t c_row, bool fresh) {
  constexpr int L = kLanes<T>;
  Raw<T> acc[R][NV];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) acc[i][v] = fresh ? Raw<T>{} : Vec<T>::load(c + i * c_row + v * L).v;
  }
#pragma GCC unroll 4
  for (int64_t p = 0; p < k; p++, a++, b += NV * L) {
    Vec<T> row[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) row[v] = Vec<T>::load(b + v * L);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const Vec<T> x(a[i * kSlice]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) acc[i][v] = fma(x, row[v], Vec<T>(acc[i][v])).v;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) Vec<T>(acc[i][v]).store(c + i * c_row + v * L);
  }
}

template <class T, int NV, int R = kTileRows<NV>>
FLAMBEAU_INLINE void step_rows(int64_t rows, int64_t k, const T* a, const T* b, T* c, int64_t c_row, bool fresh) {
  if constexpr (R > 1) {
    if (rows < R) return step_rows<T, NV, R - 1>(rows, k, a, b, c, c_row, fresh);
  }
  step_tile<T, R, NV>(k, a, b, c, c_row, fresh);
}

// c[rows, NV vectors] (+)= a b, a in slices of `room` rows, b one panel [k, NV vectors].
template <class T, int NV>
__attribute__((noinline)) void step_product(int64_t rows, int64_t room, int64_t k, const T* a, const T* b, T* c,
                                            int64_t c_row, bool fresh) {
  constexpr int most = kTileRows<NV>;
  for (int64_t p = 0; p < k; p += kSlice, a += room * kSlice, b += kSlice * NV * kLanes<T>) {
    const int64_t depth = k - p < kSlice ? k - p : kSlice;
    for (int64_t i = 0, groups = (rows + most - 1) / most; groups > 0; groups--) {
      const int64_t n = (rows - i + groups - 1) / groups;
      step_rows<T, NV>(n, depth, a + i * kSlice, b, c + i * c_row, c_row, fresh && p == 0);
      i += n;
    }
  }
}

// ---- packing ----

// dst[p * width + i] = src[i * step + p] for i < rows, p < k; zeros for i from rows to kLanes.
template <class T>
FLAMBEAU_INLINE void pack_gate(T* dst, int64_t width, const T* src, int64_t step, int64_t rows, int64_t k) {
  constexpr int L = kLanes<T>;
  int64_t i = transpose_rows(dst, width, src, step, rows, k);
  for (; i < L; i++) {
    for (int64_t p = 0; p < k; p++) dst[p * width + i] = i < rows ? src[i * step + p] : T(0);
  }
}

// Of W [G H, H], the transpose in panels [k = H][NV vectors]. With G gates (NV = G) a panel holds one vector of hidden
// units in all gates; with one gate, NV vectors of hidden units.
template <class T, int NV>
void pack_forward(T* dst, const T* w, int64_t hidden, int64_t gates) {
  constexpr int64_t L = kLanes<T>;
  const int64_t units = gates > 1 ? L : NV * L, panels = (hidden + units - 1) / units;
  parallel(0, panels, 65536 / (hidden * NV * L) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t q = begin; q < end; q++) {
      for (int64_t v = 0; v < NV; v++) {
        const int64_t first = gates > 1 ? q * L : q * units + v * L;
        const int64_t rows = hidden - first < 0 ? 0 : hidden - first < L ? hidden - first : L;
        const T* src = w + ((gates > 1 ? v * hidden : 0) + first) * hidden;
        pack_gate(dst + q * hidden * NV * L + v * L, NV * L, rows > 0 ? src : w, hidden, rows, hidden);
      }
    }
  });
}

// Of W [k, hidden], panels [k][NV vectors], zeros beyond the last column.
template <class T, int NV>
void pack_backward(T* dst, const T* w, int64_t hidden, int64_t k) {
  constexpr int64_t C = NV * kLanes<T>;
  const int64_t panels = (hidden + C - 1) / C;
  parallel(0, panels, 65536 / (k * C) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t q = begin; q < end; q++) {
      const int64_t n = hidden - q * C < C ? hidden - q * C : C;
      T* out = dst + q * k * C;
      for (int64_t p = 0; p < k; p++, out += C) {
        __builtin_memcpy(out, w + p * hidden + q * C, static_cast<size_t>(n) * sizeof(T));
        for (int64_t j = n; j < C; j++) out[j] = T(0);
      }
    }
  });
}

// ---- time ----

// The row, among all, that holds the state that row b of time t came from; -1 for the initial state.
FLAMBEAU_INLINE int64_t row_before(const RnnArgs& a, int64_t t, int64_t b) {
  if (!a.reverse) return t == 0 ? -1 : a.starts[t - 1] + b;
  return t + 1 == a.times || b >= a.sizes[t + 1] ? -1 : a.starts[t + 1] + b;
}

// The blocks of rows that threads take: no larger than kRowBlock, and enough of them for all threads.
struct RowBlocks {
  int64_t count, rows;

  RowBlocks(const RnnArgs& a, int threads) {
    count = (a.batch + kRowBlock - 1) / kRowBlock;
    if (count < threads) count = threads < a.batch ? threads : a.batch;
    rows = (a.batch + count - 1) / count;
    count = (a.batch + rows - 1) / rows;
  }
};

// Runs f(first row, rows, working memory) for every block, `bytes` of memory for each thread at a time.
template <class F>
void each_block(const RnnArgs& a, int threads, int64_t bytes, char* room, const F& f) {
  const RowBlocks blocks(a, threads);
  int64_t next = 0;
  parallel(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t lane = begin; lane < end; lane++) {
      for (;;) {
        const int64_t block = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
        if (block >= blocks.count) break;
        const int64_t first = block * blocks.rows;
        f(first, a.batch - first < blocks.rows ? a.batch - first : blocks.rows, room + lane * bytes);
      }
    }
  });
}

// Rows of time t that belong to a block of `rows` rows from `first` on.
FLAMBEAU_INLINE int64_t rows_at(const RnnArgs& a, int64_t t, int64_t first, int64_t rows) {
  const int64_t n = a.sizes[t] - first;
  return n < 0 ? 0 : n < rows ? n : rows;
}

// Where element j of row i lies in slices of `room` rows.
FLAMBEAU_INLINE int64_t slice_at(int64_t room, int64_t i, int64_t j) {
  return (j / kSlice * room + i) * kSlice + j % kSlice;
}
// Copies a row into slices.
template <class T>
FLAMBEAU_INLINE void put_slices(T* slices, int64_t room, int64_t i, const T* row, int64_t n) {
  for (int64_t j = 0; j < n; j += kSlice) {
    const int64_t part = n - j < kSlice ? n - j : kSlice;
    __builtin_memcpy(slices + slice_at(room, i, j), row + j, static_cast<size_t>(part) * sizeof(T));
  }
}

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
