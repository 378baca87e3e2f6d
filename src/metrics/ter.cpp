#include "metrics/ter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "metrics/characters.h"
#include "metrics/ngrams.h"
#include "metrics/tokenizers.h"

namespace calque {
namespace {

constexpr int64_t kLongestShift = 10;   // words
constexpr int64_t kFarthestShift = 50;  // words
constexpr int64_t kMostShifts = 1000;   // tried for a sentence
constexpr int64_t kBeam = 25;           // cells of a row on either side of the diagonal

/// What turns the hypothesis into the reference. kInsert inserts a word of the reference.
enum class Edit : uint8_t { kNone, kKeep, kReplace, kInsert, kDelete };

constexpr int32_t kUnreachable = 1 << 30;

/// The least edits between the first words of both sides, and the last one of them.
struct Cell {
  int32_t cost = kUnreachable;
  Edit edit = Edit::kNone;
};

/// The cells of a row that lie near the diagonal; the others are out of reach.
struct Row {
  int64_t begin;
  std::span<Cell> cells;

  Cell at(int64_t column) const {
    const auto index = static_cast<size_t>(column - begin);
    return index < cells.size() ? cells[index] : Cell{};
  }
};

/// Levenshtein's distance from sequences of one length to a reference, near the diagonal only:
/// time and memory go by words times beam. Both sides have words.
class EditMatrix {
 public:
  EditMatrix(const Units& reference, int64_t words)
      : reference_(reference),
        words_(words),
        columns_(std::ssize(reference) + 1),
        ratio_(static_cast<double>(std::ssize(reference)) / static_cast<double>(words)),
        width_(std::min(columns_, static_cast<int64_t>(ratio_) + 2 * beam() + 1)),
        cells_(static_cast<size_t>((words + 1) * width_)),
        variant_cells_(static_cast<size_t>(2 * width_)) {
    const Row first = row(0);
    for (size_t j = 0; j < first.cells.size(); ++j) {
      first.cells[j] = {static_cast<int32_t>(j), Edit::kInsert};
    }
  }

  /// The distance of `hypothesis`, whose rows are kept.
  int64_t compute(const Units& hypothesis) {
    for (int64_t i = 1; i <= words_; ++i) {
      compute_row(hypothesis[static_cast<size_t>(i - 1)], row(i - 1), row(i));
    }
    return row(words_).at(columns_ - 1).cost;
  }

  /// The distance of a variant of that hypothesis which begins with the same `unchanged` words.
  int64_t distance_of(const Units& variant, int64_t unchanged) {
    Row above = row(unchanged);
    for (int64_t i = unchanged + 1; i <= words_; ++i) {
      const Row next = row_in(variant_cells_, i % 2, i);
      compute_row(variant[static_cast<size_t>(i - 1)], above, next);
      above = next;
    }
    return above.at(columns_ - 1).cost;
  }

  /// The edits on the cheapest way, from the first word to the last.
  std::vector<Edit> edits() {
    std::vector<Edit> edits;
    for (int64_t i = words_, j = columns_ - 1; i > 0 || j > 0;) {
      const Edit edit = row(i).at(j).edit;
      edits.push_back(edit);
      if (edit != Edit::kInsert) --i;
      if (edit != Edit::kDelete) --j;
    }
    std::ranges::reverse(edits);
    return edits;
  }

 private:
  const Units& reference_;
  int64_t words_;
  int64_t columns_;
  double ratio_;
  int64_t width_;                    // at least the cells of each row
  std::vector<Cell> cells_;          // [words + 1, width]
  std::vector<Cell> variant_cells_;  // [2, width]: the rows of a variant take turns

  /// Wider between sentences of very different length: rows must still overlap.
  int64_t beam() const {
    return static_cast<double>(kBeam) < ratio_ / 2
               ? static_cast<int64_t>(std::ceil(ratio_ / 2 + static_cast<double>(kBeam)))
               : kBeam;
  }

  Row row(int64_t i) { return row_in(cells_, i, i); }

