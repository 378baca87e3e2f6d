#include "metrics/tokenizers.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/metric_cases.h"
#include "support/catch.h"

namespace calque::test {
namespace {

/// UTF-8 of a code point below U+10000.
std::string utf8(unsigned code_point) {
  const auto tail = [&](int shift) {
    return static_cast<char>(0x80 | ((code_point >> shift) & 0x3f));
  };
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  if (code_point < 0x800) return {static_cast<char>(0xc0 | (code_point >> 6)), tail(0)};
  return {static_cast<char>(0xe0 | (code_point >> 12)), tail(6), tail(0)};
}

}  // namespace

TEST_CASE("every tokeniser gives sacreBLEU's words", "[metrics]") {
  const auto& cases = metric_cases().at("tokenized");
  REQUIRE(cases.size() >= 100);
  for (const auto& item : cases) {
    const auto line = item.at("line").get<std::string>();
    CAPTURE(line);
    for (const WordTokenizer tokenizer :
         {WordTokenizer::k13a, WordTokenizer::kIntl, WordTokenizer::kZh, WordTokenizer::kChar}) {
      const std::string name(tokenizer_name(tokenizer));
      CAPTURE(name);
      CHECK(tokenize(tokenizer, line) == item.at(name).get<std::string>());
    }
    CHECK(tokenize_tercom(line) == item.at("tercom").get<std::string>());
  }
}

TEST_CASE("tokenize_13a separates punctuation but not inside numbers", "[metrics]") {
  CHECK(tokenize_13a("It's 3.5%, \"well-known\" (1-2).") ==
        "It's 3.5 % , \" well-known \" ( 1 - 2 ) .");
  CHECK(tokenize_13a("") == "");
}

TEST_CASE("split_words cuts at exactly the characters that Python's str.split cuts at",
          "[metrics]") {
  const auto whitespace = metric_cases().at("whitespace").get<std::set<unsigned>>();
  REQUIRE(whitespace.size() > 20);
  for (unsigned code_point = 0; code_point < 0x10000; ++code_point) {
    const bool surrogate = code_point >= 0xd800 && code_point < 0xe000;
    if (surrogate) continue;
    const std::string line = "a" + utf8(code_point) + "b";
    const std::size_t expected = whitespace.count(code_point) == 1 ? 2 : 1;
    if (split_words(line).size() != expected) {
      CAPTURE(code_point, expected);
      CHECK(split_words(line).size() == expected);
    }
  }
  CHECK(split_words("a\u2003b\u3000").size() == 2);
}

TEST_CASE("split_words skips white space before, between and after words", "[metrics]") {
  CHECK(split_words(" \t one\u00a0 two \u2028").size() == 2);
  CHECK(split_words(" \t one\u00a0 two ") == std::vector<std::string_view>{"one", "two"});
  CHECK(split_words("").empty());
  CHECK(split_words(" \u3000\t").empty());
}

TEST_CASE("trim_right removes what Python's str.rstrip removes", "[metrics]") {
  const auto& cases = metric_cases().at("trimmed");
  REQUIRE(!cases.empty());
  for (const auto& item : cases) {
    const auto line = item.at("line").get<std::string>();
    CAPTURE(line);
    CHECK(trim_right(line) == item.at("trimmed").get<std::string>());
  }
  CHECK(trim_right(" a b \u00a0\u2003\t") == " a b");
  CHECK(trim_right(" \u3000").empty());
  CHECK(trim_right("").empty());
}

TEST_CASE("bytes that are not UTF-8 are ordinary characters", "[metrics]") {
  CHECK(split_words("a\xff b\xe2\x80") == std::vector<std::string_view>{"a\xff", "b\xe2\x80"});
  CHECK(tokenize_13a("\xc2.\xe3") == "\xc2 . \xe3");
  CHECK(trim_right("a\xe2\x80") == "a\xe2\x80");
}

}  // namespace calque::test
