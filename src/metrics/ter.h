#pragma once

#include "metrics/metric.h"

namespace calque {

struct TerOptions {
  bool case_sensitive = false;
  bool normalized = false;      // words as `tokenize_13a` finds them, "'s" too
  bool no_punctuation = false;  // . , ? : ; ! " ( ) do not count
};

/// Translation edit rate (Snover et al. 2006, "A Study of Translation Edit Rate with Targeted Human
/// Annotation"): words inserted, deleted, replaced, and sequences of them shifted, over the words
/// of the reference. Which shifts are tried, and in which order, is what the Tercom program does
/// and sacreBLEU after it. Of several references the closest gives the edits, all of them the mean
/// length.
///
/// Counts: edits, words of the reference.
class Ter : public Metric {
 public:
  explicit Ter(const TerOptions& options = {}) : options_(options) {}

  std::string name() const override { return "TER"; }
  std::string settings() const override;
  bool higher_is_better() const override { return false; }
  size_t size() const override { return 2; }
  void count(std::string_view hypothesis, std::span<const std::string> references,
             std::span<double> counts) const override;
  double score(std::span<const double> sums) const override;
  std::vector<Figure> figures(std::span<const double> sums) const override;

 private:
  TerOptions options_;
};

}  // namespace calque
