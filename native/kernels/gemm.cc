// The dispatch of matrix products: by element type, over the batch, and to the path that suits the shape.
#include "kernels/gemm.h"

#include "core/allocator.h"
#include "kernels/gemm_blocked.h"
#include "kernels/gemm_complex.h"
#include "kernels/gemm_small.h"
#include "kernels/set.h"
#include "parallel/pool.h"
#include "simd/half.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

constexpr int64_t kThin = 32;            // at most this many rows or columns: bound by the other operand's memory
constexpr int64_t kSmallWork = 1 << 17;  // multiplications that one call of the tiles' loop is best left with
constexpr int64_t kTinyWork = 1 << 12;   // multiplications that take less time than finding working memory
constexpr int64_t kCopied = 4096;        // elements of B that are laid out anew on the stack

enum class Path {
  Scalar,
  Dots,              // a.col == 1 and b.row == 1, after copying the thin operand where it is not so
  Direct,            // b.col == 1
  DirectTransposed,  // as C^T = B^T A^T, a.row == 1
  Copied,            // Direct, after copying a small B
  Blocked
};

// Whether dot products of rows of A and columns of B, both contiguous, take less time than packing B for the tiles.
// Measured, in cycles: a dot product ends with a sum over lanes, and a packed element costs half of one, from afar one.
template <class E>
bool dots_pay(const Product<E>& g) {
  constexpr double L = kLanes<E>;
  const double m = static_cast<double>(g.m), n = static_cast<double>(g.n), k = static_cast<double>(g.k);
  const double padded = static_cast<double>(round_up(g.n, kLanes<E>));
  const double pack = k * n * sizeof(E) <= 1 << 20 ? 0.5 : 1;
  return m * n * (k / (1.5 * L) + 5.7) < pack * k * n + m * padded * k / (2 * L);
}

template <class E>
Path choose(const Product<E>& g) {
  constexpr int64_t L = kLanes<E>;
  const int64_t work = g.m * g.n * g.k;
  if (work <= 128 && !(g.k > 0 && g.b.col == 1 && g.n >= L)) return Path::Scalar;
  const bool direct = g.b.col == 1 && (g.m <= kThin || g.n <= 2 * L || work <= kSmallWork);
  const bool tiles = kPlaced<E> && g.m > 1 && 2 * g.n >= L;  // rows and lanes enough for tiles where the operands lie
  if (tiles && direct) return Path::Direct;
  if (g.k >= 4 * L) {
    const bool few = (g.m <= kThin && g.b.row == 1) || (g.n <= kThin && g.a.col == 1);
    if (few && (!tiles || (g.b.row == 1 && dots_pay(g)))) return Path::Dots;
  }
  if (direct) return Path::Direct;
  if (!tiles && g.n <= kThin && g.a.row == 1 && g.m >= L) return Path::DirectTransposed;
  if (g.k * g.n <= kCopied && (tiles ? work <= kTinyWork : g.n <= 2 * L || work <= kSmallWork)) return Path::Copied;
  return Path::Blocked;
}
template <class T>
Path choose(const Product<Complex<T>>& g) {
  return g.m * g.n * g.k <= 1024 ? Path::Scalar : Path::Blocked;
}

template <class E>
int64_t workspace(const Product<E>& g, int threads) {
  switch (choose(g)) {
    case Path::Blocked: return Blocked<E>(g, threads).bytes();
    case Path::Dots: {
      if (g.a.col != 1) return round_up(g.m * g.k * static_cast<int64_t>(sizeof(E)), 64);
      if (g.b.row != 1) return round_up(g.n * g.k * static_cast<int64_t>(sizeof(E)), 64);
      return 0;
    }
    default: return 0;
  }
}

template <class E>
void copy(Operand<E> src, int64_t rows, int64_t columns, E* dst) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) dst[i * columns + j] = src.p[i * src.row + j * src.col];
  }
}

