#include "binding/support.h"

namespace flambeau {
namespace {

// Also called while the addon loads, before there is an environment (see throw_js).
Environment* environment_or_null(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Environment*>(data);
}

}  // namespace

Environment& environment(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

void throw_js(napi_env env, const Error& e) {
  if (e.kind == Kind::Type) {
    napi_throw_type_error(env, nullptr, e.message.c_str());
  } else if (e.kind == Kind::Range) {
    napi_throw_range_error(env, nullptr, e.message.c_str());
  } else {
    napi_value constructor, message, error;
    const Environment* e_or_null = environment_or_null(env);
    napi_ref ref = e_or_null ? e_or_null->runtime_error : nullptr;
    napi_create_string_utf8(env, e.message.c_str(), e.message.size(), &message);
    if (ref && napi_get_reference_value(env, ref, &constructor) == napi_ok && constructor &&
        napi_new_instance(env, constructor, 1, &message, &error) == napi_ok)
      napi_throw(env, error);
    else
      napi_throw_error(env, nullptr, e.message.c_str());
  }
}

void fail_for_lost_pages(Environment& e) {
  e.seen_lost_pages = lost_pages();
  fail(Kind::Runtime, "a file that tensors are mapped to was cut short or cannot be read any more: data are lost");
}

}  // namespace flambeau
