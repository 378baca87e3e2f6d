#include "base/error.h"

#include <string>

#include "support/catch.h"

using namespace calque;

TEST_CASE("a failed check names place, condition and values", "[base]") {
  const int rows = -3;
  std::string message;
  try {
    CALQUE_CHECK(rows > 0, "rows = {}", rows);
  } catch (const InternalError& error) {
    message = error.what();
  }
  CHECK(message.find("error_test.cpp:") != std::string::npos);
  CHECK(message.find("condition `rows > 0` does not hold: rows = -3") != std::string::npos);
}

TEST_CASE("a check that holds does not format its message", "[base]") {
  int formatted = 0;
  const auto count = [&] { return ++formatted; };
  CALQUE_CHECK(true, "{}", count());
  CHECK(formatted == 0);
}
