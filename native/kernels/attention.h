// Scaled dot-product attention by tiles of queries and keys (Dao, "FlashAttention-2", 2023): the scores [L, S] never
// exist as a whole, so that the memory needed grows with the lengths and not with their product.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

// Element (b, h, i, j) lies at p + b * batch + h * head + i * row + j * col; strides count elements and may be 0.
struct AttentionOperand {
  const void* p = nullptr;
  int64_t batch = 0, head = 0, row = 0, col = 1;
};

// out[b, h, i, :] = sum over j of weight(i, j) v[b, h / group, j, :], where the weights are the softmax over j of
// scale * q_i k_j + mask(i, j). Without any j to attend to (all at minus infinity), a row is zero.
struct AttentionArgs {
  DType type = DType::F32;                  // of q, k, v and all gradients: F32, F64, F16, BF16
  int64_t batch = 0, heads = 0, group = 1;  // `heads` of the query; `group` of them share a head of key and value
  int64_t rows = 0, keys = 0;               // L, S
  int64_t width = 0, value_width = 0;       // of q and k; of v and out
  AttentionOperand q, k, v;
  AttentionOperand mask;          // p null for none
  DType mask_type = DType::Bool;  // Bool: true takes part; a floating type: added to the scores
  bool causal = false;            // i attends to j <= i alone
  double scale = 1;
  // A weight is dropped with probability p and else multiplied by 1 / (1 - p). The choice is a hash of the seed and the
  // place, so that backward makes it again.
  double dropout = 0;
  uint64_t seed = 0;
  AttentionOperand out;  // written by forward, read by backward
  // `type`, or float32 for a half type: backward takes small differences of numbers that come from it.
  DType out_type = DType::F32;
  void* lse = nullptr;  // [batch, heads, rows] of the compute type: log of the sum of exp(score); +inf for an empty row
};

// The gradients' columns are contiguous; those of k and v are the sums over the group.
struct AttentionGradients {
  AttentionOperand out;      // of the result, read
  AttentionOperand q, k, v;  // written
};

struct AttentionKernels {
  // Bytes of working memory (64-byte aligned) that the two calls need on up to `threads` threads: linear in the
  // lengths.
  int64_t (*forward_room)(const AttentionArgs& a, int threads);
  int64_t (*backward_room)(const AttentionArgs& a, int threads);
  void (*forward)(const AttentionArgs& a, int threads, void* room);
  void (*backward)(const AttentionArgs& a, const AttentionGradients& g, int threads, void* room);
  // The factors of dropout, 0 or 1 / (1 - p), for [batch * heads, rows, keys] elements of type F32 or F64.
  void (*dropout)(DType type, int64_t planes, int64_t rows, int64_t keys, double p, uint64_t seed, void* out);
};

// clang-format off
namespace baseline { void fill(AttentionKernels& k); }
namespace avx2 { void fill(AttentionKernels& k); }
namespace avx512 { void fill(AttentionKernels& k); }
namespace neon { void fill(AttentionKernels& k); }
// clang-format on

}  // namespace flambeau
