// The exports of the addon: raw N-API calls, because these run once or twice per op (node-addon-api's wrappers cost
// more than a small op's arithmetic).
#include <node_api.h>

#include <cmath>
#include <cstring>

#include "binding/background.h"
#include "binding/environment.h"
#include "binding/support.h"
#include "core/allocator.h"
#include "core/packed.h"
#include "kernels/kernels.h"
#include "ops/data.h"
#include "ops/registry.h"
#include "ops/work.h"
#include "parallel/pool.h"

namespace flambeau {
namespace {

// The scratch buffer's fixed places (lib/native/addon.ts).
constexpr size_t kCount = 1;
constexpr size_t kFirst = 2;

struct Bytes {
  char* data;
  int64_t size;
};

Bytes bytes_of(napi_env env, napi_value value) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  FLAMBEAU_CHECK(value && napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) == napi_ok &&
                     type == napi_uint8_array,
                 Kind::Type, "expected a Uint8Array");
  return {static_cast<char*>(data), static_cast<int64_t>(length)};
}

void check_bytes(const Tensor& t) { FLAMBEAU_CHECK(!t.meta(), Kind::Runtime, "Not available for 'meta' device type"); }

Tensor& lookup(void* table, uint32_t handle) { return static_cast<Environment*>(table)->at(handle); }

// The scratch buffer, with room for `slots` numbers after the fixed places.
double* results_of(Environment& e, size_t slots) {
  FLAMBEAU_CHECK(e.scratch && kFirst + slots <= e.scratch_slots, Kind::Type,
                 "the scratch buffer has no room for %zu numbers", slots);
  return e.scratch + kFirst;
}

napi_value init(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<2> args(env, info);
    Environment& e = environment(env);
    void* data = nullptr;
    size_t length = 0;
    napi_valuetype kind = napi_undefined;
    FLAMBEAU_CHECK(args.n >= 2 && napi_get_arraybuffer_info(env, args.v[0], &data, &length) == napi_ok &&
                       length >= 64 * sizeof(double) && napi_typeof(env, args.v[1], &kind) == napi_ok &&
                       kind == napi_function,
                   Kind::Type, "init(): expected an ArrayBuffer and a constructor");
    if (e.scratch_ref) napi_delete_reference(env, e.scratch_ref);
    if (e.runtime_error) napi_delete_reference(env, e.runtime_error);
    e.scratch_ref = e.runtime_error = nullptr;
    napi_create_reference(env, args.v[0], 1, &e.scratch_ref);
    napi_create_reference(env, args.v[1], 1, &e.runtime_error);
    e.scratch = static_cast<double*>(data);
    e.scratch_slots = length / sizeof(double);
    e.update_pressure();
    return nullptr;
  });
}

napi_value ops(napi_env env, napi_callback_info) {
  napi_value list, name;
  napi_create_array(env, &list);
  uint32_t i = 0;
  for (const OpEntry& op : op_table()) {
    napi_create_string_utf8(env, op.name.c_str(), op.name.size(), &name);
    napi_set_element(env, list, i++, name);
  }
  return list;
}

napi_value call(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<2> args(env, info);
    Environment& e = environment(env);
    const uint32_t op = args.handle(env, 0);
    FLAMBEAU_CHECK(op < op_table().size() && e.scratch, Kind::Type, "no such native op: %u", op);
    const double end = e.scratch[kCount];
    FLAMBEAU_CHECK(end >= kFirst && end <= static_cast<double>(e.scratch_slots), Kind::Type, "malformed arguments");
    Call c(e.scratch + kFirst, e.scratch + static_cast<size_t>(end), lookup, &e);
    const OpEntry& entry = op_table()[op];
    c.row = entry.row;
    c.settle_device(entry.name.c_str(), entry.on_meta);
    entry.fn(c);
    check_mapped_files(e);
    const size_t n = c.results.size() + c.numbers.size();
    FLAMBEAU_CHECK(n + kFirst <= e.scratch_slots, Kind::Runtime, "too many results for the scratch buffer: %zu", n);
    uint32_t first = 0;
    size_t at = kFirst;
    for (Ref& r : c.results) {
      const uint32_t handle = e.add(std::move(r));
      if (at == kFirst) first = handle;
      e.scratch[at++] = handle;
    }
    for (const double x : c.numbers) e.scratch[at++] = x;
    e.scratch[kCount] = static_cast<double>(n);
    if (args.n == 2 && first) e.track(first, args.v[1]);
    e.update_pressure();
    napi_value out;
    napi_create_uint32(env, first, &out);
    return out;
  });
}

napi_value track(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<2> args(env, info);
    Environment& e = environment(env);
    e.track(args.handle(env, 0), args.v[1]);
    return nullptr;
  });
}

napi_value wrapper(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<1> args(env, info);
    return environment(env).wrapper(args.handle(env, 0));
  });
}

napi_value free_tensor(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<1> args(env, info);
    environment(env).free(args.handle(env, 0));
    return nullptr;
  });
}

napi_value sweep(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<1> args(env, info);
    bool full = false;
    napi_get_value_bool(env, args.v[0], &full);
    environment(env).sweep(full);
    return nullptr;
  });
}

