#include "metrics/bleu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "metrics/tokenizers.h"

namespace calque {
namespace {

using WordId = std::uint32_t;

/// Numbers the words of one hypothesis and its references, so that n-grams compare fast and
/// exactly.
using WordIds = std::unordered_map<std::string, WordId>;

/// The ids of an n-gram's words; behind those of a shorter one stand zeros.
using NGram = std::array<WordId, kBleuOrder>;

struct CountedNGram {
  NGram words;
  std::int64_t count;
};

std::vector<WordId> read_words(std::string_view line, BleuTokenizer tokenizer, WordIds& ids) {
  const std::string tokenized =
      tokenizer == BleuTokenizer::k13a ? tokenize_13a(trim_right(line)) : std::string(line);
  std::vector<WordId> words;
  for (const std::string_view word : split_words(tokenized)) {
    const WordId next = static_cast<WordId>(ids.size());
    words.push_back(ids.try_emplace(std::string(word), next).first->second);
  }
  return words;
}

/// The distinct n-grams of one order, 1 <= order <= kBleuOrder, sorted by their words.
std::vector<CountedNGram> count_ngrams(const std::vector<WordId>& words, int order) {
  std::vector<NGram> all;
  for (auto begin = words.cbegin(); words.cend() - begin >= order; ++begin) {
    NGram ngram{};
    std::copy_n(begin, order, ngram.begin());
    all.push_back(ngram);
  }
  std::sort(all.begin(), all.end());

  std::vector<CountedNGram> counted;
  for (auto begin = all.cbegin(); begin != all.cend();) {
    const auto end = std::upper_bound(begin, all.cend(), *begin);
    counted.push_back({*begin, end - begin});
    begin = end;
  }
  return counted;
}

/// How often `ngram` occurs in a line, given that line's n-grams of the same order.
std::int64_t count_of(const NGram& ngram, const std::vector<CountedNGram>& line) {
  const auto found = std::lower_bound(
      line.begin(), line.end(), ngram,
      [](const CountedNGram& entry, const NGram& wanted) { return entry.words < wanted; });
  return found != line.end() && found->words == ngram ? found->count : 0;
}

/// How many of the hypothesis' n-grams of one order the references hold.
std::int64_t count_matches(const std::vector<WordId>& hypothesis,
                           const std::vector<std::vector<WordId>>& references, int order) {
  std::vector<std::vector<CountedNGram>> reference_ngrams;
  for (const auto& reference : references) {
    reference_ngrams.push_back(count_ngrams(reference, order));
  }
  std::int64_t matches = 0;
  for (const auto& [ngram, count] : count_ngrams(hypothesis, order)) {
    std::int64_t most = 0;
    for (const auto& line : reference_ngrams) most = std::max(most, count_of(ngram, line));
    matches += std::min(count, most);
  }
  return matches;
}

/// The length of the reference closest to the hypothesis, the shorter one of two equally close.
std::int64_t closest_length(std::int64_t hypothesis,
                            const std::vector<std::vector<WordId>>& references) {
  std::int64_t closest = std::ssize(references.front());
  for (const auto& reference : references) {
    const std::int64_t length = std::ssize(reference);
    const std::int64_t distance = std::abs(hypothesis - length);
    const std::int64_t least = std::abs(hypothesis - closest);
    if (distance < least || (distance == least && length < closest)) closest = length;
  }
  return closest;
}

double brevity_penalty_of(std::int64_t hypothesis_length, std::int64_t reference_length) {
  if (hypothesis_length >= reference_length) return 1.0;
  if (hypothesis_length == 0) return 0.0;
  return std::exp(1.0 -
                  static_cast<double>(reference_length) / static_cast<double>(hypothesis_length));
}

}  // namespace

void BleuStatistics::add(std::string_view hypothesis, std::span<const std::string> references) {
  CALQUE_CHECK(!references.empty(), "BLEU needs at least one reference for each hypothesis");
  WordIds ids;
  const std::vector<WordId> hypothesis_words = read_words(hypothesis, tokenizer_, ids);
  std::vector<std::vector<WordId>> reference_words;
  for (const std::string& reference : references) {
    reference_words.push_back(read_words(reference, tokenizer_, ids));
  }

  const std::int64_t length = std::ssize(hypothesis_words);
  hypothesis_length_ += length;
  reference_length_ += closest_length(length, reference_words);
  for (int order = 1; order <= kBleuOrder; ++order) {
    const auto index = static_cast<std::size_t>(order - 1);
    matches_[index] += count_matches(hypothesis_words, reference_words, order);
    totals_[index] += std::max<std::int64_t>(length - order + 1, 0);
  }
}

BleuStatistics& BleuStatistics::operator+=(const BleuStatistics& other) {
  CALQUE_CHECK(tokenizer_ == other.tokenizer_,
               "BLEU counts of different tokenisers cannot be added");
  for (std::size_t i = 0; i < matches_.size(); ++i) {
    matches_[i] += other.matches_[i];
    totals_[i] += other.totals_[i];
  }
  hypothesis_length_ += other.hypothesis_length_;
  reference_length_ += other.reference_length_;
  return *this;
}

BleuScore BleuStatistics::score() const {
  BleuScore score;
  score.hypothesis_length = hypothesis_length_;
  score.reference_length = reference_length_;
  score.brevity_penalty = brevity_penalty_of(hypothesis_length_, reference_length_);
  if (reference_length_ > 0) {
    score.ratio = static_cast<double>(hypothesis_length_) / static_cast<double>(reference_length_);
  }
  // A longer n-gram only matches where its words do: no word, no match at all.
  if (matches_.front() == 0) return score;

  double smoothing = 1.0;
  double log_precisions = 0.0;
  for (std::size_t i = 0; i < matches_.size(); ++i) {
    if (totals_[i] == 0) return score;
    const double total = static_cast<double>(totals_[i]);
    if (matches_[i] == 0) {
      smoothing *= 2.0;
      score.precisions[i] = 100.0 / (smoothing * total);
    } else {
      score.precisions[i] = 100.0 * static_cast<double>(matches_[i]) / total;
    }
    log_precisions += std::log(score.precisions[i]);
  }
  score.bleu = score.brevity_penalty * std::exp(log_precisions / kBleuOrder);
  return score;
}

std::string bleu_signature(int references, BleuTokenizer tokenizer, std::string_view version) {
  const std::string_view name = tokenizer == BleuTokenizer::k13a ? "13a" : "none";
  return fmt::format("BLEU|nrefs:{}|case:mixed|eff:no|tok:{}|smooth:exp|version:{}", references,
                     name, version);
}

std::string format_bleu(const BleuScore& score, std::string_view label) {
  const auto& precisions = score.precisions;
  return fmt::format(
      "{} = {:.2f} {:.1f}/{:.1f}/{:.1f}/{:.1f} (BP = {:.3f} ratio = {:.3f} hyp_len = {} "
      "ref_len = {})",
      label, score.bleu, precisions[0], precisions[1], precisions[2], precisions[3],
      score.brevity_penalty, score.ratio, score.hypothesis_length, score.reference_length);
}

}  // namespace calque
