#include "core/mapped_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

namespace flambeau {

std::atomic<uint64_t> lost_page_count{0};

namespace {

// A mapped file. The signal handler walks the list without a lock: nodes are never freed, only used again.
struct Mapping {
  std::atomic<char*> begin{nullptr};
  std::atomic<size_t> size{0};
  Mapping* next = nullptr;
};

std::atomic<Mapping*> mappings{nullptr};
std::mutex registry;
struct sigaction previous;

const Mapping* mapping_at(const char* address) {
  for (const Mapping* m = mappings.load(std::memory_order_acquire); m; m = m->next) {
    const char* begin = m->begin.load(std::memory_order_acquire);
    if (begin && address >= begin && address < begin + m->size.load(std::memory_order_relaxed)) return m;
  }
  return nullptr;
}

// A page that the file no longer has raises SIGBUS. Zeros take the place of this page and all behind it, as libwayland
// does for buffers that a client cuts short; any other fault goes to the handler that was there before.
void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  char* address = static_cast<char*>(info->si_addr);
  if (const Mapping* m = mapping_at(address)) {
    char* begin = m->begin.load(std::memory_order_relaxed);
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t from = static_cast<size_t>(address - begin) / page * page;
    const size_t length = m->size.load(std::memory_order_relaxed) - from;
    lost_page_count.fetch_add(1, std::memory_order_relaxed);
    if (mmap(begin + from, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
        MAP_FAILED) {
      errno = saved;
      return;
    }
  }
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    // The instruction runs again, faults again, and the process ends as it would have without this handler.
    struct sigaction standard = {};
    standard.sa_handler = SIG_DFL;
    sigaction(SIGBUS, &standard, nullptr);
  }
  errno = saved;
}

void enter(char* begin, size_t size) {
  std::lock_guard guard(registry);
  static bool installed = false;
  if (!installed) {
    struct sigaction action = {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous);
    installed = true;
  }
  Mapping* m = mappings.load(std::memory_order_relaxed);
  while (m && m->begin.load(std::memory_order_relaxed)) m = m->next;
  const bool fresh = m == nullptr;
  if (fresh) m = new Mapping;
  m->size.store(size, std::memory_order_relaxed);
  m->begin.store(begin, std::memory_order_release);
  if (fresh) {
    m->next = mappings.load(std::memory_order_relaxed);
    mappings.store(m, std::memory_order_release);
  }
}

void unmap(Storage* s) {
  {
    std::lock_guard guard(registry);
    for (Mapping* m = mappings.load(std::memory_order_relaxed); m; m = m->next)
      if (m->begin.load(std::memory_order_relaxed) == s->data) m->begin.store(nullptr, std::memory_order_release);
  }
  munmap(s->data, static_cast<size_t>(s->bytes));
}

}  // namespace

Storage* map_file(int fd) {
  struct stat info;
  FLAMBEAU_CHECK(fstat(fd, &info) == 0, Kind::Runtime, "the file cannot be mapped: %s", std::strerror(errno));
  FLAMBEAU_CHECK(S_ISREG(info.st_mode), Kind::Runtime, "only a regular file can be mapped");
  if (info.st_size == 0) return new_storage(0);
  const size_t size = static_cast<size_t>(info.st_size);
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  FLAMBEAU_CHECK(data != MAP_FAILED, Kind::Runtime, "the file cannot be mapped: %s", std::strerror(errno));
  enter(static_cast<char*>(data), size);
  return foreign_storage(data, static_cast<int64_t>(size), unmap, nullptr);
}

Storage* part_of_storage(Storage* whole, int64_t offset, int64_t bytes) {
  FLAMBEAU_CHECK(offset >= 0 && bytes >= 0 && offset <= whole->bytes - bytes, Kind::Range,
                 "bytes [%lld, %lld) are outside a storage of %lld bytes", static_cast<long long>(offset),
                 static_cast<long long>(offset + bytes), static_cast<long long>(whole->bytes));
  if (bytes == 0) return new_storage(0);
  pin_storage(whole);
  whole->parted.store(true, std::memory_order_relaxed);
  return foreign_storage(
      static_cast<char*>(whole->data) + offset, bytes,
      [](Storage* s) { unpin_storage(static_cast<Storage*>(s->owner)); }, whole);
}

}  // namespace flambeau
