#pragma once

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/bleu.h"
#include "metrics/chrf.h"
#include "metrics/ter.h"
#include "support/catch.h"

namespace calque::test {

/// What sacreBLEU says: tests/fixtures/metrics/cases.json, described and written by
/// scripts/reference/make_metric_cases.py. Read once.
inline const nlohmann::json& metric_cases() {
  static const nlohmann::json cases = [] {
    const std::string path = std::string(CALQUE_SOURCE_DIR) + "/tests/fixtures/metrics/cases.json";
    std::ifstream file(path);
    INFO(path);
    REQUIRE(file.is_open());
    return nlohmann::json::parse(file);
  }();
  return cases;
}

/// The one of `values` that a name belongs to.
template <class Value>
Value named(std::string_view (*name_of)(Value), std::initializer_list<Value> values,
            const std::string& name) {
  for (const Value value : values) {
    if (name_of(value) == name) return value;
  }
  FAIL("no value is called " << name);
  return *values.begin();
}

inline Bleu bleu_of(const nlohmann::json& options) {
  BleuOptions bleu;
  bleu.tokenizer = named(tokenizer_name,
                         {WordTokenizer::k13a, WordTokenizer::kIntl, WordTokenizer::kZh,
                          WordTokenizer::kChar, WordTokenizer::kNone},
                         options.at("tokenize"));
  bleu.smoothing = named(smoothing_name,
                         {Smoothing::kExp, Smoothing::kFloor, Smoothing::kAddK, Smoothing::kNone},
                         options.value("smooth_method", "exp"));
  if (options.contains("smooth_value")) bleu.smoothing_value = options["smooth_value"];
  bleu.lower_case = options.value("lowercase", false);
  bleu.effective_order = options.value("effective_order", false);
  return Bleu(bleu);
}

/// The metric that a case of "scores" names.
inline std::unique_ptr<Metric> metric_of(const nlohmann::json& item) {
  const auto& options = item.at("options");
  if (item.at("metric") == "BLEU") return std::make_unique<Bleu>(bleu_of(options));
  if (item.at("metric") == "CHRF") {
    return std::make_unique<Chrf>(ChrfOptions{.character_order = options.value("char_order", 6),
                                              .word_order = options.value("word_order", 0),
                                              .beta = options.value("beta", 2),
                                              .lower_case = options.value("lowercase", false),
                                              .white_space = options.value("whitespace", false)});
  }
  return std::make_unique<Ter>(TerOptions{.case_sensitive = options.value("case_sensitive", false),
                                          .normalized = options.value("normalized", false),
                                          .no_punctuation = options.value("no_punct", false)});
}

/// The references of one sentence, out of one list of lines per annotator.
inline std::vector<std::string> references_of(const nlohmann::json& corpus, size_t sentence) {
  std::vector<std::string> references;
  for (const auto& lines : corpus.at("references")) {
    references.push_back(lines.at(sentence).get<std::string>());
  }
  return references;
}

inline CorpusCounts count_corpus(const Metric& metric, const nlohmann::json& corpus) {
  CorpusCounts counts(metric);
  const auto hypotheses = corpus.at("hypotheses").get<std::vector<std::string>>();
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    counts.add(hypotheses[i], references_of(corpus, i));
  }
  return counts;
}

}  // namespace calque::test
