// Runs float32 kernels over every one of the 2^32 arguments, on every instruction set of this machine, and says how far
// the results are from the true values. `bench/ulp-sweep.mjs` builds, runs and reads it.
//
//   ulp [--only exp,erf] [--sets avx512,avx2,scalar] [--threads 2] [--stride 1] [--check]
//
// Writes a line of JSON per function. The true values are those of the C library in double, 29 bits finer than the
// results; --check measures these in turn against long double where that is a wider type. --stride takes every n-th
// argument only.
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "functions.h"

namespace flambeau::ulp {
namespace {

constexpr int64_t kChunk = 1 << 14;
constexpr int64_t kAll = int64_t{1} << 32;

struct Set {
  const char* name;
  bool available;
  void (*fill)(PointwiseKernels&);
};

std::vector<Set> all_sets() {
#if defined(__x86_64__)
  return {
      {"avx512",
       __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"),
       avx512::fill},
      {"avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), avx2::fill},
      {"scalar", true, baseline::fill}};
#elif defined(__aarch64__)
  return {{"neon", true, neon::fill}, {"scalar", true, baseline::fill}};
#else
  return {{"scalar", true, baseline::fill}};
#endif
}

// Neighbouring floats have neighbouring numbers; both zeros have 0.
int64_t ordinal(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits < 0 ? -static_cast<int64_t>(bits & 0x7fffffff) : bits;
}

// The distance of the floats around x, |x| finite.
double float_ulp(double x) {
  int exponent;
  std::frexp(x, &exponent);
  return std::ldexp(1.0, std::max(exponent - 24, -149));
}

struct Worst {
  double ulp = 0;
  float ulp_at = 0, ulp_at_second = 0;
  int64_t steps = 0;  // from the correctly rounded result
  float steps_at = 0, steps_at_second = 0;
  double denormal_ulp = 0;  // of the results below the smallest normal number
  int64_t wrong = 0;        // NaN for a number, a number for NaN, an infinity for less than the largest float
  float wrong_at = 0;
  int64_t zero_signs = 0;
  int64_t rounded = 0;  // correctly rounded results

  void take(const Worst& o) {
    if (o.ulp > ulp) ulp = o.ulp, ulp_at = o.ulp_at, ulp_at_second = o.ulp_at_second;
    if (o.steps > steps) steps = o.steps, steps_at = o.steps_at, steps_at_second = o.steps_at_second;
    denormal_ulp = std::max(denormal_ulp, o.denormal_ulp);
    if (wrong == 0) wrong_at = o.wrong_at;
    wrong += o.wrong;
    zero_signs += o.zero_signs;
    rounded += o.rounded;
  }

  void see(const Function& f, float x, float second, float value, double truth) {
    const auto best = static_cast<float>(truth);
    if (std::bit_cast<int32_t>(value) == std::bit_cast<int32_t>(best) || (std::isnan(value) && std::isnan(best))) {
      rounded++;
      return;
    }
    if (value == best) {  // zeros
      zero_signs++;
      return;
    }
    const int64_t apart = std::abs(ordinal(value) - ordinal(best));
    if (std::isnan(value) || std::isnan(best) || ((std::isinf(value) || std::isinf(best)) && apart > 1)) {
      if (wrong++ == 0) wrong_at = x;
      return;
    }
    double size = std::fabs(truth);
    int64_t distance = apart;
    if (f.size) {
      size = std::fmax(size, f.size(x));
      distance = static_cast<int64_t>(std::fabs(double{value} - double{best}) / float_ulp(size) + 0.5);
    }
    if (distance > steps) steps = distance, steps_at = x, steps_at_second = second;
    if (std::isinf(value) || std::isinf(best)) return;
    const double error = std::fabs(value - truth) / float_ulp(size);
    if (error > ulp) ulp = error, ulp_at = x, ulp_at_second = second;
    if (std::fabs(truth) < 0x1p-126) denormal_ulp = std::max(denormal_ulp, error);
  }
};

uint64_t mixed(uint64_t i) {  // splitmix64
  i = (i + 1) * 0x9e3779b97f4a7c15;
  i = (i ^ i >> 30) * 0xbf58476d1ce4e5b9;
  i = (i ^ i >> 27) * 0x94d049bb133111eb;
  return i ^ i >> 31;
}

// Every fourth pair is any two floats; the others have a positive base and a result between 2^-152 and 2^130.
void power_arguments(uint64_t i, float* x, float* y) {
  const uint64_t random = mixed(i), more = mixed(~i);
  *x = std::bit_cast<float>(static_cast<uint32_t>(random));
  *y = std::bit_cast<float>(static_cast<uint32_t>(random >> 32));
  if (i % 4 == 0) return;
  *x = std::fabs(*x);
  const double exponent = static_cast<double>(more >> 11) * 0x1p-53 * 282 - 152, l = std::log2(static_cast<double>(*x));
  if (std::isfinite(l) && l != 0) *y = static_cast<float>(exponent / l);
}

struct Job {
  const Function* f;
  std::vector<PointwiseFn> kernels;
  int64_t count, stride;
  std::atomic<int64_t> next{0};
  std::mutex lock;
  std::vector<Worst> worst;

  // The ends of the ranges, which a stride would miss.
  void specials() {
    constexpr uint32_t bits[] = {0, 1, 0x7fffff, 0x800000, 0x3f800000, 0x7f7fffff, 0x7f800000, 0x7fc00000};
    const float one = 1;
    for (const uint32_t b : bits) {
      for (const uint32_t sign : {0u, 0x80000000u}) {
        const float x = std::bit_cast<float>(b | sign), y = f->arguments == Arguments::Powers ? x : one;
        const double truth = f->truth(static_cast<double>(x), static_cast<double>(y));
        const void* const in[] = {f->arguments == Arguments::Gradient ? &one : &x,
                                  f->arguments == Arguments::Gradient ? &x : &y};
        for (size_t k = 0; k < kernels.size(); k++) {
          float value;
          kernels[k](1, in, &value, f->params, false);
          worst[k].see(*f, x, y, value, truth);
        }
      }
    }
  }

  void work() {
    std::vector<float> x(kChunk), second(kChunk), value(kChunk);
    std::vector<double> truth(kChunk);
    std::vector<Worst> mine(kernels.size());
    if (f->arguments == Arguments::Gradient) second.assign(kChunk, 1);
    for (;;) {
      const int64_t begin = next.fetch_add(kChunk);
      if (begin >= count) break;
      const int64_t n = std::min(kChunk, count - begin);
      for (int64_t i = 0; i < n; i++) {
        const auto at = static_cast<size_t>(i);
        if (f->arguments == Arguments::Powers)
          power_arguments(static_cast<uint64_t>(begin + i), &x[at], &second[at]);
        else
          x[at] = std::bit_cast<float>(static_cast<uint32_t>((begin + i) * stride));
        truth[at] = f->truth(static_cast<double>(x[at]), static_cast<double>(second[at]));
      }
      const void* const in[] = {f->arguments == Arguments::Gradient ? second.data() : x.data(),
                                f->arguments == Arguments::Gradient ? x.data() : second.data()};
      for (size_t k = 0; k < kernels.size(); k++) {
        kernels[k](n, in, value.data(), f->params, false);
        for (size_t i = 0; i < static_cast<size_t>(n); i++) mine[k].see(*f, x[i], second[i], value[i], truth[i]);
      }
    }
    std::lock_guard<std::mutex> guard(lock);
    for (size_t k = 0; k < kernels.size(); k++) worst[k].take(mine[k]);
  }
};

// The largest error of `truth`, in ulp of double, over some random arguments.
double check(const Function& f) {
  double worst = 0;
  for (uint64_t i = 0; i < 2'000'000; i++) {
    float x = std::bit_cast<float>(static_cast<uint32_t>(mixed(i))), y = 0;
    if (f.arguments == Arguments::Powers) power_arguments(i, &x, &y);
    const double value = f.truth(static_cast<double>(x), static_cast<double>(y));
    const long double best = f.wide(x, y);
    double size = std::fabs(static_cast<double>(best));
    if (f.size) size = std::fmax(size, f.size(static_cast<double>(x)));
    if (!(size < 0x1p128) || size < 0x1p-160 || !std::isfinite(value)) continue;
    int exponent;
    std::frexp(size, &exponent);
    worst = std::fmax(worst, static_cast<double>(std::fabs(value - best)) / std::ldexp(1.0, exponent - 53));
  }
  return worst;
}

bool listed(const std::string& list, const char* name) {
  return list.empty() || ("," + list + ",").find("," + std::string(name) + ",") != std::string::npos;
}

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", x);
  return std::isfinite(x) ? text : "\"" + std::string(text) + "\"";
}

int run(int argc, char** argv) {
  std::string only, wanted;
  int threads = static_cast<int>(std::thread::hardware_concurrency());
  int64_t stride = 1;
  bool checking = false;
  for (int i = 1; i < argc; i++) {
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (!std::strcmp(argv[i], "--only")) {
      only = value();
    } else if (!std::strcmp(argv[i], "--sets")) {
      wanted = value();
    } else if (!std::strcmp(argv[i], "--threads")) {
      threads = std::max(1, std::atoi(value()));
    } else if (!std::strcmp(argv[i], "--stride")) {
      stride = std::max(1LL, std::atoll(value()));
    } else if (!std::strcmp(argv[i], "--check")) {
      checking = true;
    } else {
      std::fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
  }
  std::vector<Set> sets;
  for (const Set& s : all_sets())
    if (s.available && listed(wanted, s.name)) sets.push_back(s);
  std::vector<PointwiseKernels> tables(sets.size());
  for (size_t k = 0; k < sets.size(); k++) sets[k].fill(tables[k]);

  for (const Function& f : kFunctions) {
    if (!listed(only, f.name)) continue;
    std::printf("{\"name\": \"%s\"", f.name);
    if (checking) {
      constexpr bool kWider = std::numeric_limits<long double>::digits > 53;
      std::printf(", \"reference\": %s}\n", kWider ? number(check(f)).c_str() : "null");
      std::fflush(stdout);
      continue;
    }
    Job job;
    job.f = &f;
    job.stride = stride;
    job.count = (f.arguments == Arguments::Powers ? kAll / 16 : kAll) / stride;
    job.worst.resize(sets.size());
    for (const PointwiseKernels& t : tables)
      job.kernels.push_back(t.fn[static_cast<int>(f.row)][static_cast<int>(Compute::F32)]);
    job.specials();
    for (Worst& w : job.worst) w.rounded = 0;
    std::vector<std::thread> crew;
    for (int i = 1; i < threads; i++) crew.emplace_back([&] { job.work(); });
    job.work();
    for (std::thread& t : crew) t.join();
    std::printf(", \"arguments\": %lld, \"sets\": {", static_cast<long long>(job.count));
    for (size_t k = 0; k < sets.size(); k++) {
      const Worst& w = job.worst[k];
      // Above a half only: results that are correctly rounded are not looked at more closely.
      std::printf(
          "%s\"%s\": {\"ulp\": %s, \"at\": [%s, %s], \"steps\": %lld, \"stepsAt\": [%s, %s], \"denormal\": %s, "
          "\"wrong\": %lld, \"wrongAt\": %s, \"zeroSigns\": %lld, \"rounded\": %s}",
          k ? ", " : "", sets[k].name, number(std::fmax(w.ulp, 0.5)).c_str(),
          number(static_cast<double>(w.ulp_at)).c_str(), number(static_cast<double>(w.ulp_at_second)).c_str(),
          static_cast<long long>(w.steps), number(static_cast<double>(w.steps_at)).c_str(),
          number(static_cast<double>(w.steps_at_second)).c_str(), number(w.denormal_ulp).c_str(),
          static_cast<long long>(w.wrong), number(static_cast<double>(w.wrong_at)).c_str(),
          static_cast<long long>(w.zero_signs),
          number(static_cast<double>(w.rounded) / static_cast<double>(job.count)).c_str());
    }
    std::printf("}}\n");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace flambeau::ulp

int main(int argc, char** argv) { return flambeau::ulp::run(argc, argv); }
