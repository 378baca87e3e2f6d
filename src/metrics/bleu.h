#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace calque {

/// The longest n-gram that BLEU counts.
inline constexpr int kBleuOrder = 4;

/// How BLEU finds the words of a line.
enum class BleuTokenizer {
  k13a,   ///< `tokenize_13a`: the default, for ordinary (detokenised) text
  kNone,  ///< the line's words as they are, for text that is already tokenised
};

/// BLEU of a corpus and the numbers it is made of.
struct BleuScore {
  double bleu = 0.0;                            ///< 0 ... 100
  std::array<double, kBleuOrder> precisions{};  ///< per order, in percent, smoothed
  double brevity_penalty = 0.0;                 ///< 0 ... 1; 1 if not shorter than the reference
  double ratio = 0.0;                  ///< hypothesis / reference length; 0 if no reference words
  std::int64_t hypothesis_length = 0;  ///< words
  std::int64_t reference_length = 0;   ///< words of the closest references
};

/// The counts from which BLEU is computed (Papineni et al. 2002, "BLEU: a Method for Automatic
/// Evaluation of Machine Translation"), collected sentence by sentence. Counts of parts of a corpus
/// may be added; the sum is exact, so order and grouping do not matter. A value: copy it freely.
///
/// The score is the one that sacreBLEU (Post 2018) calls
/// `case:mixed|eff:no|tok:13a|smooth:exp`, digit for digit.
class BleuStatistics {
 public:
  explicit BleuStatistics(BleuTokenizer tokenizer = BleuTokenizer::k13a) : tokenizer_(tokenizer) {}

  /// Counts one sentence. `references` are its translations by different people, at least one.
  /// An n-gram of the hypothesis matches as often as the reference richest in it holds it; the
  /// reference whose length is closest to the hypothesis' gives the reference length, the shorter
  /// one of two equally close. Throws InternalError when there is no reference.
  void add(std::string_view hypothesis, std::span<const std::string> references);

  /// Counts one sentence that has a single reference.
  void add(std::string_view hypothesis, const std::string& reference) {
    add(hypothesis, std::span<const std::string>(&reference, 1));
  }

  /// Adds the counts of other sentences. Throws InternalError when the tokenisers differ.
  BleuStatistics& operator+=(const BleuStatistics& other);

  bool operator==(const BleuStatistics& other) const = default;

  /// BLEU of the sentences so far:
  ///   brevity_penalty * exp(mean over orders of log(precision)),
  ///   brevity_penalty = exp(1 - reference_length / hypothesis_length) if that is less than 1.
  /// The k-th order without a match gets 1 / 2^k of a match (Chen & Cherry 2014, method 3). BLEU is
  /// 0 when no word matches, and when no hypothesis has `kBleuOrder` words.
  BleuScore score() const;

  /// Matching n-grams of order `n`, 1 <= n <= kBleuOrder.
  std::int64_t matches(int n) const { return matches_.at(static_cast<std::size_t>(n - 1)); }

  /// All n-grams of order `n` in the hypotheses, 1 <= n <= kBleuOrder.
  std::int64_t totals(int n) const { return totals_.at(static_cast<std::size_t>(n - 1)); }

 private:
  BleuTokenizer tokenizer_;
  std::array<std::int64_t, kBleuOrder> matches_{};
  std::array<std::int64_t, kBleuOrder> totals_{};
  std::int64_t hypothesis_length_ = 0;
  std::int64_t reference_length_ = 0;
};

/// The settings behind a score, in sacreBLEU's form, so that others can compare theirs:
/// "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:calque-1.0". `references` is the
/// number of references per sentence; `version` is printed as given.
std::string bleu_signature(int references, BleuTokenizer tokenizer, std::string_view version);

/// The score in one line, in sacreBLEU's form, BLEU to two decimals:
/// "BLEU = 34.12 68.1/41.9/27.5/18.3 (BP = 1.000 ratio = 1.003 hyp_len = 12000 ref_len = 11964)".
/// `label` stands before the equals sign; with `bleu_signature` there, the line is sacreBLEU's
/// full one.
std::string format_bleu(const BleuScore& score, std::string_view label = "BLEU");

}  // namespace calque