template <class E>
void run_thin(Product<E> g, Path path, void* space) {
  if (path == Path::Dots) {
    E* dense = static_cast<E*>(space);
    if (g.a.col != 1) {
      copy(g.a, g.m, g.k, dense);
      g.a = {dense, g.k, 1};
    } else if (g.b.row != 1) {
      copy(g.b.transposed(), g.n, g.k, dense);
      g.b = {dense, 1, g.k};
    }
    split(g, [](const Product<E>& part) { multiply_dots(part); });
    return;
  }
  if (path == Path::DirectTransposed) {
    g = {g.n,
         g.m,
         g.k,
         g.b.transposed(),
         g.a.transposed(),
         {g.c.p, g.c.col, g.c.row},
         {g.e.alpha, g.e.beta, g.e.col_bias, g.e.row_bias}};
  }
  split(g, [](const Product<E>& part) { multiply_direct(part); });
}

template <class E>
__attribute__((noinline)) void run_copied(Product<E> g) {
  alignas(64) E dense[kCopied];
  copy(g.b, g.k, g.n, dense);
  g.b = {dense, g.n, 1};
  split(g, [](const Product<E>& part) { multiply_direct(part); });
}

template <class E>
void run(const Product<E>& g, int threads, void* space) {
  const Path path = choose(g);
  if (path == Path::Scalar) return multiply_scalar(g);
  if (path == Path::Blocked) return Blocked<E>(g, threads).run(space);
  if (path == Path::Copied) return run_copied(g);
  run_thin(g, path, space);
}
template <class T>
void run(const Product<Complex<T>>& g, int threads, void* space) {
  if (choose(g) == Path::Scalar) return multiply_scalar(g);
  Blocked<Complex<T>>(g, threads).run(space);
}

// ---- float16 and bfloat16 ----

template <class H>
struct HalfProduct {
  int64_t m, n, k;
  Operand<H> a, b;
  Target<H> c;
  Epilogue<float> e;  // its bias pointers stay null
  const H *row_bias, *col_bias;

  Rounded<H> out() const { return {c, e.alpha, e.beta, row_bias, col_bias}; }
};

// The product of halves goes through float32 copies of pieces of at most kPiece by kPiece elements: three of them are
// 12 MiB at most, and converting an element costs far less than the thousand multiplications that use it. The sums stay
// in float32 over all of k.
constexpr int64_t kPiece = 1024;

template <class H>
struct HalfPieces {
  int64_t m, n, k;
  explicit HalfPieces(const HalfProduct<H>& g)
      : m(even_piece(g.m, kPiece, 1)), n(even_piece(g.n, kPiece, 1)), k(g.k ? even_piece(g.k, kPiece, 1) : 0) {}

  int64_t a_bytes() const { return round_up(m * k * 4, 64); }
  int64_t b_bytes() const { return round_up(k * n * 4, 64); }
  int64_t c_bytes() const { return round_up(m * n * 4, 64); }
};

// A float32 copy of src, which keeps the direction that its elements are contiguous in.
template <class H>
Operand<float> widen_piece(Operand<H> src, int64_t rows, int64_t columns, float* dst) {
  const bool along_rows = src.col == 1 || src.row != 1;
  const Operand<H> s = along_rows ? src : src.transposed();
  const int64_t lines = along_rows ? rows : columns, length = along_rows ? columns : rows;
  parallel(0, lines, 32768 / (length + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const H* line = s.p + i * s.row;
      float* out = dst + i * length;
      if (s.col == 1) {
        convert_halves(length, line, out);
      } else {
        for (int64_t j = 0; j < length; j++) out[j] = to_float(line[j * s.col]);
      }
    }
  });
  return along_rows ? Operand<float>{dst, columns, 1} : Operand<float>{dst, 1, rows};
}

// Finishes the sums [m, n], in place, and rounds them into C.
template <class H>
void narrow_piece(const HalfProduct<H>& g, int64_t i0, int64_t j0, int64_t m, int64_t n, float* sums) {
  const Rounded<H> out = g.out().at(i0, j0);
  parallel(0, m, 32768 / n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) finish_row(n, sums + i * n, out.at(i, 0));
  });
}

template <class H>
int64_t workspace(const HalfProduct<H>& g, int threads) {
  const HalfPieces<H> s(g);
  // The path, and with it the space, depends on the layouts and on the sizes of the last pieces: the most that the
  // blocked one takes and a copy of a thin operand bound them all.
  const int64_t copies = round_up(kThin * s.k * 4, 64);
  const int64_t inner = s.k ? Blocked<float>::most_bytes(s.m, s.n, s.k, threads) : 0;
  return s.a_bytes() + s.b_bytes() + s.c_bytes() + (inner > copies ? inner : copies);
}

