#include "parallel/pool.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace flambeau {
namespace {

constexpr int kMaxThreads = 1024;

// More chunks than threads, because a thread that loses its core for a moment must not hold up the others; not many
// more, because every chunk costs an atomic increment and a cold start of the loop behind it.
constexpr int64_t kChunksPerThread = 4;

// How long an idle thread looks for work before it sleeps: longer than the gap between two operations of a training
// step, short enough not to be seen as load. Waking a sleeping thread costs 5 to 50 us.
constexpr auto kSpinTime = std::chrono::microseconds(40);

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// A container is often given less processor time than the machine has cores (cgroup v2's cpu.max).
int quota_threads() {
  FILE* f = std::fopen("/sys/fs/cgroup/cpu.max", "re");
  if (!f) return kMaxThreads;
  long long quota = 0, period = 0;
  const int got = std::fscanf(f, "%lld %lld", &quota, &period);
  std::fclose(f);
  if (got != 2 || quota <= 0 || period <= 0) return kMaxThreads;  // "max": no limit
  const long long n = (quota + period - 1) / period;
  return n < kMaxThreads ? static_cast<int>(n) : kMaxThreads;
}

int default_threads() {
  if (const char* text = std::getenv("FLAMBEAU_NUM_THREADS")) {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    if (end != text && *end == '\0' && n >= 1 && n <= kMaxThreads) return static_cast<int>(n);
  }
  long n = 0;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
#endif
  if (n < 1) n = sysconf(_SC_NPROCESSORS_ONLN);
  if (n < 1) n = 1;
  if (n > kMaxThreads) n = kMaxThreads;
  const int quota = quota_threads();
  return n < quota ? static_cast<int>(n) : quota;
}

thread_local bool inside = false;

// Keeps this library mapped for good: Node unloads an addon that only a worker thread had loaded, and the threads here
// would wake up in unmapped code.
void pin_library() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&num_threads), &info) && info.dli_fname) {
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
}

// Blocks signals for the threads that are started in its lifetime. Those from outside are the main thread's business;
// faults are the thread's own: one that is blocked ends the process, whatever its handler (core/mapped_file.cc) could
// have mended.
class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t outside;
    sigfillset(&outside);
    for (int fault : {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGSYS}) sigdelset(&outside, fault);
    pthread_sigmask(SIG_SETMASK, &outside, &old_);
  }
  WithoutSignals(const WithoutSignals&) = delete;
  WithoutSignals& operator=(const WithoutSignals&) = delete;
  ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &old_, nullptr); }

 private:
  sigset_t old_;
};

// One job at a time. The caller publishes the job's fields, opens it, works, closes it and waits until no worker is
// inside. A worker enters (`active`), looks whether the job is open, works, and leaves; all four accesses are
// sequentially consistent, so either the worker sees the job closed or the caller sees the worker inside. Fields are
// therefore only written while nobody can read them.
class Pool {
 public:
  explicit Pool(int threads) : target_(threads) {}

  int threads() const { return target_.load(std::memory_order_relaxed); }

  void resize(int n) {
    std::lock_guard<std::mutex> lock(mutex_);
    target_.store(n, std::memory_order_relaxed);
    wake_.notify_all();  // those beyond the new size end
  }

  void run(int64_t begin, int64_t end, int64_t grain, RangeFn fn, void* context) {
    const int64_t n = end - begin;
    const int threads = this->threads();
    if (inside || threads < 2 || n <= grain || busy_.exchange(true, std::memory_order_acquire)) {
      fn(context, begin, end);
      return;
    }
    int64_t chunks = n / grain;
    if (chunks > threads * kChunksPerThread) chunks = threads * kChunksPerThread;
    if (chunks < 2) {
      busy_.store(false, std::memory_order_release);
      fn(context, begin, end);
      return;
    }
    if (started_ < threads - 1) {
      try {
        start(threads - 1);
      } catch (...) {
        busy_.store(false, std::memory_order_release);
        throw;
      }
    }

    fn_ = fn;
    context_ = context;
    begin_ = begin;
    size_ = n;
    chunks_ = chunks;
    next_.store(0, std::memory_order_relaxed);
    open_.store(true);
    epoch_.fetch_add(1);
    if (sleeping_.load() > 0) {
      std::lock_guard<std::mutex> lock(mutex_);  // a thread about to sleep has either seen the epoch or is waiting
      wake_.notify_all();
    }
    inside = true;
    work();
    inside = false;
    open_.store(false);
    for (int spins = 0; active_.load() != 0; spins++) {
      if (spins < 4000) {
        relax();
      } else {
        std::this_thread::yield();
      }
    }
    const std::exception_ptr error = std::exchange(error_, nullptr);
    failed_.store(false, std::memory_order_relaxed);
    busy_.store(false, std::memory_order_release);
    if (error) std::rethrow_exception(error);
  }

