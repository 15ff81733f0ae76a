// Errors of native code: thrown as C++ exceptions below the binding, which turns them into JavaScript ones.
#pragma once
#include <string>

namespace flambeau {

enum class Kind { Type, Range, Runtime };

struct Error {
  Kind kind;
  std::string message;
};

// Throws an Error with a printf-formatted message.
[[noreturn]] __attribute__((format(printf, 2, 3))) void fail(Kind kind, const char* format, ...);

#define FLAMBEAU_CHECK(condition, kind, ...)               \
  do {                                                     \
    if (!(condition)) ::flambeau::fail(kind, __VA_ARGS__); \
  } while (0)

}  // namespace flambeau
