#include "base/printable.h"

#include "support/catch.h"

namespace calque {
namespace {

TEST_CASE("text that can be shown stays as it is", "[base]") {
  for (const std::string text :
       {"", "plain\ttext\n", "Über den Fluß \xE2\x80\xA8 \xF0\x9F\x98\x80", "\xC2\xA0"}) {
    CHECK(printable(text) == text);
  }
}

TEST_CASE("what a terminal might obey is replaced", "[base]") {
  CHECK(printable("\x1B[31mred") == "\uFFFD[31mred");
  CHECK(printable("a\rb\x7F") == "a\uFFFDb\uFFFD");
  CHECK(printable(std::string("a\0b", 3)) == "a\uFFFDb");
  CHECK(printable("\xC2\x9B"
                  "31m") == "\uFFFD31m");  // the same as ESC [ to some
  CHECK(printable("\xFFx\xC3") == "\uFFFDx\uFFFD");
}

}  // namespace
}  // namespace calque
