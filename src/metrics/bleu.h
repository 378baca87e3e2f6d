#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "metrics/metric.h"
#include "metrics/tokenizers.h"

namespace calque {

/// The longest n-gram that BLEU counts.
inline constexpr int kBleuOrder = 4;

/// What an order without a match counts, so that the score of a short text is not 0 (Chen and
/// Cherry 2014).
enum class Smoothing {
  kNone,
  kFloor,  ///< method 1: `value` matches, 0.1 by default
  kAddK,   ///< method 2: from order 2 on, `value` more matches and n-grams, 1 by default
  kExp,    ///< method 3: the k-th order without a match has 1 / 2^k
};

/// "none", "floor", "add-k", "exp".
std::string_view smoothing_name(Smoothing smoothing);

struct BleuOptions {
  WordTokenizer tokenizer = WordTokenizer::k13a;
  Smoothing smoothing = Smoothing::kExp;
  std::optional<double> smoothing_value{};  // of kFloor and kAddK; none: the default
  bool lower_case = false;
  /// Leaves out the orders that the hypotheses have no n-gram of: for single sentences.
  bool effective_order = false;
};

/// BLEU and the numbers it is made of.
struct BleuScore {
  double bleu = 0.0;                            ///< 0 ... 100
  std::array<double, kBleuOrder> precisions{};  ///< per order, in percent, smoothed
  double brevity_penalty = 0.0;                 ///< 0 ... 1; 1 if not shorter than the reference
  double ratio = 0.0;             ///< hypothesis / reference length; 0 if no reference words
  int64_t hypothesis_length = 0;  ///< words
  int64_t reference_length = 0;   ///< words of the closest references
};

/// BLEU (Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation"):
///   brevity_penalty * exp(mean over orders of log(precision)),
///   brevity_penalty = exp(1 - reference_length / hypothesis_length) if that is less than 1.
/// An n-gram of the hypothesis matches as often as the reference richest in it holds it; the
/// reference whose length is closest to the hypothesis' gives the reference length, the shorter one
/// of two equally close. BLEU is 0 when no word matches.
///
/// Counts: hypothesis length, reference length, matches of orders 1 to 4, n-grams of orders 1 to 4.
class Bleu : public Metric {
 public:
  explicit Bleu(const BleuOptions& options = {}) : options_(options) {}

  std::string name() const override { return "BLEU"; }
  std::string settings() const override;
  bool higher_is_better() const override { return true; }
  size_t size() const override { return 2 + 2 * kBleuOrder; }
  void count(std::string_view hypothesis, std::span<const std::string> references,
             std::span<double> counts) const override;
  double score(std::span<const double> sums) const override { return parts(sums).bleu; }
  std::string details(std::span<const double> sums) const override;
  std::vector<Figure> figures(std::span<const double> sums) const override;

  BleuScore parts(std::span<const double> sums) const;

 private:
  BleuOptions options_;

  double smoothing_value() const;
};

}  // namespace calque
