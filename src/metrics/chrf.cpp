#include "metrics/chrf.h"

#include <fmt/format.h>

#include <algorithm>

#include "metrics/characters.h"
#include "metrics/ngrams.h"
#include "metrics/tokenizers.h"

namespace calque {
namespace {

constexpr size_t kPerOrder = 3;  // numbers: hypothesis, reference, matches

bool is_ascii_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

bool is_one_character(std::string_view word) {
  size_t at = 0;
  next_character(word, at);
  return at == word.size();
}

/// Words with one punctuation mark of each apart: the last character, or else the first.
std::vector<std::string_view> words_and_marks(std::string_view line) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split_words(line)) {
    size_t cut = 0;
    if (is_one_character(word)) {
      cut = 0;
    } else if (is_ascii_punctuation(word.back())) {
      cut = word.size() - 1;
    } else if (is_ascii_punctuation(word.front())) {
      cut = 1;
    }
    if (cut > 0) words.push_back(word.substr(0, cut));
    words.push_back(word.substr(cut));
  }
  return words;
}

/// A line's characters and words as numbers.
struct Line {
  Units characters;
  Units words;
};

Line read_line(std::string_view text, const ChrfOptions& options, WordNumbers& numbers) {
  const std::string lower = options.lower_case ? lower_case(text) : std::string(text);
  Line line;
  for (const char32_t character : to_characters(lower)) {
    if (options.white_space || !is_white_space(character)) line.characters.push_back(character);
  }
  if (options.word_order > 0) line.words = numbers(words_and_marks(lower));
  return line;
}

/// Counts one order's n-grams.
void count_order(const Units& hypothesis, const Units& reference, int64_t order,
                 std::span<double, kPerOrder> counts) {
  const std::vector<CountedNGram> reference_ngrams = count_ngrams(reference, order);
  int64_t matches = 0;
  for (const auto& [ngram, count] : count_ngrams(hypothesis, order)) {
    matches += std::min(count, count_of(ngram, reference_ngrams));
  }
  // What the hypothesis has does not count against it where the reference has nothing.
  const bool counts_at_all = !reference_ngrams.empty();
  counts[0] = counts_at_all ? static_cast<double>(all_ngrams(std::ssize(hypothesis), order)) : 0;
  counts[1] = static_cast<double>(all_ngrams(std::ssize(reference), order));
  counts[2] = static_cast<double>(matches);
}

}  // namespace

std::string Chrf::name() const {
  return fmt::format("chrF{}{}", options_.beta,
                     std::string(static_cast<size_t>(options_.word_order), '+'));
}

std::string Chrf::settings() const {
  return fmt::format("case:{}|eff:yes|nc:{}|nw:{}|space:{}", options_.lower_case ? "lc" : "mixed",
                     options_.character_order, options_.word_order,
                     options_.white_space ? "yes" : "no");
}

size_t Chrf::size() const {
  return kPerOrder * static_cast<size_t>(options_.character_order + options_.word_order);
}

void Chrf::count(std::string_view hypothesis, std::span<const std::string> references,
                 std::span<double> counts) const {
  WordNumbers numbers;
  const Line line = read_line(hypothesis, options_, numbers);
  std::vector<double> found(size());
  double best = -1;
  for (const std::string& reference : references) {
    const Line other = read_line(reference, options_, numbers);
    size_t at = 0;
    const auto count_orders = [&](const Units& ours, const Units& theirs, int64_t orders) {
      for (int64_t order = 1; order <= orders; ++order, at += kPerOrder) {
        count_order(ours, theirs, order, std::span(found).subspan(at).first<kPerOrder>());
      }
    };
    count_orders(line.characters, other.characters, options_.character_order);
    count_orders(line.words, other.words, options_.word_order);
    const double score_of_reference = score(found);
    if (score_of_reference > best) {
      best = score_of_reference;
      std::ranges::copy(found, counts.begin());
    }
  }
}

double Chrf::score(std::span<const double> sums) const {
  double precision = 0;
  double recall = 0;
  int orders = 0;
  for (size_t at = 0; at < size(); at += kPerOrder) {
    const double hypothesis = sums[at];
    const double reference = sums[at + 1];
    if (hypothesis == 0 || reference == 0) continue;
    precision += sums[at + 2] / hypothesis;
    recall += sums[at + 2] / reference;
    ++orders;
  }
  if (precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  const auto factor = static_cast<double>(options_.beta * options_.beta);
  return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
}

}  // namespace calque
