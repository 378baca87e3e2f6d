#include "cli/n_best_list.h"

#include "base/error.h"
#include "support/catch.h"

using namespace calque;

namespace {

NBestLine read(const std::string& line) { return read_n_best_line(line, "list:1", 10); }

}  // namespace

TEST_CASE("a line of an n-best list is read and written as it was", "[cli]") {
  const std::string full = "3 ||| a b ||| f= 1 g= -2 ||| -0.5 ||| 0-0 1-1";
  const NBestLine line = read(full);
  CHECK(line.index == 3);
  CHECK(line.text == "a b");
  CHECK(line.features == "f= 1 g= -2");
  CHECK(line.rest == "-0.5 ||| 0-0 1-1");
  for (const std::string& whole :
       {full, std::string("0 |||  ||| f= 1 ||| -0.5"), std::string("0 ||| a ||| f= 1 ||| -1 ||| "),
        std::string("1 ||| a ||| f= 1")}) {
    CHECK(to_string(read(whole)) == whole);
  }
}

TEST_CASE("what is missing behind the text of an n-best line is empty", "[cli]") {
  for (const char* line : {"2 ||| a b", "2 ||| a b ||| ", "2 ||| a b |||"}) {
    INFO(line);
    CHECK(read(line).text == "a b");
    CHECK(read(line).features.empty());
    CHECK(read(line).rest.empty());
  }
  CHECK(read("2 ||| a ||| f= 1 |||").features == "f= 1");
  CHECK(read("2 |||").text.empty());
}

TEST_CASE("a feature is added behind the others, and found by its whole name", "[cli]") {
  NBestLine line = read("0 ||| a |||");
  CHECK_FALSE(has_feature(line, "f"));
  add_feature(line, "other", -1.5);
  add_feature(line, "f", 2);
  CHECK(line.features == "other= -1.500000 f= 2.000000");
  CHECK(has_feature(line, "f"));
  CHECK(has_feature(line, "other"));
  CHECK_FALSE(has_feature(line, "her"));
}

TEST_CASE("a feature's name is one that can be read again", "[cli]") {
  CHECK_NOTHROW(check_feature_name("--feature", "model-2_\u00e4"));
  for (const char* name : {"a b", "a=", "|||", "a\tb", "a\nb"}) {
    CHECK_THROWS_WITH(
        check_feature_name("--feature", name),
        "--feature: expected a name without spaces, = and |, found " + std::string(name));
  }
  CHECK_THROWS_WITH(check_feature_name("--feature", ""), ContainsSubstring("found nothing"));
}

TEST_CASE("a line without an index of the source is refused", "[cli]") {
  CHECK_THROWS_WITH(read("a ||| b"), "list:1: expected INDEX ||| TEXT ||| ..., found no number: a");
  CHECK_THROWS_WITH(read("10 ||| b"), ContainsSubstring("list:1: the index 10 is beyond"));
}
