#include "bench/translation_bench.h"

#include <algorithm>
#include <numeric>

#include "base/stopwatch.h"
#include "bench/measure.h"

namespace calque::bench {

double TranslationBenchmark::median_round() const { return quantile(round_seconds, 0.5); }

double TranslationBenchmark::sentences_per_second() const {
  return round_seconds.empty() ? 0 : static_cast<double>(lines) / median_round();
}

double TranslationBenchmark::tokens_per_second() const {
  return round_seconds.empty() ? 0 : static_cast<double>(tokens) / median_round();
}

double TranslationBenchmark::lines_per_second() const {
  const double seconds = std::accumulate(line_seconds.begin(), line_seconds.end(), 0.0);
  return line_seconds.empty() ? 0 : static_cast<double>(line_seconds.size()) / seconds;
}

double TranslationBenchmark::latency(double share) const { return quantile(line_seconds, share); }

TranslationBenchmark benchmark_translation(const Translating& translating,
                                           std::span<const std::string> lines, int64_t rounds,
                                           int64_t alone) {
  const auto timed = [&](std::span<const std::string> some) {
    const Stopwatch watch;
    translating.translate(some);
    return watch.seconds();
  };
  TranslationBenchmark result;
  result.lines = std::ssize(lines);
  if (rounds > 0) timed(lines);
  for (int64_t i = 0; i < rounds; ++i) {
    const int64_t before = translating.output_tokens();
    result.round_seconds.push_back(timed(lines));
    result.tokens = translating.output_tokens() - before;
  }
  const auto count = static_cast<size_t>(std::min(alone, result.lines));
  if (count > 0) timed(lines.first(1));
  const int64_t before = translating.output_tokens();
  for (size_t i = 0; i < count; ++i) result.line_seconds.push_back(timed(lines.subspan(i, 1)));
  result.line_tokens = translating.output_tokens() - before;
  return result;
}

}  // namespace calque::bench
