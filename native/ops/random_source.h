// Where an op draws from.
#pragma once
#include <mutex>

#include "ops/index_util.h"
#include "random/generator.h"

namespace flambeau {

// The generator that a call's next argument names, held for the call: JavaScript threads share the default one. In a
// dry run there is none.
class Source {
 public:
  explicit Source(Call& call);
  Generator& operator*() const { return *generator_; }
  Generator* operator->() const { return generator_; }

 private:
  std::unique_lock<std::mutex> lock_;
  Generator* generator_ = nullptr;
};

}  // namespace flambeau
