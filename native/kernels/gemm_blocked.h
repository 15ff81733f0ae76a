// The blocked product of packed panels, after Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008): a slab of B [kc, nc] is packed once and shared by all threads, each thread packs blocks of A
// [mc, kc] for itself and multiplies them with a run of the slab's panels.
#pragma once
#include "kernels/gemm_bf16.h"
#include "kernels/gemm_complex.h"
#include "kernels/gemm_micro.h"
#include "kernels/gemm_pack.h"
#include "kernels/gemm_place.h"
#include "kernels/gemm_small.h"
#include "parallel/pool.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// How elements of type E are packed and multiplied: Unit is what panels are made of, kUnits how many an element takes,
// and kPair how many steps of k are taken at once.
template <class E>
struct Packed {
  using Unit = E;
  static constexpr int kUnits = 1, kPair = 1, kR = kRows<E>, kC = kCols<E>;
  static void pack_a(Unit* dst, Operand<E> a, int64_t m, int64_t k) { pack<E, kR>(dst, a, m, k); }
  static void pack_b(Unit* dst, Operand<E> b, int64_t k, int64_t n) { pack<E, kC>(dst, b.transposed(), n, k); }
  static void multiply(int64_t m, int64_t n, int64_t k, const Unit* a, const Unit* b, Target<E> c,
                       const Epilogue<E>& e) {
    multiply_block(m, n, k, a, b, c, e);
  }
};

template <class T>
struct Packed<Complex<T>> {
  using Unit = T;
  static constexpr int kUnits = 2, kPair = 1, kR = kComplexRows, kC = kComplexCols<T>;
  static void pack_a(T* dst, Operand<Complex<T>> a, int64_t m, int64_t k) { pack_complex<T, kR>(dst, a, m, k); }
  static void pack_b(T* dst, Operand<Complex<T>> b, int64_t k, int64_t n) {
    pack_complex<T, kC>(dst, b.transposed(), n, k);
  }
  static void multiply(int64_t m, int64_t n, int64_t k, const T* a, const T* b, Target<Complex<T>> c,
                       const Epilogue<Complex<T>>& e) {
    multiply_complex(m, n, k, a, b, c, e);
  }
};

#if FLAMBEAU_BF16_PAIRS
template <>
struct Packed<BFloat16> {
  using Unit = BFloat16;
  static constexpr int kUnits = 1, kPair = 2, kR = kRows<float>, kC = kCols<float>;
  static void pack_a(BFloat16* dst, Operand<BFloat16> a, int64_t m, int64_t k) { pack_pairs<kR>(dst, a, m, k); }
  static void pack_b(BFloat16* dst, Operand<BFloat16> b, int64_t k, int64_t n) {
    pack_pairs<kC>(dst, b.transposed(), n, k);
  }
  static void multiply(int64_t m, int64_t n, int64_t k, const BFloat16* a, const BFloat16* b, Target<float> c,
                       const Epilogue<float>& e) {
    multiply_pairs(m, n, k, a, b, SumsOut{c, e});
  }
  static void multiply_rounded(int64_t m, int64_t n, int64_t k, const BFloat16* a, const BFloat16* b,
                               const Rounded<BFloat16>& out) {
    multiply_pairs(m, n, k, a, b, RoundedOut{out});
  }
};
#endif

// The smallest multiple of `unit` that covers x in as many pieces as pieces of `most` would: 300 in pieces of at most
// 256 gives 150 and not 256 + 44.
constexpr int64_t even_piece(int64_t x, int64_t most, int64_t unit) {
  const int64_t pieces = (x + most - 1) / most;
  return round_up((x + pieces - 1) / pieces, unit);
}

