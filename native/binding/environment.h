// What the addon keeps per JavaScript thread: the scratch buffer, the slot table, and the weak references.
#pragma once
#include <node_api.h>

#include <vector>

#include "core/mapped_file.h"
#include "core/tensor.h"

namespace flambeau {

// A handle is a slot's index (24 bits, from 1) and its generation (8 bits), so that one kept too long is noticed.
struct Slot {
  Tensor* tensor = nullptr;
  napi_ref wrapper = nullptr;
  uint8_t generation = 0;
};

class Environment {
 public:
  explicit Environment(napi_env env) : env_(env) { slots_.resize(1); }
  ~Environment();

  uint32_t add(Ref t);
  Tensor& at(uint32_t handle) const;
  bool alive(uint32_t handle) const;
  void free(uint32_t handle);
  void track(uint32_t handle, napi_value wrapper);
  // The JavaScript object that the tensor is tracked by; null if there is none or it is dead.
  napi_value wrapper(uint32_t handle) const;
  void sweep(bool full);

  // Raises or lowers the flag that makes the next op collect.
  void update_pressure();

  double* scratch = nullptr;
  size_t scratch_slots = 0;
  napi_ref scratch_ref = nullptr;
  napi_ref runtime_error = nullptr;
  uint64_t seen_lost_pages = lost_pages();  // what check_mapped_files compares with
  int64_t live_tensors = 0;
  int64_t live_bytes = 0;  // of storages, counted once per slot that made them

 private:
  void sweep_list(std::vector<uint32_t>& from, std::vector<uint32_t>* survivors);
  int64_t bytes_of(const Slot& s) const;

  napi_env env_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  // V8 promotes an object that survived two scavenges, so a tensor is looked at twice while young; afterwards only a
  // major collection can find its wrapper dead.
  std::vector<uint32_t> young_, middle_, old_;
  int64_t bytes_since_sweep_ = 0;
  int64_t tensors_since_sweep_ = 0;
  int64_t budget_ = kMinimumBudget;
  int64_t old_bytes_ = 0;
  int64_t old_base_ = 0;
  int64_t old_bytes_limit_ = kOldRoom;

  // New storage between two looks: as much as is alive, from 128 MiB on a quarter of it. A minor collection (0.1 to
  // 0.3 ms) takes as long as writing a few MiB, a major one (5 to 15 ms) as writing 100 to 300.
  static constexpr int64_t kMinimumBudget = int64_t{8} << 20;
  static constexpr int64_t kFairBudget = int64_t{128} << 20;
  static constexpr int64_t kOldRoom = int64_t{64} << 20;
  static constexpr int64_t kTensorBudget = 4096;
  static constexpr size_t kMinimumOldCount = 65536;
  size_t old_count_limit_ = kMinimumOldCount;
};

}  // namespace flambeau
