#include "metrics/bleu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "metrics/characters.h"
#include "metrics/ngrams.h"

namespace calque {
namespace {

// Where a count lies.
constexpr size_t kHypothesisLength = 0;
constexpr size_t kReferenceLength = 1;
constexpr size_t kMatches = 2;
constexpr size_t kTotals = kMatches + kBleuOrder;

/// How many of the hypothesis' n-grams of one order the references hold.
int64_t count_matches(const Units& hypothesis, const std::vector<Units>& references, int order) {
  std::vector<std::vector<CountedNGram>> reference_ngrams;
  for (const Units& reference : references) {
    reference_ngrams.push_back(count_ngrams(reference, order));
  }
  int64_t matches = 0;
  for (const auto& [ngram, count] : count_ngrams(hypothesis, order)) {
    int64_t most = 0;
    for (const auto& line : reference_ngrams) most = std::max(most, count_of(ngram, line));
    matches += std::min(count, most);
  }
  return matches;
}

/// The length of the reference closest to the hypothesis, the shorter one of two equally close.
int64_t closest_length(int64_t hypothesis, const std::vector<Units>& references) {
  int64_t closest = std::ssize(references.front());
  for (const Units& reference : references) {
    const int64_t length = std::ssize(reference);
    const int64_t distance = std::abs(hypothesis - length);
    const int64_t least = std::abs(hypothesis - closest);
    if (distance < least || (distance == least && length < closest)) closest = length;
  }
  return closest;
}

double brevity_penalty_of(double hypothesis_length, double reference_length) {
  if (hypothesis_length >= reference_length) return 1.0;
  if (hypothesis_length == 0) return 0.0;
  return std::exp(1.0 - reference_length / hypothesis_length);
}

/// Of an order without a precision the logarithm is so low that BLEU is 0 to every printed digit.
double log_of(double precision) {
  constexpr double kLowest = -9999999999;
  return precision == 0 ? kLowest : std::log(precision);
}

}  // namespace

std::string_view smoothing_name(Smoothing smoothing) {
  switch (smoothing) {
    case Smoothing::kNone:
      return "none";
    case Smoothing::kFloor:
      return "floor";
    case Smoothing::kAddK:
      return "add-k";
    case Smoothing::kExp:
      return "exp";
  }
  return {};
}

double Bleu::smoothing_value() const {
  constexpr double kDefaultFloor = 0.1;
  constexpr double kDefaultK = 1;
  return options_.smoothing_value.value_or(options_.smoothing == Smoothing::kFloor ? kDefaultFloor
                                                                                   : kDefaultK);
}

std::string Bleu::settings() const {
  const bool has_value =
      options_.smoothing == Smoothing::kFloor || options_.smoothing == Smoothing::kAddK;
  return fmt::format("case:{}|eff:{}|tok:{}|smooth:{}{}", options_.lower_case ? "lc" : "mixed",
                     options_.effective_order ? "yes" : "no", tokenizer_name(options_.tokenizer),
                     smoothing_name(options_.smoothing),
                     has_value ? fmt::format("[{:.2f}]", smoothing_value()) : "");
}

void Bleu::count(std::string_view hypothesis, std::span<const std::string> references,
                 std::span<double> counts) const {
  WordNumbers numbers;
  const auto words_of = [&](std::string_view line) {
    const std::string lower = options_.lower_case ? lower_case(line) : std::string();
    const std::string_view text = trim_right(options_.lower_case ? lower : line);
    return numbers(split_words(tokenize(options_.tokenizer, text)));
  };
  const Units words = words_of(hypothesis);
  std::vector<Units> reference_words;
  for (const std::string& reference : references) reference_words.push_back(words_of(reference));

  const int64_t length = std::ssize(words);
  counts[kHypothesisLength] = static_cast<double>(length);
  counts[kReferenceLength] = static_cast<double>(closest_length(length, reference_words));
  for (int order = 1; order <= kBleuOrder; ++order) {
    const auto index = static_cast<size_t>(order - 1);
    counts[kMatches + index] = static_cast<double>(count_matches(words, reference_words, order));
    counts[kTotals + index] = static_cast<double>(all_ngrams(length, order));
  }
}

BleuScore Bleu::parts(std::span<const double> sums) const {
  BleuScore score;
  score.hypothesis_length = std::llround(sums[kHypothesisLength]);
  score.reference_length = std::llround(sums[kReferenceLength]);
  score.brevity_penalty = brevity_penalty_of(sums[kHypothesisLength], sums[kReferenceLength]);
  if (sums[kReferenceLength] > 0) {
    score.ratio = sums[kHypothesisLength] / sums[kReferenceLength];
  }
  // A longer n-gram only matches where its words do: no word, no match at all.
  if (sums[kMatches] == 0) return score;

  double halved = 1;
  size_t orders = kBleuOrder;
  for (size_t i = 0; i < kBleuOrder; ++i) {
    const double added = options_.smoothing == Smoothing::kAddK && i > 0 ? smoothing_value() : 0;
    const double matches = sums[kMatches + i] + added;
    const double total = sums[kTotals + i] + added;
    if (total == 0) break;
    if (options_.effective_order) orders = i + 1;
    if (matches > 0) {
      score.precisions[i] = 100 * matches / total;
    } else if (options_.smoothing == Smoothing::kExp) {
      halved *= 2;
      score.precisions[i] = 100 / (halved * total);
    } else if (options_.smoothing == Smoothing::kFloor) {
      score.precisions[i] = 100 * smoothing_value() / total;
    }
  }
  double logs = 0;
  for (size_t i = 0; i < orders; ++i) logs += log_of(score.precisions[i]);
  score.bleu = score.brevity_penalty * std::exp(logs / static_cast<double>(orders));
  return score;
}

std::string Bleu::details(std::span<const double> sums) const {
  const BleuScore score = parts(sums);
  const auto& precisions = score.precisions;
  return fmt::format(
      "{:.1f}/{:.1f}/{:.1f}/{:.1f} (BP = {:.3f} ratio = {:.3f} hyp_len = {} ref_len = {})",
      precisions[0], precisions[1], precisions[2], precisions[3], score.brevity_penalty,
      score.ratio, score.hypothesis_length, score.reference_length);
}

std::vector<Figure> Bleu::figures(std::span<const double> sums) const {
  const BleuScore score = parts(sums);
  std::vector<Figure> figures;
  for (size_t i = 0; i < kBleuOrder; ++i) {
    figures.push_back({fmt::format("precision_{}", i + 1), score.precisions[i]});
  }
  figures.push_back({"brevity_penalty", score.brevity_penalty});
  figures.push_back({"ratio", score.ratio});
  figures.push_back({"hypothesis_length", static_cast<double>(score.hypothesis_length)});
  figures.push_back({"reference_length", static_cast<double>(score.reference_length)});
  return figures;
}

}  // namespace calque