  /// Row `i`, which lies at `place` in `cells`. The first one reaches as far as the second.
  Row row_in(std::vector<Cell>& cells, int64_t place, int64_t i) const {
    const auto diagonal = [&](int64_t row) {
      return static_cast<int64_t>(std::floor(static_cast<double>(row) * ratio_));
    };
    const int64_t begin = std::max<int64_t>(0, diagonal(i) - beam());
    const int64_t end =
        i == words_ ? columns_ : std::min(columns_, diagonal(std::max<int64_t>(i, 1)) + beam());
    return {begin, std::span(cells).subspan(static_cast<size_t>(place * width_),
                                            static_cast<size_t>(end - begin))};
  }

  void compute_row(uint32_t word, const Row& above, const Row& row) const {
    Cell left;
    for (size_t k = 0; k < row.cells.size(); ++k) {
      const int64_t j = row.begin + static_cast<int64_t>(k);
      Cell cell;
      const auto offer = [&](const Cell& from, int32_t cost, Edit edit) {
        if (cell.cost > from.cost + cost) cell = {from.cost + cost, edit};
      };
      // Of equal cost the first one stays.
      if (j > 0) {
        const bool same = word == reference_[static_cast<size_t>(j - 1)];
        offer(above.at(j - 1), same ? 0 : 1, same ? Edit::kKeep : Edit::kReplace);
      }
      offer(above.at(j), 1, Edit::kDelete);
      offer(left, 1, Edit::kInsert);
      row.cells[k] = left = cell;
    }
  }
};

/// Which word of the hypothesis goes with each of the reference, and which words are wrong.
struct Alignment {
  std::vector<int64_t> hypothesis_of;  // of each word of the reference; -1: before the first
  std::vector<bool> hypothesis_wrong;
  std::vector<bool> reference_wrong;

  explicit Alignment(const std::vector<Edit>& edits) {
    int64_t word = -1;
    for (const Edit edit : edits) {
      const bool wrong = edit != Edit::kKeep;
      if (edit != Edit::kInsert) {
        ++word;
        hypothesis_wrong.push_back(wrong);
      }
      if (edit != Edit::kDelete) {
        hypothesis_of.push_back(word);
        reference_wrong.push_back(wrong);
      }
    }
  }
};

bool any_wrong(const std::vector<bool>& wrong, int64_t begin, int64_t length) {
  return std::any_of(wrong.begin() + begin, wrong.begin() + begin + length,
                     [](bool is) { return is; });
}

/// The words [start, start + length) moved before word `target` of those that are left in place.
Units shifted(const Units& words, int64_t start, int64_t length, int64_t target) {
  const Units moved(words.begin() + start, words.begin() + start + length);
  Units others(words.begin(), words.begin() + start);
  others.insert(others.end(), words.begin() + start + length, words.end());
  // A target behind the sequence counts its words; one inside it counts from its beginning.
  const int64_t place = target > start + length ? target - length : target;
  others.insert(others.begin() + std::min(place, std::ssize(others)), moved.begin(), moved.end());
  return others;
}

/// The number of edits that turn a hypothesis into a reference. Both have words.
class EditCount {
 public:
  EditCount(Units hypothesis, const Units& reference)
      : hypothesis_(std::move(hypothesis)),
        reference_(reference),
        matrix_(reference, std::ssize(hypothesis_)) {}

  int64_t operator()() {
    int64_t distance = matrix_.compute(hypothesis_);
    int64_t shifts = 0;
    while (try_shifts(distance)) {
      ++shifts;
      hypothesis_ = std::move(best_words_);
      distance = matrix_.compute(hypothesis_);
    }
    return shifts + distance;
  }

 private:
  Units hypothesis_;
  const Units& reference_;
  EditMatrix matrix_;  // of hypothesis_
  int64_t tried_ = 0;
  Units best_words_;
  /// Edits saved, then the longest, the first, and the one that goes least far to the right.
  using Rank = std::tuple<int64_t, int64_t, int64_t, int64_t>;
  std::optional<Rank> best_;

  /// Whether some shift is worth it; it is in best_words_ then.
  bool try_shifts(int64_t distance) {
    best_.reset();
    const Alignment alignment(matrix_.edits());
    const int64_t words = std::ssize(hypothesis_);
    const int64_t reference_words = std::ssize(reference_);
    for (int64_t start = 0; start < words; ++start) {
      const int64_t end = std::min(reference_words, start + kFarthestShift + 1);
      for (int64_t match = std::max<int64_t>(0, start - kFarthestShift); match < end; ++match) {
        const int64_t most = std::min({kLongestShift, words - start, reference_words - match});
        for (int64_t length = 1; length <= most && same(start + length - 1, match + length - 1);
             ++length) {
          try_sequence(alignment, start, match, length, distance);
          if (tried_ >= kMostShifts) return false;
        }
      }
    }
    return best_ && std::get<0>(*best_) > 0;
  }

