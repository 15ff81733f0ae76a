// Independent pieces of one op over threads, each with working memory that is taken before the threads start: what runs
// on them must neither throw nor allocate.
#pragma once
#include "core/tensor.h"
#include "parallel/pool.h"

namespace flambeau {

// Operations below which a thread is not worth waking.
inline constexpr double kThreadWork = 1 << 16;

// Runs fn(i, room) for i in [0, count), with `room` bytes of working memory (64-byte aligned) for each call at a time;
// nothing in a dry run.
// A call costs about `work` operations; several calls go to several threads, while a single one may use them inside.
template <class F>
void for_each_in_room(int64_t count, double work, int64_t room, const F& fn) {
  if (count <= 0 || dry_run()) return;
  const double worth = static_cast<double>(count) * work / kThreadWork + 1;
  int64_t lanes = count < num_threads() ? count : num_threads();
  if (static_cast<double>(lanes) > worth) lanes = static_cast<int64_t>(worth);
  const int64_t step = (room + 63) / 64 * 64;
  const Ref space = empty(Dims{lanes * step}, DType::U8);
  char* base = space->data();
  if (lanes == 1) {
    for (int64_t i = 0; i < count; i++) fn(i, base);
    return;
  }
  parallel(0, lanes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t l = begin; l < end; l++)
      for (int64_t i = l; i < count; i += lanes) fn(i, base + l * step);
  });
}

// Hands out parts of a call's working memory, each 64-byte aligned.
class Room {
 public:
  explicit Room(char* at) : at_(at) {}
  template <class T>
  T* take(int64_t n) {
    T* part = reinterpret_cast<T*>(at_);
    at_ += bytes<T>(n);
    return part;
  }
  template <class T>
  static int64_t bytes(int64_t n) {
    return (n * static_cast<int64_t>(sizeof(T)) + 63) / 64 * 64;
  }

 private:
  char* at_;
};

}  // namespace flambeau
