#include "kernels/attention.h"

#include "kernels/attention_backward.h"
#include "kernels/attention_forward.h"
#include "kernels/set.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

int64_t forward_bytes(const AttentionArgs& a, int threads) {
  return a.type == DType::F64 ? forward_room<double>(a, threads) : forward_room<float>(a, threads);
}
int64_t backward_bytes(const AttentionArgs& a, int threads) {
  return a.type == DType::F64 ? backward_room<double>(a, threads) : backward_room<float>(a, threads);
}
void run_forward(const AttentionArgs& a, int threads, void* room) {
  a.type == DType::F64 ? forward<double>(a, threads, room) : forward<float>(a, threads, room);
}
void run_backward(const AttentionArgs& a, const AttentionGradients& g, int threads, void* room) {
  a.type == DType::F64 ? backward<double>(a, g, threads, room) : backward<float>(a, g, threads, room);
}

template <class T>
void fill_dropout(int64_t planes, int64_t rows, int64_t keys, double p, uint64_t seed, T* out) {
  const Dropping<T> dropping(p);
  parallel(0, planes * rows, 8192 / (keys + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) dropping.row(drop_key(seed, i), 0, keys, out + i * keys);
  });
}
void dropout(DType type, int64_t planes, int64_t rows, int64_t keys, double p, uint64_t seed, void* out) {
  if (type == DType::F64)
    fill_dropout(planes, rows, keys, p, seed, static_cast<double*>(out));
  else
    fill_dropout(planes, rows, keys, p, seed, static_cast<float*>(out));
}

}  // namespace

void fill(AttentionKernels& k) { k = {forward_bytes, backward_bytes, run_forward, run_backward, dropout}; }

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
