#include "metrics/metric.h"

#include <fmt/format.h>

#include "base/error.h"

namespace calque {

std::string Metric::details(std::span<const double>) const { return {}; }

std::vector<Figure> Metric::figures(std::span<const double>) const { return {}; }

void CorpusCounts::add(std::string_view hypothesis, std::span<const std::string> references) {
  CALQUE_CHECK(!references.empty(), "{} needs at least one reference for each hypothesis",
               metric_->name());
  counts_.resize(counts_.size() + metric_->size());
  metric_->count(hypothesis, references, std::span(counts_).last(metric_->size()));
}

int64_t CorpusCounts::sentences() const {
  return static_cast<int64_t>(counts_.size() / metric_->size());
}

std::span<const double> CorpusCounts::sentence(int64_t i) const {
  return std::span(counts_).subspan(static_cast<size_t>(i) * metric_->size(), metric_->size());
}

std::vector<double> CorpusCounts::sums() const {
  std::vector<double> sums(metric_->size());
  for (int64_t i = 0; i < sentences(); ++i) {
    for (size_t c = 0; c < sums.size(); ++c) sums[c] += sentence(i)[c];
  }
  return sums;
}

std::string signature(const Metric& metric, const SignatureFields& fields) {
  std::string text = fmt::format("{}|nrefs:{}", metric.name(), fields.references);
  if (fields.bootstrap_samples) text += fmt::format("|bs:{}", *fields.bootstrap_samples);
  if (fields.bootstrap_seed) text += fmt::format("|seed:{}", *fields.bootstrap_seed);
  return fmt::format("{}|{}|version:{}", text, metric.settings(), fields.version);
}

std::string format_value(double score, const std::optional<Confidence>& confidence) {
  if (!confidence) return fmt::format("{:.2f}", score);
  return fmt::format("{:.2f} (\u03bc = {:.2f} \u00b1 {:.2f})", score, confidence->mean,
                     confidence->half_width);
}

std::string format_score(const Metric& metric, std::span<const double> sums,
                         const std::optional<Confidence>& confidence) {
  const std::string line =
      fmt::format("{} = {}", metric.name(), format_value(metric.score(sums), confidence));
  const std::string details = metric.details(sums);
  return details.empty() ? line : line + " " + details;
}

}  // namespace calque
