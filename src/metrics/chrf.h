#pragma once

#include <cstdint>

#include "metrics/metric.h"

namespace calque {

struct ChrfOptions {
  int64_t character_order = 6;  // 1 ... 6
  int64_t word_order = 0;       // 0: chrF, 2: chrF++ (at most 6)
  int64_t beta = 2;             // how much more recall counts than precision
  bool lower_case = false;
  bool white_space = false;  // counts in n-grams of characters
};

/// chrF (Popovic 2015, "chrF: character n-gram F-score for automatic MT evaluation") and chrF++
/// (Popovic 2017): with P and R the mean precision and recall of n-grams over the orders that both
/// sides have,
///   (1 + beta^2) P R / (beta^2 P + R).
/// Words, where they count, are those between white space, a punctuation mark at their end, or else
/// at their beginning, apart. Of several references the one with the best score of its own counts.
///
/// Counts: for each order of characters, then of words, n-grams of the hypothesis, of the
/// reference, and matches.
class Chrf : public Metric {
 public:
  explicit Chrf(const ChrfOptions& options = {}) : options_(options) {}

  std::string name() const override;
  std::string settings() const override;
  bool higher_is_better() const override { return true; }
  size_t size() const override;
  void count(std::string_view hypothesis, std::span<const std::string> references,
             std::span<double> counts) const override;
  double score(std::span<const double> sums) const override;

 private:
  ChrfOptions options_;
};

}  // namespace calque