template <class H>
void run(const HalfProduct<H>& g, int threads, void* space) {
  const HalfPieces<H> s(g);
  float* a = static_cast<float*>(space);
  float* b = a + s.a_bytes() / 4;
  float* c = b + s.b_bytes() / 4;
  void* inner = c + s.c_bytes() / 4;
  for (int64_t i = 0; i < g.m; i += s.m) {
    const int64_t m = g.m - i < s.m ? g.m - i : s.m;
    for (int64_t j = 0; j < g.n; j += s.n) {
      const int64_t n = g.n - j < s.n ? g.n - j : s.n;
      if (g.k == 0) __builtin_memset(c, 0, static_cast<size_t>(m * n) * 4);
      for (int64_t p = 0; p < g.k; p += s.k) {
        const int64_t k = g.k - p < s.k ? g.k - p : s.k;
        Epilogue<float> e;
        e.beta = p > 0 ? 1.0f : 0.0f;
        const Product<float> piece{
            m, n, k, widen_piece(g.a.at(i, p), m, k, a), widen_piece(g.b.at(p, j), k, n, b), {c, n, 1}, e};
        run(piece, threads, inner);
      }
      narrow_piece(g, i, j, m, n, c);
    }
  }
}

#if FLAMBEAU_BF16_PAIRS
// The same in pairs of bfloat16, without widening them: pieces of C are summed in float32 over all of k, unless the
// sums are complete in registers.
struct PairPieces {
  int64_t m, n;
  bool dots;    // thin, and both operands contiguous along k: nothing to pack
  bool direct;  // rounded from registers

  explicit PairPieces(const HalfProduct<BFloat16>& g)
      : m(even_piece(g.m, kPiece, 1)),
        n(even_piece(g.n, kPiece, 1)),
        dots(g.m <= kThin && g.a.col == 1 && g.b.row == 1),
        direct(!dots && g.k > 0 && Blocked<BFloat16>::one_pass(g.k)) {}

  int64_t c_bytes() const { return direct ? 0 : round_up(m * n * 4, 64); }
  Product<BFloat16> piece(const HalfProduct<BFloat16>& g, int64_t i, int64_t j, float* c) const {
    const int64_t width = g.n - j < n ? g.n - j : n;
    return {g.m - i < m ? g.m - i : m, width, g.k, g.a.at(i, 0), g.b.at(0, j), {c, width, 1}, {}};
  }
};

Product<BFloat16> product_of_pairs(const HalfProduct<BFloat16>& g) {
  return {g.m, g.n, g.k, g.a, g.b, {nullptr, 0, 0}, {}};
}

int64_t workspace_of_pairs(const HalfProduct<BFloat16>& g, int threads) {
  const PairPieces s(g);
  if (s.direct) return Blocked<BFloat16>(product_of_pairs(g), threads).bytes();
  const bool packs = !s.dots && g.k > 0;
  return s.c_bytes() + (packs ? Blocked<BFloat16>::most_bytes(s.m, s.n, g.k, threads) : 0);
}

void run_pairs(const HalfProduct<BFloat16>& g, int threads, void* space) {
  const PairPieces s(g);
  if (s.direct) {
    Product<BFloat16> whole = product_of_pairs(g);
    const Rounded<BFloat16> out = g.out();
    whole.rounded = &out;
    return Blocked<BFloat16>(whole, threads).run(space);
  }
  float* c = static_cast<float*>(space);
  for (int64_t i = 0; i < g.m; i += s.m) {
    for (int64_t j = 0; j < g.n; j += s.n) {
      const Product<BFloat16> piece = s.piece(g, i, j, c);
      if (g.k == 0) {
        __builtin_memset(c, 0, static_cast<size_t>(piece.m * piece.n) * 4);
      } else if (s.dots) {
        split(piece, [](const Product<BFloat16>& p) {
          int64_t at = 0;
          for (; at + 4 <= p.n; at += 4) {
            dot_pairs<4>(p.m, p.k, p.a, p.b.at(0, at).p, p.b.col, p.c.at(0, at), p.e);
          }
          for (; at < p.n; at++) dot_pairs<1>(p.m, p.k, p.a, p.b.at(0, at).p, p.b.col, p.c.at(0, at), p.e);
        });
      } else {
        Blocked<BFloat16>(piece, threads).run(c + s.c_bytes() / 4);
      }
      narrow_piece(g, i, j, piece.m, piece.n, c);
    }
  }
}

