// The side of run.mjs's protocol (serve.mjs) that the C++ peers speak.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>

namespace bench {

using Call = std::function<void()>;

// One request: a line of JSON whose keys are unique in the line, as those of the rows are.
class Request {
 public:
  explicit Request(std::string line) : line_(std::move(line)) {}

  bool has(const std::string& key) const { return at(key) != nullptr; }
  // The number or truth value of `key`; `otherwise` where it is not given or null.
  double number(const std::string& key, double otherwise = 0) const {
    const char* value = at(key);
    if (!value || *value == 'n') return otherwise;
    if (*value == 't' || *value == 'f') return *value == 't';
    return std::strtod(value, nullptr);
  }
  long size(const std::string& key, long otherwise = 0) const { return static_cast<long>(number(key, otherwise)); }
  std::string text(const std::string& key, const std::string& otherwise = "") const {
    const char* value = at(key);
    if (!value || *value != '"') return otherwise;
    const std::string rest(value + 1);
    return rest.substr(0, rest.find('"'));
  }

 private:
  const char* at(const std::string& key) const {
    const auto found = line_.find("\"" + key + "\":");
    return found == std::string::npos ? nullptr : line_.c_str() + found + key.size() + 3;
  }

  std::string line_;
};

inline double processor_seconds() {
  rusage use;
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

inline void time(const Call& call, double ms, long inner) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const double before = processor_seconds();
  long calls = 0;
  double wall = 0;
  do {
    for (long i = 0; i < inner; i++) call();
    calls += inner;
    wall = std::chrono::duration<double>(Clock::now() - start).count();
  } while (wall * 1e3 < ms);
  const double n = static_cast<double>(calls);
  std::printf("{\"wall\":%.6g,\"cpu\":%.6g,\"calls\":%ld}\n", wall * 1e6 / n, (processor_seconds() - before) * 1e6 / n,
              calls);
}

// Answers until the input ends. `make` prepares the call that is timed; an empty one says that there is none of this
// kind.
inline int serve(const std::function<Call(const Request&)>& make) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::puts("\"ready\"");
  std::string name;
  Call call;
  for (std::string line; std::getline(std::cin, line);) {
    const Request request(line);
    if (request.has("memory")) {
      rusage use;
      getrusage(RUSAGE_SELF, &use);
      std::printf("{\"peak\":%ld}\n", use.ru_maxrss * 1024);
      continue;
    }
    if (request.text("name") != name) {
      call = nullptr;  // what the last one holds is given back first
      call = make(request);
      name = request.text("name");
    }
    if (call)
      time(call, request.number("ms"), request.size("inner", 1));
    else
      std::puts("{\"missing\":true}");
  }
  return 0;
}

}  // namespace bench
