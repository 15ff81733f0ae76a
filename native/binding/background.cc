#include "binding/background.h"

#include <limits>
#include <memory>

#include "binding/support.h"
#include "ops/file.h"

namespace flambeau {
namespace {

struct Write {
  int fd;
  Storage* storage;
  const char* data;  // where the bytes are now: the storage may grow meanwhile
  int64_t bytes;
  uint32_t crc;
  FileOutcome outcome = 0;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;

  Write(int fd, Storage* storage, int64_t offset, int64_t bytes, uint32_t crc)
      : fd(fd), storage(storage), data(static_cast<const char*>(storage->data) + offset), bytes(bytes), crc(crc) {
    pin_storage(storage);
  }
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;
  ~Write() { unpin_storage(storage); }
};

void run(napi_env, void* data) {
  Write& w = *static_cast<Write*>(data);
  w.outcome = write_range(w.fd, w.data, w.bytes, w.crc);
}

// On the JavaScript thread again; the status is of no interest, since only the end of the environment cancels the work
// and then nobody hears the promise.
void finish(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Write> w(static_cast<Write*>(data));
  napi_value outcome;
  if (napi_create_double(env, w->outcome, &outcome) == napi_ok) napi_resolve_deferred(env, w->deferred, outcome);
  napi_delete_async_work(env, w->work);
}

}  // namespace

napi_value write_in_background(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<5> args(env, info);
    const Tensor& t = environment(env).at(args.handle(env, 1));
    const double fd = args.number(env, 0), offset = args.number(env, 2), bytes = args.number(env, 3);
    FLAMBEAU_CHECK(!t.meta(), Kind::Runtime, "Not available for 'meta' device type");
    FLAMBEAU_CHECK(fd >= 0 && fd <= std::numeric_limits<int>::max(), Kind::Type, "expected a file descriptor");
    FLAMBEAU_CHECK(offset >= 0 && bytes >= 0 && offset + bytes <= static_cast<double>(t.storage->bytes), Kind::Range,
                   "bytes [%.0f, %.0f) are outside a storage of %lld bytes", offset, offset + bytes,
                   static_cast<long long>(t.storage->bytes));
    auto w = std::make_unique<Write>(static_cast<int>(fd), t.storage, static_cast<int64_t>(offset),
                                     static_cast<int64_t>(bytes), args.handle(env, 4));
    napi_value promise, name;
    FLAMBEAU_CHECK(napi_create_promise(env, &w->deferred, &promise) == napi_ok &&
                       napi_create_string_utf8(env, "flambeau.write", NAPI_AUTO_LENGTH, &name) == napi_ok &&
                       napi_create_async_work(env, nullptr, name, run, finish, w.get(), &w->work) == napi_ok &&
                       napi_queue_async_work(env, w->work) == napi_ok,
                   Kind::Runtime, "writing in the background could not be started");
    w.release();
    return promise;
  });
}

}  // namespace flambeau