template <class E>
class Blocked {
  using P = Packed<E>;
  using Unit = typename P::Unit;
  // A block of A and two panels of B [kDepth, kC] stay in the second-level cache (1 MiB and more on processors with
  // AVX-512, 256 KiB and more on others), a slab of B in the last. The panels are read from front to back, which the
  // processor foresees, so they need not fit in the first level; a larger depth moves C less often.
  static constexpr bool kWide = FLAMBEAU_VEC_BYTES == 64;
  static constexpr int64_t kDepth = (kWide ? 1024 : 256) * P::kPair / P::kUnits;
  static constexpr int64_t kBlockBytes = (kWide ? 384 : 256) << 10, kSlabBytes = 4 << 20;

 public:
  Blocked(const Product<E>& g, int threads) : g_(g), threads_(threads) {
    kc_ = even_piece(g.k, kDepth, P::kPair);
    const int64_t step = kc_ * static_cast<int64_t>(sizeof(E));
    mc_ = even_piece(g.m, round_up(kBlockBytes / step + 1, P::kR), P::kR);
    nc_ = even_piece(g.n, round_up(kSlabBytes / step + 1, P::kC), P::kC);
    if constexpr (kPlaced<E>) {
      const bool a_fits = g.n <= 4 * P::kC || g.a.spread();
      b_here_ = !g.packed_b && g.b.col == 1 && g.m <= 512 && g.b.spread() && a_fits;
      a_here_ = b_here_ || (g.n <= 384 && a_fits);
    }
  }

  bool reads_b_in_place() const { return b_here_; }

  // Whether sums over k are complete when a tile is.
  static bool one_pass(int64_t k) { return k <= kDepth; }

  int64_t bytes() const { return slab_bytes() + threads_ * block_bytes(); }
  // Enough for every product of at most these sizes, whatever its layouts: a smaller one may have larger blocks, where
  // its last one is fuller.
  static int64_t most_bytes(int64_t m, int64_t n, int64_t k, int threads) {
    const int64_t line = (k < kDepth ? round_up(k, P::kPair) : kDepth) * static_cast<int64_t>(sizeof(E));
    const auto space = [&](int64_t lines, int64_t unit, int64_t limit) {
      const int64_t all = round_up(lines, unit) * line, most = limit + unit * line;
      return round_up(all < most ? all : most, 64);
    };
    return space(n, P::kC, kSlabBytes) + threads * space(m, P::kR, kBlockBytes);
  }

  // The packed form of all of B: its slabs one after the other, as run() goes through them.
  int64_t form_bytes() const { return slab_at(round_up(g_.n, P::kC), 0, 0) * static_cast<int64_t>(sizeof(Unit)); }
  void pack_form(void* form) {
    for_each_slab([&](int64_t j, int64_t n, int64_t p, int64_t k) {
      pack_slab(static_cast<Unit*>(form) + slab_at(j, n, p), j, n, p, k);
    });
  }

  // workspace: bytes() bytes, 64-byte aligned.
  void run(void* workspace) {
    blocks_ = static_cast<char*>(workspace) + slab_bytes();
    for_each_slab([&](int64_t j, int64_t n, int64_t p, int64_t k) {
      if (g_.packed_b) return multiply_slab(static_cast<const Unit*>(g_.packed_b) + slab_at(j, n, p), j, n, p, k);
      if (b_here_) return multiply_slab(nullptr, j, n, p, k);
      Unit* slab = static_cast<Unit*>(workspace);
      pack_slab(slab, j, n, p, k);
      multiply_slab(slab, j, n, p, k);
    });
  }

 private:
  int64_t slab_bytes() const {
    return g_.packed_b || b_here_ ? 0 : round_up(nc_ * kc_ * static_cast<int64_t>(sizeof(E)), 64);
  }
  int64_t block_bytes() const { return a_here_ ? 0 : round_up(mc_ * kc_ * static_cast<int64_t>(sizeof(E)), 64); }

  template <class F>
  void for_each_slab(const F& f) const {
    for (int64_t j = 0; j < g_.n; j += nc_) {
      const int64_t n = g_.n - j < nc_ ? g_.n - j : nc_;
      for (int64_t p = 0; p < g_.k; p += kc_) f(j, n, p, g_.k - p < kc_ ? g_.k - p : kc_);
    }
  }

