#include "metrics/bleu.h"

#include "metrics/metric_cases.h"

namespace calque::test {
namespace {

TEST_CASE("BLEU's parts are sacreBLEU's", "[metrics]") {
  const auto close_to = [](const nlohmann::json& number) {
    return Approx(number.get<double>()).epsilon(1e-11).margin(1e-300);
  };
  const auto& corpora = metric_cases().at("corpora");
  for (const auto& item : metric_cases().at("scores")) {
    if (item.at("metric") != "BLEU") continue;
    const auto& corpus = corpora.at(item.at("corpus").get<size_t>());
    INFO(corpus.at("name").get<std::string>() << " " << item.at("options"));
    const Bleu metric = bleu_of(item.at("options"));
    const std::vector<double> sums = count_corpus(metric, corpus).sums();
    const BleuScore score = metric.parts(sums);
    CHECK(score.brevity_penalty == close_to(item.at("brevity_penalty")));
    CHECK(score.ratio == close_to(item.at("ratio")));
    CHECK(score.hypothesis_length == item.at("hypothesis_length").get<int64_t>());
    CHECK(score.reference_length == item.at("reference_length").get<int64_t>());
    const bool with_k = item["options"].value("smooth_method", "") == "add-k" && sums[2] > 0;
    for (size_t i = 0; i < kBleuOrder; ++i) {
      CAPTURE(i);
      // sacreBLEU adds add-k's k to its counts, where there is a match at all.
      const double added = with_k && i > 0 ? item["options"].value("smooth_value", 1.0) : 0;
      CHECK(score.precisions[i] == close_to(item.at("precisions").at(i)));
      CHECK(sums.at(2 + i) + added == item.at("matches").at(i).get<double>());
      CHECK(sums.at(2 + kBleuOrder + i) + added == item.at("totals").at(i).get<double>());
    }
  }
}

TEST_CASE("no sentence at all scores 0", "[metrics]") {
  const Bleu metric;
  const CorpusCounts counts(metric);
  CHECK(counts.score() == 0.0);
  CHECK(format_score(metric, counts.sums()) ==
        "BLEU = 0.00 0.0/0.0/0.0/0.0 (BP = 1.000 ratio = 0.000 hyp_len = 0 ref_len = 0)");
}

}  // namespace
}  // namespace calque::test
