#include "binding/environment.h"

#include <algorithm>

namespace flambeau {
namespace {
constexpr uint32_t kIndexMask = (1u << 24) - 1;
}

Environment::~Environment() {
  // The references die with the environment; the tensors are ours to drop.
  for (Slot& s : slots_)
    if (s.tensor) drop_tensor(s.tensor);
}

// A storage is charged to the environment once for each tensor that is its only user when it comes or goes.
int64_t Environment::bytes_of(const Slot& s) const {
  return s.tensor->storage->refs.load(std::memory_order_relaxed) == 1 ? s.tensor->storage->held() : 0;
}

uint32_t Environment::add(Ref t) {
  uint32_t index;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    FLAMBEAU_CHECK(slots_.size() <= kIndexMask, Kind::Runtime, "more than %u tensors are alive", kIndexMask);
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  Slot& s = slots_[index];
  s.tensor = t.leak();
  const int64_t bytes = bytes_of(s);
  live_tensors++;
  live_bytes += bytes;
  bytes_since_sweep_ += bytes;
  return index | (static_cast<uint32_t>(s.generation) << 24);
}

bool Environment::alive(uint32_t handle) const {
  const uint32_t index = handle & kIndexMask;
  return index != 0 && index < slots_.size() && slots_[index].tensor && slots_[index].generation == handle >> 24;
}

Tensor& Environment::at(uint32_t handle) const {
  FLAMBEAU_CHECK(alive(handle), Kind::Runtime, "the tensor was disposed and cannot be used any more");
  return *slots_[handle & kIndexMask].tensor;
}

void Environment::free(uint32_t handle) {
  if (!alive(handle)) return;
  const uint32_t index = handle & kIndexMask;
  Slot& s = slots_[index];
  const int64_t bytes = bytes_of(s);
  live_tensors--;
  live_bytes -= bytes;
  bytes_since_sweep_ = std::max<int64_t>(0, bytes_since_sweep_ - bytes);
  if (s.wrapper) napi_delete_reference(env_, s.wrapper);
  s.wrapper = nullptr;
  drop_tensor(s.tensor);
  s.tensor = nullptr;
  s.generation++;
  free_.push_back(index);
}

void Environment::track(uint32_t handle, napi_value wrapper) {
  if (!alive(handle)) return;
  Slot& s = slots_[handle & kIndexMask];
  if (s.wrapper) return;
  FLAMBEAU_CHECK(napi_create_reference(env_, wrapper, 0, &s.wrapper) == napi_ok, Kind::Runtime,
                 "no weak reference could be made");
  young_.push_back(handle);
  tensors_since_sweep_++;
}

napi_value Environment::wrapper(uint32_t handle) const {
  napi_value value = nullptr;
  if (alive(handle) && slots_[handle & kIndexMask].wrapper)
    napi_get_reference_value(env_, slots_[handle & kIndexMask].wrapper, &value);
  return value;
}

void Environment::update_pressure() {
  if (!scratch) return;
  const bool due = bytes_since_sweep_ > budget_ || tensors_since_sweep_ > kTensorBudget;
  scratch[0] = !due ? 0 : old_bytes_ > old_bytes_limit_ || old_.size() > old_count_limit_ ? 2 : 1;
}

void Environment::sweep_list(std::vector<uint32_t>& from, std::vector<uint32_t>* survivors) {
  size_t left = 0;
  for (const uint32_t handle : from) {
    if (!alive(handle)) continue;
    napi_value value = nullptr;
    napi_get_reference_value(env_, slots_[handle & kIndexMask].wrapper, &value);
    if (value == nullptr)
      free(handle);
    else if (survivors)
      survivors->push_back(handle);
    else
      from[left++] = handle;
  }
  from.resize(left);
}

void Environment::sweep(bool full) {
  napi_handle_scope scope;
  napi_open_handle_scope(env_, &scope);
  if (full) sweep_list(old_, nullptr);
  sweep_list(middle_, &old_);
  sweep_list(young_, full ? &old_ : &middle_);  // a major collection promotes all that it finds alive
  napi_close_handle_scope(env_, scope);
  old_bytes_ = 0;
  for (const uint32_t handle : old_)
    if (alive(handle)) old_bytes_ += bytes_of(slots_[handle & kIndexMask]);
  // What a graph lets go of leaves the old without a collection: what is left is what garbage is measured by.
  old_base_ = full ? old_bytes_ : std::min(old_base_, old_bytes_);
  old_bytes_limit_ = old_base_ + std::max(kOldRoom, old_base_ / 4);
  if (full) old_count_limit_ = std::max(kMinimumOldCount, 2 * old_.size());
  bytes_since_sweep_ = 0;
  tensors_since_sweep_ = 0;
  budget_ = std::max(kMinimumBudget, std::min(live_bytes, std::max(kFairBudget, live_bytes / 4)));
  update_pressure();
}

}  // namespace flambeau
