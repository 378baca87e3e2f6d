#include "metrics/characters.h"

#include <set>

#include "metrics/metric_cases.h"

namespace calque::test {
namespace {

TEST_CASE("characters become text again, also bytes that were none", "[metrics]") {
  const std::string text = "a\u00e9\u6f22\U0001f600\xff\xe2\x80z\xc3";
  const std::u32string characters = to_characters(text);
  CHECK(characters ==
        std::u32string{U'a', 0xe9, 0x6f22, 0x1f600, 0xdcff, 0xdce2, 0xdc80, U'z', 0xdcc3});
  CHECK(to_utf8(characters) == text);
  CHECK(to_characters("").empty());
}

TEST_CASE("white space is what Python's str.isspace calls so", "[metrics]") {
  const auto white = metric_cases().at("whitespace").get<std::set<char32_t>>();
  REQUIRE(white.size() > 20);
  for (char32_t c = 0; c < 0x10000; ++c) {
    if (is_white_space(c) != white.contains(c)) FAIL_CHECK(static_cast<unsigned>(c));
  }
}

TEST_CASE("numbers, punctuation and symbols go by Unicode's categories", "[metrics]") {
  for (const char32_t c : {U'0', U'\u0663', U'\u00bd', U'\u2167'}) CHECK(is_number(c));
  for (const char32_t c : {U'.', U'_', U'\u00bb', U'\u3002'}) CHECK(is_punctuation(c));
  for (const char32_t c : {U'$', U'+', U'\u20ac', U'^', U'\U0001f600'}) CHECK(is_symbol(c));
  for (const char32_t c : {U'a', U' ', U'\u6f22'}) {
    CHECK_FALSE(is_number(c));
    CHECK_FALSE(is_punctuation(c));
    CHECK_FALSE(is_symbol(c));
  }
}

TEST_CASE("lower_case is Python's str.lower", "[metrics]") {
  const auto& cases = metric_cases().at("lowered");
  REQUIRE(cases.size() > 20);
  for (const auto& item : cases) {
    const auto line = item.at("line").get<std::string>();
    CAPTURE(line);
    CHECK(lower_case(line) == item.at("lowered").get<std::string>());
  }
}

}  // namespace
}  // namespace calque::test