 private:
  void work() {
    const int64_t chunks = chunks_;
    for (;;) {
      const int64_t i = next_.fetch_add(1, std::memory_order_relaxed);
      if (i >= chunks) return;
      // Boundaries i * size / chunks without overflow: every chunk has the floor of size / chunks elements or one more.
      const int64_t each = size_ / chunks, rest = size_ % chunks;
      const int64_t b = i * each + (i < rest ? i : rest);
      const int64_t e = b + each + (i < rest ? 1 : 0);
      try {
        fn_(context_, begin_ + b, begin_ + e);
      } catch (...) {
        // The caller throws it again once no thread is left in the job; the other chunks are left out.
        next_.store(chunks, std::memory_order_relaxed);
        if (!failed_.exchange(true)) error_ = std::current_exception();
      }
    }
  }

  // Called by the owner of busy_ only.
  void start(int workers) {
    pin_library();
    std::lock_guard<std::mutex> lock(mutex_);
    {
      const WithoutSignals guard;
      for (int i = 0; i < workers; i++) {
        if (running_[i]) continue;
        try {
          std::thread(&Pool::worker, this, i).detach();  // the pool is never destroyed, so exit needs no join
          running_[i] = true;
        } catch (const std::exception&) {
          break;  // the system has no more threads, or no memory for one: those that run do all the work
        }
      }
    }
    started_ = workers;
  }

  void worker(int index) {
    inside = true;
    uint64_t seen = 0;
    for (;;) {
      if (!await(index, seen)) return;
      active_.fetch_add(1);
      if (open_.load()) work();
      active_.fetch_sub(1);
    }
  }

  // Waits for a new epoch; false when this thread is to end.
  bool await(int index, uint64_t& seen) {
    const auto limit = std::chrono::steady_clock::now() + kSpinTime;
    do {
      for (int i = 0; i < 64; i++) {
        const uint64_t now = epoch_.load();
        if (now != seen && index < threads() - 1) {
          seen = now;
          return true;
        }
        relax();
      }
    } while (std::chrono::steady_clock::now() < limit);

    std::unique_lock<std::mutex> lock(mutex_);
    sleeping_.fetch_add(1);
    while (epoch_.load() == seen && index < threads() - 1) wake_.wait(lock);
    sleeping_.fetch_sub(1);
    seen = epoch_.load();
    if (index < threads() - 1) return true;
    running_[index] = false;
    started_ = 0;  // start() looks again at who is running
    return false;
  }

  std::atomic<int> target_;
  std::atomic<bool> busy_{false};

  RangeFn fn_ = nullptr;
  void* context_ = nullptr;
  int64_t begin_ = 0, size_ = 0, chunks_ = 0;
  std::exception_ptr error_;  // the first of the job, by whoever set failed_
  std::atomic<bool> failed_{false};

  // Each on its own cache line: workers hammer next_, sleepers poll epoch_.
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint64_t> epoch_{0};
  alignas(64) std::atomic<int> active_{0};
  std::atomic<bool> open_{false};
  std::atomic<int> sleeping_{0};

  alignas(64) std::mutex mutex_;
  std::condition_variable wake_;
  bool running_[kMaxThreads] = {};  // under mutex_
  std::atomic<int> started_{0};     // every worker below this index is running, or could not be started
};

std::atomic<Pool*> current{nullptr};

// The child of a fork has only the forking thread: it gets a new pool, and the old one's memory is left alone.
void after_fork() {
  if (Pool* old = current.load()) current.store(new Pool(old->threads()));
}

Pool& pool() {
  Pool* p = current.load(std::memory_order_acquire);
  if (p) return *p;
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork(nullptr, nullptr, after_fork);
    current.store(new Pool(default_threads()), std::memory_order_release);
  });
  return *current.load(std::memory_order_acquire);
}

}  // namespace

void parallel_for(int64_t begin, int64_t end, int64_t grain, RangeFn fn, void* context) {
  if (begin >= end) return;
  if (grain < 1) grain = 1;
  if (end - begin <= grain) {
    fn(context, begin, end);
    return;
  }
  pool().run(begin, end, grain, fn, context);
}

int num_threads() { return pool().threads(); }

void set_num_threads(int n) {
  if (n < 1) n = 1;
  if (n > kMaxThreads) n = kMaxThreads;
  pool().resize(n);
}

}  // namespace flambeau