int64_t workspace(const HalfProduct<BFloat16>& g, int threads) {
  return has_bf16_pairs() ? workspace_of_pairs(g, threads) : workspace<BFloat16>(g, threads);
}
void run(const HalfProduct<BFloat16>& g, int threads, void* space) {
  if (has_bf16_pairs()) return run_pairs(g, threads, space);
  run<BFloat16>(g, threads, space);
}
#endif

// ---- the batch ----

// What the next matrix of a batch reads, where it lies in one piece and the batch is more than a cache holds.
template <class E>
Wanted<E> next_operands(const GemmArgs& args, const Product<E>& g) {
  constexpr int64_t kHeld = int64_t{1} << 20;
  Wanted<E> wanted;
  const auto want = [&](int which, const Operand<E>& x, int64_t rows, int64_t columns, int64_t batch) {
    const bool dense = (x.col == 1 && x.row == columns) || (x.row == 1 && x.col == rows);
    if (!dense || batch == 0) return;
    wanted.p[which] = x.p + batch;
    wanted.left[which] = rows * columns;
  };
  if (args.batch * (g.m + g.n) * g.k * static_cast<int64_t>(sizeof(E)) <= kHeld) return wanted;
  want(0, g.a, g.m, g.k, args.a_batch);
  want(1, g.b, g.k, g.n, args.b_batch);
  return wanted;
}

// Few large matrices take all threads one after the other, many small ones go to the threads whole.
template <class Problem>
void run_batch(const GemmArgs& args, const Problem& first) {
  const int64_t work = args.m * args.n * args.k;
  const int threads = work * args.batch < kParallelWork ? 1 : num_threads();
  const bool whole = args.batch > 1 && threads > 1 && work < (int64_t{1} << 22);
  const int64_t slots = !whole ? 1 : args.batch < threads ? args.batch : threads;
  const int each = whole ? 1 : threads;
  const int64_t bytes = round_up(workspace(first, each), 64);
  // All memory is taken here, on the calling thread, which may be told that there is none.
  char* space = bytes ? static_cast<char*>(take_workspace(static_cast<size_t>(bytes * slots))) : nullptr;

  auto one = [&](int64_t i, bool last, void* own) {
    Problem g = first;
    g.a.p += i * args.a_batch;
    g.b.p += i * args.b_batch;
    g.c.p += i * args.c_batch;
    if constexpr (requires { g.wanted; }) {
      if (!last) g.wanted = next_operands(args, g);
    }
    run(g, each, own);
  };
  if (!whole) {
    for (int64_t i = 0; i < args.batch; i++) one(i, each > 1 || i + 1 == args.batch, space);
  } else {
    int64_t next = 0;
    const int64_t grain = (1 << 15) / (work + 1) + 1;  // matrices a thread takes at a time
    parallel(0, slots, 1, [&](int64_t slot, int64_t) {
      for (;;) {
        const int64_t begin = __atomic_fetch_add(&next, grain, __ATOMIC_RELAXED);
        if (begin >= args.batch) return;
        const int64_t end = begin + grain < args.batch ? begin + grain : args.batch;
        for (int64_t i = begin; i < end; i++) one(i, i + 1 == end, space + slot * bytes);
      }
    });
  }
  if (space) return_workspace(space, static_cast<size_t>(bytes * slots));
}

template <class E>
Product<E> first_product(const GemmArgs& g, E alpha, E beta) {
  return {g.m,
          g.n,
          g.k,
          {static_cast<const E*>(g.a), g.a_row, g.a_col},
          {static_cast<const E*>(g.b), g.b_row, g.b_col},
          {static_cast<E*>(g.c), g.c_row, g.c_col},
          {alpha, beta, static_cast<const E*>(g.row_bias), static_cast<const E*>(g.col_bias)},
          g.packed_b};
}

