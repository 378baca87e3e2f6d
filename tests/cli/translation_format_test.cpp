#include "cli/translation_format.h"

#include <nlohmann/json.hpp>

#include "decode/small_tokenizers.h"
#include "support/catch.h"
#include "support/example_batch.h"
#include "text/special_ids.h"

using namespace calque;
using nlohmann::json;

namespace {

const Tokenizer& target() { return test::small_tokenizers().target(); }

/// Two translations, the first of a line in two parts.
std::vector<Translation> two_translations() {
  Translation first{"a b c", {{7, 8, kEndId, 9}, {-1, -2, -0.5, -3, -1.5}, -8, 0, -1.6}, {}};
  first.alignment = {2, 3, {1, 0, 0.25, 0.75, 0, 1}};
  Translation second{"d", {{7}, {-4, -5}, -9, 0, -4.5}, {}};
  second.alignment = {2, 1, {0.5, 0.5}};
  return {first, second};
}

std::string format(const TranslationFormat& how) {
  return format_translations(how, 4, two_translations(), target());
}

}  // namespace

TEST_CASE("plain text is the best translation, a list or a word alignment behind it", "[cli]") {
  using Alignment = TranslationFormat::Alignment;
  CHECK(format({}) == "a b c");
  CHECK(format({.n_best = 2}) ==
        "4 ||| a b c ||| log_probability= -8.000000 length= 5 ||| -1.600000\n"
        "4 ||| d ||| log_probability= -9.000000 length= 2 ||| -4.500000");
  CHECK(format({.alignment = Alignment::kHard}) == "a b c ||| 0-0 1-1 1-2");
  CHECK(format({.alignment = Alignment::kSoft}) ==
        "a b c ||| 1.0000,0.0000 0.2500,0.7500 0.0000,1.0000");
  CHECK_THAT(format({.n_best = 2, .alignment = Alignment::kHard}),
             Catch::Matchers::EndsWith(" ||| -4.500000 ||| 0-0"));
  CHECK(format_translations({.alignment = Alignment::kHard}, 0, std::vector<Translation>(1),
                            target()) == " ||| ");
}

TEST_CASE("JSON has as many tokens as scores, also of a line in parts", "[cli]") {
  const json line = json::parse(
      format({.layout = TranslationFormat::Layout::kJson, .n_best = 2, .token_scores = true}));
  CHECK(line["line"] == 5);
  REQUIRE(line["hypotheses"].size() == 2);
  const json& first = line["hypotheses"][0];
  CHECK(first["text"] == "a b c");
  CHECK(first["length"] == 5);
  CHECK(first["tokens"] ==
        json{target().piece(7), target().piece(8), "</s>", target().piece(9), "</s>"});
  CHECK(first["token_log_probabilities"] == json{-1, -2, -0.5, -3, -1.5});
  CHECK(line["hypotheses"][1]["tokens"] == json{target().piece(7), "</s>"});
}

TEST_CASE("a layer or head that there is not is refused", "[cli]") {
  const TransformerOptions model = test::tiny_options();
  CHECK_NOTHROW(check_alignment({.layer = 1, .heads = {1, 2}}, model));
  CHECK_THROWS_WITH(check_alignment({.layer = 2}, model),
                    "--alignment-layer: expected one of the decoder's layers 1 to 1, found 2");
  CHECK_THROWS_WITH(check_alignment({.heads = {1, 3}}, model),
                    "--alignment-heads: expected some of the decoder's heads 1 to 2, found 3");
}
