#include "ops/silent.h"

#include <cstddef>

namespace flambeau {
namespace {

template <class... A>
void silence(void (*&kernel)(A...)) {
  if (kernel) kernel = [](A...) {};
}
template <class T, std::size_t N>
void silence(T (&kernels)[N]) {
  for (T& kernel : kernels) silence(kernel);
}
template <class... T>
void silence_all(T&... kernels) {
  (silence(kernels), ...);
}

}  // namespace

// Every table is taken apart by name, so that one with a kernel more does not compile until the kernel is silenced too.
KernelTable silenced(KernelTable table) {
  auto& [set, convert, pointwise, reduce, gemm, conv, pool, norm, optim, softmax, cross_entropy, fft, peak, checksum,
         attention, rnn] = table;
  {
    auto& [elements, stream, stream_end] = convert;
    silence_all(elements, stream, stream_end);
  }
  {
    auto& [rows] = pointwise;
    silence_all(rows);
  }
  {
    auto& [rows, cols, moments_rows, moments_cols, arg_rows, arg_cols, scan_rows, scan_cols, scan_arg_rows,
           scan_arg_cols] = reduce;
    silence_all(rows, cols, moments_rows, moments_cols, arg_rows, arg_cols, scan_rows, scan_cols, scan_arg_rows,
                scan_arg_cols);
  }
  {
    auto& [product, packed_b_bytes, pack_b] = gemm;
    silence_all(product, pack_b);
    packed_b_bytes = [](DType, const GemmArgs&) -> int64_t { return 0; };
  }
  {
    auto& [forward, packed_bytes, pack, takes_tail, forward_with, backward_input, backward_weight] = conv;
    (void)takes_tail;  // sizes only
    silence_all(forward, pack, forward_with, backward_input, backward_weight);
    packed_bytes = [](DType, const ConvShape&) -> int64_t { return 0; };
  }
  {
    auto& [max_forward, max_backward, avg_forward, avg_backward, adaptive_avg_forward, adaptive_avg_backward,
           adaptive_max_forward, scatter_places] = pool;
    max_backward = [](DType, int64_t, int64_t, int64_t, const void*, const int64_t*, void*) { return true; };
    silence_all(max_forward, avg_forward, avg_backward, adaptive_avg_forward, adaptive_avg_backward,
                adaptive_max_forward, scatter_places);
  }
  {
    auto& [row_forward, row_backward, channel_stats, channel_affine, channel_backward] = norm;
    silence_all(row_forward, row_backward, channel_stats, channel_affine, channel_backward);
  }
  {
    auto& [sgd, adam] = optim;
    silence_all(sgd, adam);
  }
  {
    auto& [forward, log_forward, backward, log_backward] = softmax;
    silence_all(forward, log_forward, backward, log_backward);
  }
  {
    auto& [forward, backward] = cross_entropy;
    silence_all(forward, backward);
  }
  {
    auto& [pass] = fft;
    silence_all(pass);
  }
  {
    auto& [forward_room, backward_room, forward, backward, dropout] = attention;
    (void)forward_room;  // sizes only
    (void)backward_room;
    silence_all(forward, backward, dropout);
  }
  {
    auto& [forward_room, backward_room, forward, backward] = rnn;
    (void)forward_room;
    (void)backward_room;
    silence_all(forward, backward);
  }
  (void)peak;  // its ops refuse the meta device
  // Nothing that reads or writes files serves the meta device.
  static_cast<void>(checksum);
  return table;
}

}  // namespace flambeau
