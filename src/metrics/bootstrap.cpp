#include "metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"

namespace calque {
namespace {

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

std::vector<double> bootstrap_scores(const CorpusCounts& counts, const BootstrapOptions& options) {
  const auto sentences = static_cast<uint64_t>(counts.sentences());
  CALQUE_CHECK(sentences > 0 && options.samples > 0, "{} samples of {} sentences", options.samples,
               sentences);
  const RandomKey key{options.seed, 0, streams::kBootstrap};
  std::vector<double> scores(static_cast<size_t>(options.samples));
  parallel_for(options.samples, [&](int64_t sample, int) {
    std::vector<double> sums(counts.metric().size());
    for (uint64_t i = 0; i < sentences; ++i) {
      const double place =
          random_uniform(key, static_cast<uint64_t>(sample) * sentences + i);  // in [0, 1)
      const auto sentence =
          counts.sentence(static_cast<int64_t>(place * static_cast<double>(sentences)));
      for (size_t c = 0; c < sums.size(); ++c) sums[c] += sentence[c];
    }
    scores[static_cast<size_t>(sample)] = counts.metric().score(sums);
  });
  return scores;
}

Confidence confidence(std::vector<double> scores) {
  CALQUE_CHECK(!scores.empty(), "no scores");
  std::sort(scores.begin(), scores.end());
  const size_t outside = scores.size() / 40;  // 2.5 % on either side
  const double lower = scores[outside];
  const double upper = scores[scores.size() - outside - 1];
  return {mean(scores), (upper - lower) / 2};
}

PairedTest paired_test(double baseline, const std::vector<double>& baseline_samples, double system,
                       const std::vector<double>& system_samples) {
  CALQUE_CHECK(baseline_samples.size() == system_samples.size() && !system_samples.empty(),
               "{} samples against {}", system_samples.size(), baseline_samples.size());
  std::vector<double> differences;
  for (size_t i = 0; i < system_samples.size(); ++i) {
    differences.push_back(std::abs(system_samples[i] - baseline_samples[i]));
  }
  const double threshold = std::abs(system - baseline) + mean(differences);
  // Equal ones count, so that two systems with the same output have a p-value of 1. sacreBLEU
  // counts strictly larger ones only; there such systems have the lowest p-value possible.
  const auto as_large =
      std::ranges::count_if(differences, [&](double d) { return d >= threshold; });
  return {system - baseline,
          static_cast<double>(as_large + 1) / static_cast<double>(differences.size() + 1)};
}

}  // namespace calque
