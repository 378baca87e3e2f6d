#include "metrics/metric.h"

#include <map>

#include "base/error.h"
#include "metrics/metric_cases.h"

namespace calque::test {
namespace {

TEST_CASE("every metric gives and prints what sacreBLEU does", "[metrics]") {
  const auto& corpora = metric_cases().at("corpora");
  const SignatureFields fields{.version = metric_cases().at("version")};
  std::map<std::string, int> seen;
  for (const auto& item : metric_cases().at("scores")) {
    const auto& corpus = corpora.at(item.at("corpus").get<size_t>());
    INFO(corpus.at("name").get<std::string>()
         << ", " << item.at("metric") << " " << item.at("options"));
    const std::unique_ptr<Metric> metric = metric_of(item);
    const CorpusCounts counts = count_corpus(*metric, corpus);
    const double score = item.at("score");
    CHECK(counts.score() == Approx(score).epsilon(1e-11).margin(1e-300));
    CHECK(format_score(*metric, counts.sums()) == item.at("line").get<std::string>());
    SignatureFields of_corpus = fields;
    of_corpus.references = static_cast<int>(corpus.at("references").size());
    CHECK(signature(*metric, of_corpus) == item.at("signature").get<std::string>());
    ++seen[item.at("metric")];
  }
  CHECK(seen["BLEU"] > 300);
  CHECK(seen["CHRF"] > 150);
  CHECK(seen["TER"] > 150);
}

TEST_CASE("sentences count the same in any order", "[metrics]") {
  const auto& corpora = metric_cases().at("corpora");
  for (const auto& item : metric_cases().at("scores")) {
    const std::unique_ptr<Metric> metric = metric_of(item);
    const auto& corpus = corpora.at(item.at("corpus").get<size_t>());
    const CorpusCounts counts = count_corpus(*metric, corpus);
    std::vector<double> sums(metric->size());
    for (int64_t i = counts.sentences(); i-- > 0;) {
      for (size_t c = 0; c < sums.size(); ++c) sums[c] += counts.sentence(i)[c];
    }
    // TER's mean length of several references may be a third.
    CHECK(metric->score(sums) == Approx(counts.score()).epsilon(1e-12));
  }
}

TEST_CASE("a signature names the bootstrap, a line its interval", "[metrics]") {
  const Chrf metric;
  CHECK(
      signature(metric, {.version = "calque-1.0",
                         .references = 2,
                         .bootstrap_samples = 1000,
                         .bootstrap_seed = 12345}) ==
      "chrF2|nrefs:2|bs:1000|seed:12345|case:mixed|eff:yes|nc:6|nw:0|space:no|version:calque-1.0");
  CorpusCounts counts(metric);
  counts.add("a b c", "a b c");
  CHECK(format_score(metric, counts.sums(), Confidence{99.5, 0.25}) ==
        "chrF2 = 100.00 (\u03bc = 99.50 \u00b1 0.25)");
}

TEST_CASE("a sentence without a reference is refused", "[metrics]") {
  const Bleu metric;
  CorpusCounts counts(metric);
  CHECK_THROWS_AS(counts.add("a", std::vector<std::string>{}), InternalError);
}

}  // namespace
}  // namespace calque::test
