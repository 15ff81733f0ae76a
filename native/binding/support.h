// What every export of the addon needs: its environment, its arguments, and C++ exceptions as JavaScript ones.
#pragma once
#include <node_api.h>

#include <new>

#include "binding/environment.h"

namespace flambeau {

Environment& environment(napi_env env);
void throw_js(napi_env env, const Error& e);
// Fails if a mapped file has lost pages since this thread looked last: what ran meanwhile may have read zeros.
void fail_for_lost_pages(Environment& e);
inline void check_mapped_files(Environment& e) {
  if (lost_pages() != e.seen_lost_pages) [[unlikely]]
    fail_for_lost_pages(e);
}

// Runs a function body, turning C++ exceptions into JavaScript ones.
template <class F>
napi_value guarded(napi_env env, F&& body) {
  try {
    return body();
  } catch (const Error& e) {
    throw_js(env, e);
  } catch (const std::bad_alloc&) {
    throw_js(env, {Kind::Runtime, "out of memory"});
  } catch (const std::exception& e) {
    throw_js(env, {Kind::Runtime, e.what()});
  }
  return nullptr;
}

template <size_t N>
struct Arguments {
  napi_value v[N] = {};
  size_t n = N;
  Arguments(napi_env env, napi_callback_info info) { napi_get_cb_info(env, info, &n, v, nullptr, nullptr); }
  uint32_t handle(napi_env env, size_t i) const {
    uint32_t x = 0;
    if (i >= n || napi_get_value_uint32(env, v[i], &x) != napi_ok) fail(Kind::Type, "expected a handle");
    return x;
  }
  double number(napi_env env, size_t i) const {
    double x = 0;
    if (i >= n || napi_get_value_double(env, v[i], &x) != napi_ok) fail(Kind::Type, "expected a number");
    return x;
  }
};

}  // namespace flambeau
