#include "core/error.h"

#include <cstdarg>
#include <cstdio>

namespace flambeau {

void fail(Kind kind, const char* format, ...) {
  va_list args;
  va_start(args, format);
  va_list again;
  va_copy(again, args);
  const int n = std::vsnprintf(nullptr, 0, format, args);
  va_end(args);
  std::string message(static_cast<size_t>(n > 0 ? n : 0), '\0');
  std::vsnprintf(message.data(), message.size() + 1, format, again);
  va_end(again);
  throw Error{kind, std::move(message)};
}

}  // namespace flambeau
