#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace calque {

/// Root of all errors that Calque throws itself. They are caught once, in `main`, which prints the
/// message and turns the type into an exit code. A message says what was expected, what was found,
/// and how to mend it.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user's mistake: a bad option, file, or environment. Exit code 2.
class UserError : public Error {
 public:
  using Error::Error;
};

/// Our mistake: a broken promise inside the program. Exit code 1.
class InternalError : public Error {
 public:
  using Error::Error;
};

/// Training left the finite numbers and could not go on. Exit code 3.
class DivergedError : public Error {
 public:
  using Error::Error;
};

/// Throws InternalError "file:line: condition `text` does not hold: message".
[[noreturn]] void fail_check(const char* file, int line, const char* text,
                             const std::string& message);

}  // namespace calque

/// Checks a promise between parts of the program: `CALQUE_CHECK(rows > 0, "rows = {}", rows)`.
/// Always on; throws InternalError. The message is formatted only when the check fails.
#define CALQUE_CHECK(condition, ...)                                                    \
  do {                                                                                  \
    if (!(condition)) [[unlikely]] {                                                    \
      ::calque::fail_check(__FILE__, __LINE__, #condition, ::fmt::format(__VA_ARGS__)); \
    }                                                                                   \
  } while (false)
