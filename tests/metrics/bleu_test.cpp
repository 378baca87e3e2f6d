#include "metrics/bleu.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"
#include "metrics/bleu_cases.h"
#include "support/catch.h"

namespace calque {
namespace {

BleuTokenizer tokenizer_of(const nlohmann::json& item) {
  return item.at("tokenize") == "13a" ? BleuTokenizer::k13a : BleuTokenizer::kNone;
}

/// The references of one sentence, out of one list of lines per annotator.
std::vector<std::string> references_of(const nlohmann::json& item, std::size_t sentence) {
  std::vector<std::string> references;
  for (const auto& lines : item.at("references")) {
    references.push_back(lines.at(sentence).get<std::string>());
  }
  return references;
}

BleuStatistics count_case(const nlohmann::json& item) {
  BleuStatistics statistics(tokenizer_of(item));
  const auto hypotheses = item.at("hypotheses").get<std::vector<std::string>>();
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    statistics.add(hypotheses[i], references_of(item, i));
  }
  return statistics;
}

Approx close_to(const nlohmann::json& number) {
  return Approx(number.get<double>()).epsilon(1e-11).margin(1e-300);
}

}  // namespace

TEST_CASE("BLEU and its parts are sacreBLEU's", "[metrics]") {
  const auto& cases = bleu_cases().at("scores");
  REQUIRE(cases.size() >= 60);
  for (const auto& item : cases) {
    CAPTURE(item.at("name").get<std::string>());
    const BleuStatistics statistics = count_case(item);
    const BleuScore score = statistics.score();
    CHECK(score.bleu == close_to(item.at("bleu")));
    CHECK(score.brevity_penalty == close_to(item.at("brevity_penalty")));
    CHECK(score.ratio == close_to(item.at("ratio")));
    CHECK(score.hypothesis_length == item.at("hypothesis_length").get<std::int64_t>());
    CHECK(score.reference_length == item.at("reference_length").get<std::int64_t>());
    for (int n = 1; n <= kBleuOrder; ++n) {
      const auto index = static_cast<std::size_t>(n - 1);
      CAPTURE(n);
      CHECK(score.precisions[index] == close_to(item.at("precisions").at(index)));
      CHECK(statistics.matches(n) == item.at("matches").at(index).get<std::int64_t>());
      CHECK(statistics.totals(n) == item.at("totals").at(index).get<std::int64_t>());
    }
  }
}

TEST_CASE("BLEU prints as sacreBLEU prints it", "[metrics]") {
  const std::string version = bleu_cases().at("version").get<std::string>();
  for (const auto& item : bleu_cases().at("scores")) {
    CAPTURE(item.at("name").get<std::string>());
    const BleuScore score = count_case(item).score();
    CHECK(format_bleu(score) == item.at("line").get<std::string>());
    CHECK(fmt::format("{:.2f}", score.bleu) == item.at("two_decimals").get<std::string>());

    const int references = static_cast<int>(item.at("references").size());
    const std::string signature = bleu_signature(references, tokenizer_of(item), version);
    CHECK(signature == item.at("signature").get<std::string>());
  }
}

TEST_CASE("a label takes the place of the metric's name", "[metrics]") {
  BleuStatistics statistics;
  statistics.add("one two three four five", "one two three four six");
  const std::string signature = bleu_signature(1, BleuTokenizer::k13a, "calque-1.0");
  CHECK(format_bleu(statistics.score(), signature) ==
        "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:calque-1.0 = 66.87 "
        "80.0/75.0/66.7/50.0 (BP = 1.000 ratio = 1.000 hyp_len = 5 ref_len = 5)");
}

TEST_CASE("counts of parts of a corpus add up to those of the whole", "[metrics]") {
  for (const auto& item : bleu_cases().at("scores")) {
    CAPTURE(item.at("name").get<std::string>());
    const auto hypotheses = item.at("hypotheses").get<std::vector<std::string>>();
    BleuStatistics sum(tokenizer_of(item));
    for (std::size_t i = hypotheses.size(); i-- > 0;) {
      BleuStatistics sentence(tokenizer_of(item));
      sentence.add(hypotheses[i], references_of(item, i));
      sum += sentence;
    }
    CHECK(sum == count_case(item));
  }
}

TEST_CASE("no sentence at all scores 0", "[metrics]") {
  const BleuScore score = BleuStatistics().score();
  CHECK(score.bleu == 0.0);
  CHECK(format_bleu(score) ==
        "BLEU = 0.00 0.0/0.0/0.0/0.0 (BP = 1.000 ratio = 0.000 hyp_len = 0 ref_len = 0)");
}

TEST_CASE("what cannot be counted is refused", "[metrics]") {
  BleuStatistics statistics;
  CHECK_THROWS_AS(statistics.add("a", std::vector<std::string>{}), InternalError);
  CHECK_THROWS_AS(statistics += BleuStatistics(BleuTokenizer::kNone), InternalError);
  CHECK_THROWS_AS(statistics.matches(kBleuOrder + 1), std::out_of_range);
}

}  // namespace calque