template <class E>
void run_type(const GemmArgs& g, E alpha, E beta) {
  run_batch(g, first_product<E>(g, alpha, beta));
}

template <class H>
void run_half(const GemmArgs& g) {
  Epilogue<float> e;
  e.alpha = static_cast<float>(g.alpha.re);
  e.beta = static_cast<float>(g.beta.re);
  const HalfProduct<H> first{g.m,
                             g.n,
                             g.k,
                             {static_cast<const H*>(g.a), g.a_row, g.a_col},
                             {static_cast<const H*>(g.b), g.b_row, g.b_col},
                             {static_cast<H*>(g.c), g.c_row, g.c_col},
                             e,
                             static_cast<const H*>(g.row_bias),
                             static_cast<const H*>(g.col_bias)};
  run_batch(g, first);
}

template <class T>
Complex<T> complex(const GemmScalar& s) {
  return {static_cast<T>(s.re), static_cast<T>(s.im)};
}

template <class T>
void exchange(T& a, T& b) {
  const T old = a;
  a = b;
  b = old;
}

// A batch that shares B and whose rows follow one another is one taller matrix.
void join_batch(GemmArgs& g) {
  if (g.batch > 1 && g.b_batch == 0 && !g.row_bias && g.a_batch == g.m * g.a_row && g.c_batch == g.m * g.c_row) {
    g.m *= g.batch;
    g.batch = 1;
  }
}

// The columns of C are to be the contiguous direction, and a single column is better a row.
bool better_transposed(const GemmArgs& g) { return g.m > 1 && (g.n == 1 || (g.c_col != 1 && g.c_row == 1)); }

void gemm(DType type, const GemmArgs& args) {
  if (args.batch <= 0 || args.m <= 0 || args.n <= 0) return;
  GemmArgs g = args;
  join_batch(g);
  if (better_transposed(g)) {
    exchange(g.m, g.n);
    exchange(g.a, g.b);
    exchange(g.a_batch, g.b_batch);
    exchange(g.a_row, g.b_col);
    exchange(g.a_col, g.b_row);
    exchange(g.c_row, g.c_col);
    exchange(g.row_bias, g.col_bias);
  }
  switch (type) {
    case DType::F32: return run_type<float>(g, static_cast<float>(g.alpha.re), static_cast<float>(g.beta.re));
    case DType::F64: return run_type<double>(g, g.alpha.re, g.beta.re);
    case DType::I64: return run_type<int64_t>(g, g.alpha.integer, g.beta.integer);
    case DType::C64: return run_type<Complex<float>>(g, complex<float>(g.alpha), complex<float>(g.beta));
    case DType::C128: return run_type<Complex<double>>(g, complex<double>(g.alpha), complex<double>(g.beta));
    case DType::F16: return run_half<Half>(g);
    case DType::BF16: return run_half<BFloat16>(g);
    default: return;  // ops/ has converted the other types
  }
}

template <class E>
int64_t form_bytes(const GemmArgs& g) {
  const Product<E> product = first_product<E>(g, E(1), E(0));
  if (g.m <= kThin || choose(product) != Path::Blocked) return 0;
  const Blocked<E> blocked(product, 1);
  return blocked.reads_b_in_place() ? 0 : blocked.form_bytes();
}

int64_t packed_b_bytes(DType type, const GemmArgs& args) {
  if (args.batch <= 0 || args.m <= 0 || args.n <= 0 || (args.batch > 1 && args.b_batch != 0)) return 0;
  GemmArgs g = args;
  join_batch(g);
  if (better_transposed(g)) return 0;
  switch (type) {
    case DType::F32: return form_bytes<float>(g);
    case DType::F64: return form_bytes<double>(g);
    default: return 0;
  }
}

void pack_b(DType type, const GemmArgs& g, void* form) {
  if (type == DType::F32) Blocked<float>(first_product<float>(g, 1, 0), num_threads()).pack_form(form);
  if (type == DType::F64) Blocked<double>(first_product<double>(g, 1, 0), num_threads()).pack_form(form);
}

}  // namespace

void fill(GemmKernels& k) {
  k.gemm = gemm;
  k.packed_b_bytes = packed_b_bytes;
  k.pack_b = pack_b;
}

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