  bool same(int64_t word, int64_t reference_word) const {
    return hypothesis_[static_cast<size_t>(word)] ==
           reference_[static_cast<size_t>(reference_word)];
  }

  /// Tries the places where the words [start, start + length), which are those of the reference
  /// from `match` on, may go: before each of the words aligned around there.
  void try_sequence(const Alignment& alignment, int64_t start, int64_t match, int64_t length,
                    int64_t distance) {
    if (!any_wrong(alignment.hypothesis_wrong, start, length)) return;
    if (!any_wrong(alignment.reference_wrong, match, length)) return;
    const auto aligned = [&](int64_t word) {
      return alignment.hypothesis_of[static_cast<size_t>(word)];
    };
    if (start <= aligned(match) && aligned(match) < start + length) return;
    int64_t before = -1;
    for (int64_t word = match - 1; word < match + length; ++word) {
      const int64_t target = word < 0 ? 0 : aligned(word) + 1;
      if (target == before) continue;
      before = target;
      try_shift(start, length, target, distance);
    }
  }

  void try_shift(int64_t start, int64_t length, int64_t target, int64_t distance) {
    ++tried_;
    Units words = shifted(hypothesis_, start, length, target);
    const int64_t saved = distance - matrix_.distance_of(words, std::min(start, target));
    const Rank rank{saved, length, -start, -target};
    if (!best_ || rank > *best_) {
      best_ = rank;
      best_words_ = std::move(words);
    }
  }
};

int64_t count_edits(const Units& hypothesis, const Units& reference) {
  if (hypothesis.empty() || reference.empty())
    return std::ssize(hypothesis) + std::ssize(reference);
  return EditCount(hypothesis, reference)();
}

/// `text` without the characters . , ? : ; ! " ( ).
std::string without_punctuation(std::string text) {
  std::erase_if(text, [](char c) {
    return std::string_view(".,?:;!\"()").find(c) != std::string_view::npos;
  });
  return text;
}

}  // namespace

std::string Ter::settings() const {
  return fmt::format("case:{}|tok:tercom|norm:{}|punct:{}|asian:no",
                     options_.case_sensitive ? "mixed" : "lc", options_.normalized ? "yes" : "no",
                     options_.no_punctuation ? "no" : "yes");
}

void Ter::count(std::string_view hypothesis, std::span<const std::string> references,
                std::span<double> counts) const {
  WordNumbers numbers;
  const auto prepared = [&](std::string_view line) {
    std::string text(trim_right(line));
    if (!options_.case_sensitive) text = lower_case(text);
    if (options_.normalized) text = tokenize_tercom(text);
    if (options_.no_punctuation) text = without_punctuation(std::move(text));
    return text;
  };
  const Units words = numbers(split_words(prepared(hypothesis)));
  int64_t least = std::numeric_limits<int64_t>::max();
  int64_t lengths = 0;
  for (const std::string& reference : references) {
    std::string text = prepared(reference);
    // sacreBLEU prepares references a second time, and a normalised "a..1" changes once more; a
    // score is comparable only if ours does too.
    if (options_.normalized) text = prepared(text);
    const Units reference_words = numbers(split_words(text));
    least = std::min(least, count_edits(words, reference_words));
    lengths += std::ssize(reference_words);
  }
  counts[0] = static_cast<double>(least);
  counts[1] = static_cast<double>(lengths) / static_cast<double>(references.size());
}

double Ter::score(std::span<const double> sums) const {
  const double edits = sums[0];
  const double words = sums[1];
  if (words > 0) return 100 * (edits / words);
  return edits > 0 ? 100 : 0;  // nothing was wanted
}

std::vector<Figure> Ter::figures(std::span<const double> sums) const {
  return {{"edits", sums[0]}, {"reference_length", sums[1]}};
}

}  // namespace calque
