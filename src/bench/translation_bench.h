#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace calque::bench {

/// What is measured: as Translator::translate and Translator::output_tokens.
struct Translating {
  std::function<std::vector<std::string>(std::span<const std::string>)> translate;
  std::function<int64_t()> output_tokens;
};

/// A text, translated in batches round after round, and some of its lines one by one.
struct TranslationBenchmark {
  std::vector<double> round_seconds;  // in the order of the rounds
  int64_t lines = 0;                  // of a round
  int64_t tokens = 0;                 // put out in a round, ends counted
  std::vector<double> line_seconds;   // of each line that was translated alone
  int64_t line_tokens = 0;            // put out for them

  double median_round() const;
  double sentences_per_second() const;  // of the median round
  double tokens_per_second() const;     // of the median round
  /// The lines that were translated alone, over the time they took.
  double lines_per_second() const;
  /// Seconds that `share` of the lines do not exceed: 0.95 for p95.
  double latency(double share) const;
};

/// Translates `lines` once to warm up, then `rounds` times; then each of the first `alone` lines by
/// itself, after one of them to warm up.
TranslationBenchmark benchmark_translation(const Translating& translating,
                                           std::span<const std::string> lines, int64_t rounds,
                                           int64_t alone);

}  // namespace calque::bench