  // Units of a panel's column.
  static int64_t column(int64_t k) { return round_up(k, P::kPair) * P::kUnits; }
  // Where in B's form the slab of columns [j, j + n) and steps from p on begins, in units.
  int64_t slab_at(int64_t j, int64_t n, int64_t p) const {
    return j * column(g_.k) + round_up(n, P::kC) * p * P::kUnits;
  }

  void pack_slab(Unit* slab, int64_t j, int64_t n, int64_t p, int64_t k) const {
    constexpr int64_t C = P::kC;
    const int64_t panels = (n + C - 1) / C;
    auto pack_panels = [&](int64_t begin, int64_t end) {
      const int64_t first = begin * C, last = end * C < n ? end * C : n;
      P::pack_b(slab + first * column(k), g_.b.at(p, j + first), k, last - first);
    };
    if (threads_ == 1) {
      pack_panels(0, panels);
    } else {
      parallel(0, panels, 65536 / (C * k) + 1, pack_panels);
    }
  }

  void multiply_slab(const Unit* slab, int64_t j, int64_t n, int64_t p, int64_t k) {
    constexpr int64_t C = P::kC;
    const int64_t panels = (n + C - 1) / C;
    Epilogue<Sum<E>> e = g_.e;
    if (p > 0) e.beta = Sum<E>(1);
    if (p + k < g_.k) e.row_bias = e.col_bias = nullptr;

    // Tasks: blocks of rows times runs of panels. One run where there are rows enough for all threads, because a block
    // of A is packed anew for every run that another thread had in between.
    const int64_t row_blocks = (g_.m + mc_ - 1) / mc_;
    int64_t runs = threads_ == 1 || row_blocks >= 4 * threads_ ? 1 : (4 * threads_ + row_blocks - 1) / row_blocks;
    if (runs > panels) runs = panels;
    const int64_t tasks = row_blocks * runs;
    int64_t next = 0;
    auto slot = [&](int64_t begin, int64_t) {
      Unit* block = reinterpret_cast<Unit*>(blocks_ + begin * block_bytes());
      int64_t packed = -1;
      for (;;) {
        const int64_t task = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
        if (task >= tasks) return;
        const int64_t i = task / runs * mc_, run = task % runs;
        const int64_t m = g_.m - i < mc_ ? g_.m - i : mc_;
        const int64_t first = panels * run / runs * C, end = panels * (run + 1) / runs * C;
        const int64_t cols = (end < n ? end : n) - first;
        const Unit* b = slab + first * column(k);
        if constexpr (kPlaced<E>) {
          if (a_here_) {
            const auto panels_of_b = b_here_ ? Panels<E>::in_place(g_.b.at(p, j + first)) : Panels<E>::packed(b, k);
            place_block<E>(m, cols, k, g_.a.at(i, p), panels_of_b, g_.c.at(i, j + first), e.at(i, j + first),
                           g_.wanted.any() ? &g_.wanted : nullptr);
            continue;
          }
        }
        if (packed != i) P::pack_a(block, g_.a.at(i, p), m, k);
        packed = i;
        if constexpr (P::kPair > 1) {
          if (g_.rounded) {
            P::multiply_rounded(m, cols, k, block, b, g_.rounded->at(i, j + first));
            continue;
          }
        }
        P::multiply(m, cols, k, block, b, g_.c.at(i, j + first), e.at(i, j + first));
      }
    };
    if (threads_ == 1) {
      slot(0, 1);
    } else {
      parallel(0, threads_, 1, slot);
    }
  }

  Product<E> g_;
  int threads_;
  int64_t mc_, nc_, kc_;
  bool a_here_ = false, b_here_ = false;  // operands that are not packed
  char* blocks_ = nullptr;
};

}  // namespace
}  // namespace FLAMBEAU_SET
}  // namespace flambeau
