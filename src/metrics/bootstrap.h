#pragma once

#include <cstdint>
#include <vector>

#include "metrics/metric.h"

namespace calque {

/// How corpora are drawn from the one at hand.
struct BootstrapOptions {
  int64_t samples = 1000;
  uint64_t seed = 12345;
};

/// Scores of corpora drawn from this one: as many sentences, with replacement (Koehn 2004,
/// "Statistical Significance Tests for Machine Translation Evaluation"). Which sentences a sample
/// holds depends on the seed and on their number alone: samples of two systems' translations of one
/// text go together.
std::vector<double> bootstrap_scores(const CorpusCounts& counts, const BootstrapOptions& options);

Confidence confidence(std::vector<double> scores);

/// Whether two systems differ by more than chance.
struct PairedTest {
  double difference = 0;  // the system's score less the baseline's
  double p_value = 1;     // how often chance alone gives a difference as large
};

/// Paired bootstrap: of the absolute differences between the samples' scores, less their mean, the
/// share that is at least the corpus' own (both with one added, so that it is never 0). The
/// vectors are `bootstrap_scores` of the same options; `baseline` and `system` the scores of the
/// whole corpus.
PairedTest paired_test(double baseline, const std::vector<double>& baseline_samples, double system,
                       const std::vector<double>& system_samples);

}  // namespace calque
