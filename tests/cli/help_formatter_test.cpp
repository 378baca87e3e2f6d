#include "cli/help_formatter.h"

#include "support/catch.h"

using calque::wrap_text;
using Lines = std::vector<std::string>;

TEST_CASE("text wraps between words, and breaks where it says so", "[cli]") {
  CHECK(wrap_text("one two three", 7) == Lines{"one two", "three"});
  CHECK(wrap_text("one two three", 80) == Lines{"one two three"});
  CHECK(wrap_text("one\ntwo three", 80) == Lines{"one", "two three"});
  CHECK(wrap_text("immeasurable is it", 5) == Lines{"immeasurable", "is it"});
  CHECK(wrap_text("", 5) == Lines{""});
}
