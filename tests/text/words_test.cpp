#include "text/words.h"

#include "support/catch.h"

namespace calque {
namespace {

using Words = std::vector<int32_t>;

TEST_CASE("words are what spaces and tabs separate", "[text]") {
  CHECK(count_words("") == 0);
  CHECK(count_words(" \t ") == 0);
  CHECK(count_words("a") == 1);
  CHECK(count_words("  a bc\td  ") == 3);
  CHECK(count_words("a\u00a0b\u3000c") == 1);
}

TEST_CASE("bytes are in words, and a space counts to the next one", "[text]") {
  const std::vector<size_t> all{0, 1, 2, 3, 4, 5, 6};
  CHECK(words_at(" ab  c ", all) == Words{0, 0, 0, 1, 1, 1, 1});
  CHECK(words_at("ab c", std::vector<size_t>{0, 0, 2, 2, 3, 3}) == Words{0, 0, 1, 1, 1, 1});
  CHECK(words_at("a b c", std::vector<size_t>{4}) == Words{2});
  CHECK(words_at("  ", std::vector<size_t>{0, 1}) == Words{0, 0});
  CHECK(words_at("", {}).empty());
}

TEST_CASE("words are split off, and taken out of their line", "[text]") {
  CHECK(words_of("  a bc\td  ") == std::vector<std::string_view>{"a", "bc", "d"});
  CHECK(words_of(" \t ").empty());
  CHECK(without_word("a bc d", 0) == "bc d");
  CHECK(without_word(" a  bc\t d", 1) == " a  d");
  CHECK(without_word("a bc d", 2) == "a bc ");
  CHECK(without_word("bc a bc", 2) == "bc a ");
}

}  // namespace
}  // namespace calque