napi_value describe(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<1> args(env, info);
    Environment& e = environment(env);
    const Tensor& t = e.at(args.handle(env, 0));
    double* out = results_of(e, 9 + 2 * static_cast<size_t>(t.ndim()));
    out[0] = static_cast<double>(t.dtype);
    out[1] = t.meta() ? 1 : 0;
    out[2] = static_cast<double>(t.offset);
    out[3] = static_cast<double>(t.numel);
    out[4] = static_cast<double>(t.storage->id);
    out[5] = static_cast<double>(t.storage->bytes);
    out[6] = t.version->value;
    out[7] = t.ndim();
    for (int i = 0; i < t.ndim(); i++) {
      out[8 + i] = static_cast<double>(t.sizes[i]);
      out[8 + t.ndim() + i] = static_cast<double>(t.strides[i]);
    }
    out[8 + 2 * t.ndim()] = t.storage->refs.load(std::memory_order_relaxed);
    return nullptr;
  });
}

napi_value read(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<2> args(env, info);
    Environment& e = environment(env);
    const Tensor& t = e.at(args.handle(env, 0));
    FLAMBEAU_CHECK(!t.meta(), Kind::Runtime, "Cannot copy out of meta tensor; no data!");
    const Bytes b = bytes_of(env, args.v[1]);
    read_elements(t, b.data, b.size);
    check_mapped_files(e);
    return nullptr;
  });
}

napi_value write(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<2> args(env, info);
    Tensor& t = environment(env).at(args.handle(env, 0));
    check_bytes(t);
    const Bytes b = bytes_of(env, args.v[1]);
    write_elements(t, b.data, b.size);
    // Unseen by autograd, but not by what was packed of the elements.
    t.storage->writes.fetch_add(1, std::memory_order_release);
    return nullptr;
  });
}

// Bytes [offset, offset + size) of a storage, checked.
char* storage_range(const Tensor& t, double offset, int64_t size) {
  check_bytes(t);
  FLAMBEAU_CHECK(offset >= 0 && offset + static_cast<double>(size) <= static_cast<double>(t.storage->bytes),
                 Kind::Range, "bytes [%.0f, %.0f) are outside a storage of %lld bytes", offset,
                 offset + static_cast<double>(size), static_cast<long long>(t.storage->bytes));
  return static_cast<char*>(t.storage->data) + static_cast<int64_t>(offset);
}

napi_value read_storage(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<3> args(env, info);
    Environment& e = environment(env);
    const Tensor& t = e.at(args.handle(env, 0));
    const Bytes b = bytes_of(env, args.v[2]);
    const char* from = storage_range(t, args.number(env, 1), b.size);
    if (b.size) std::memcpy(b.data, from, static_cast<size_t>(b.size));
    check_mapped_files(e);
    return nullptr;
  });
}

napi_value write_storage(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<3> args(env, info);
    Tensor& t = environment(env).at(args.handle(env, 0));
    const Bytes b = bytes_of(env, args.v[2]);
    char* to = storage_range(t, args.number(env, 1), b.size);
    if (b.size) std::memcpy(to, b.data, static_cast<size_t>(b.size));
    t.bump();
    return nullptr;
  });
}

napi_value memory(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    Environment& e = environment(env);
    double* out = results_of(e, 4);
    out[0] = static_cast<double>(e.live_tensors);
    out[1] = static_cast<double>(storage_bytes_in_use());
    out[2] = static_cast<double>(cached_bytes());
    out[3] = static_cast<double>(packed_bytes());
    return nullptr;
  });
}

napi_value multiply_adds(napi_env env, napi_callback_info) {
  napi_value n;
  napi_create_double(env, work_so_far(), &n);
  return n;
}

napi_value instruction_set(napi_env env, napi_callback_info) {
  napi_value name;
  napi_create_string_utf8(env, kernels().set, NAPI_AUTO_LENGTH, &name);
  return name;
}

napi_value get_threads(napi_env env, napi_callback_info) {
  napi_value n;
  napi_create_int32(env, num_threads(), &n);
  return n;
}

napi_value set_threads(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Arguments<1> args(env, info);
    const double n = args.number(env, 0);
    FLAMBEAU_CHECK(n >= 1 && n <= 1024, Kind::Runtime, "set_num_threads expects a positive integer up to 1024");
    FLAMBEAU_CHECK(n == std::floor(n), Kind::Runtime, "set_num_threads expects an int, but got float");
    set_num_threads(static_cast<int>(n));
    return nullptr;
  });
}

napi_value start(napi_env env, napi_value exports) {
  return guarded(env, [&]() -> napi_value {
    kernels();  // an unknown FLAMBEAU_ISA is an error at load
    auto* e = new Environment(env);
    napi_set_instance_data(
        env, e, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr);
    const struct {
      const char* name;
      napi_callback fn;
    } entries[] = {{"init", init},
                   {"ops", ops},
                   {"call", call},
                   {"track", track},
                   {"wrapper", wrapper},
                   {"free", free_tensor},
                   {"sweep", sweep},
                   {"describe", describe},
                   {"read", read},
                   {"write", write},
                   {"readStorage", read_storage},
                   {"writeStorage", write_storage},
                   {"writeInBackground", write_in_background},
                   {"memory", memory},
                   {"multiplyAdds", multiply_adds},
                   {"instructionSet", instruction_set},
                   {"numThreads", get_threads},
                   {"setNumThreads", set_threads}};
    for (const auto& entry : entries) {
      napi_value fn;
      napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.fn, nullptr, &fn);
      napi_set_named_property(env, exports, entry.name, fn);
    }
    return exports;
  });
}

}  // namespace
}  // namespace flambeau

NAPI_MODULE_INIT() { return flambeau::start(env, exports); }
