#include "base/error.h"

namespace calque {

void fail_check(const char* file, int line, const char* text, const std::string& message) {
  throw InternalError(
      fmt::format("{}:{}: condition `{}` does not hold: {}", file, line, text, message));
}

}  // namespace calque
