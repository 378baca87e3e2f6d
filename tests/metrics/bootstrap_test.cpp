#include "metrics/bootstrap.h"

#include <numeric>

#include "metrics/chrf.h"
#include "metrics/ter.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::test {
namespace {

/// Sentences of two words, of which every `period`-th has one wrong.
CorpusCounts counts_of(const Ter& metric, int sentences, int period) {
  CorpusCounts counts(metric);
  for (int i = 0; i < sentences; ++i) counts.add(i % period == 0 ? "a x" : "a b", "a b");
  return counts;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

TEST_CASE("a bootstrap's scores scatter as drawing with replacement does", "[metrics]") {
  // A quarter of 400 sentences has one of two words wrong: TER 12.5; the number of such sentences
  // in a sample is binomial with a deviation of sqrt(400 / 4 * 3 / 4) = 8.66.
  const Ter metric;
  const CorpusCounts counts = counts_of(metric, 400, 4);
  CHECK(counts.score() == 12.5);
  const std::vector<double> scores = bootstrap_scores(counts, {.samples = 4000, .seed = 3});
  REQUIRE(scores.size() == 4000);
  CHECK(mean(scores) == Approx(12.5).margin(0.1));
  double squares = 0;
  for (const double score : scores) squares += (score - 12.5) * (score - 12.5);
  CHECK(std::sqrt(squares / 4000) == Approx(100 * 8.66 / 800).epsilon(0.05));
  const Confidence interval = confidence(scores);
  CHECK(interval.mean == Approx(mean(scores)));
  CHECK(interval.half_width == Approx(1.96 * 100 * 8.66 / 800).epsilon(0.06));
}

TEST_CASE("a bootstrap depends on its seed, not on the threads", "[metrics]") {
  const Ter metric;
  const CorpusCounts counts = counts_of(metric, 50, 3);
  const std::vector<double> scores = bootstrap_scores(counts, {.samples = 100, .seed = 1});
  CHECK(bootstrap_scores(counts, {.samples = 100, .seed = 2}) != scores);
  const ThreadsScope threads(3);
  CHECK(bootstrap_scores(counts, {.samples = 100, .seed = 1}) == scores);
}

TEST_CASE("the interval leaves out one score in forty at each end", "[metrics]") {
  std::vector<double> scores(80);
  std::iota(scores.rbegin(), scores.rend(), 1.0);
  CHECK(confidence(scores).mean == 40.5);
  CHECK(confidence(scores).half_width == (78.0 - 3.0) / 2);
  CHECK(confidence({5.0}).half_width == 0);
}

TEST_CASE("a paired test tells a difference from chance", "[metrics]") {
  // |differences| 1, 2, 3, 2; mean 2: above 2 + 0.5 lies one of four.
  const PairedTest test = paired_test(10, {10, 10, 10, 10}, 10.5, {11, 8, 13, 12});
  CHECK(test.difference == 0.5);
  CHECK(test.p_value == Approx(2.0 / 5));

  const Ter metric;
  const CorpusCounts baseline = counts_of(metric, 400, 4);
  const BootstrapOptions options{.samples = 1000, .seed = 12345};
  const std::vector<double> samples = bootstrap_scores(baseline, options);
  const auto p_value_of = [&](const CorpusCounts& system) {
    return paired_test(baseline.score(), samples, system.score(), bootstrap_scores(system, options))
        .p_value;
  };
  CHECK(p_value_of(baseline) == 1.0);
  CHECK(p_value_of(counts_of(metric, 400, 10)) < 0.01);
  CorpusCounts slightly = counts_of(metric, 399, 4);
  slightly.add("a x", "a b");
  CHECK(p_value_of(slightly) > 0.2);
}

}  // namespace
}  // namespace calque::test
