// Recurrent layers: one direction of one layer over all times, the input's share of the gates given. The rows of the
// batch are independent of one another, so each thread takes some of them through the whole sequence.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace flambeau {

enum class RnnMode : uint8_t { Tanh, Relu, Lstm, Gru };
constexpr int64_t rnn_gates(RnnMode mode) { return mode == RnnMode::Lstm ? 4 : mode == RnnMode::Gru ? 3 : 1; }

// All arrays are row-major and of type F32 or F64. Time t has sizes[t] rows, the first ones of the batch, which start
// at row starts[t] of those arrays that hold all `total` rows; sizes do not grow. G = rnn_gates(mode).
struct RnnArgs {
  DType type = DType::F32;
  RnnMode mode = RnnMode::Tanh;
  bool reverse = false;
  int64_t times = 0, batch = 0, hidden = 0;  // batch is sizes[0]
  const int64_t* sizes = nullptr;
  const int64_t* starts = nullptr;
  const void* weight = nullptr;    // [G H, H]
  const void* new_bias = nullptr;  // GRU: [H], added to the hidden state's share of the new gate; or null
  const void* h0 = nullptr;        // [batch, H]
  const void* c0 = nullptr;        // LSTM: [batch, H]
  // [total, G H]. Forward finds the input's share, biases included, and leaves the gates after their nonlinearities (i,
  // f, g, o or r, z, n).
  void* gates = nullptr;
  void* hidden_new = nullptr;  // GRU: [total, H], the hidden state's share of the new gate
  void* cells = nullptr;       // LSTM: [total, H]
  void* y = nullptr;           // [total, H]
};

struct RnnGradients {
  const void* y = nullptr;       // [total, H]
  const void* last = nullptr;    // [batch, H], of the final hidden state; or null
  const void* cell = nullptr;    // LSTM: of the final cell; or null
  void* gates = nullptr;         // [total, G H], of the input's share
  void* hidden_gates = nullptr;  // GRU: [total, 3 H], of the hidden state's share; else null: they are the same
  void* before = nullptr;        // [total, H]: the hidden state that every row came from
  void* h0 = nullptr;            // [batch, H]
  void* c0 = nullptr;            // LSTM: [batch, H]
};

struct RnnKernels {
  // Bytes of working memory (64-byte aligned) of the two calls on up to `threads` threads.
  int64_t (*forward_room)(const RnnArgs& a, int threads);
  int64_t (*backward_room)(const RnnArgs& a, int threads);
  void (*forward)(const RnnArgs& a, int threads, void* room);
  void (*backward)(const RnnArgs& a, const RnnGradients& g, int threads, void* room);
};

// clang-format off
namespace baseline { void fill(RnnKernels& k); }
namespace avx2 { void fill(RnnKernels& k); }
namespace avx512 { void fill(RnnKernels& k); }
namespace neon { void fill(RnnKernels& k); }
// clang-format on

}  // namespace flambeau
