#include "metrics/ter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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
constexpr int64_t kInfinity = 10'000'000'000'000'000;

/// What turns the hypothesis into the reference. kInsert inserts a word of the reference.
enum class Edit : uint8_t { kNone, kKeep, kReplace, kInsert, kDelete };

/// Levenshtein's distance from sequences of one length to a reference, near the diagonal only.
class EditMatrix {
 public:
  EditMatrix(const Units& reference, int64_t words)
      : reference_(reference),
        words_(words),
        columns_(std::ssize(reference) + 1),
        cells_(static_cast<size_t>((words + 1) * columns_)) {
    for (int64_t j = 0; j < columns_; ++j) at(0, j) = {j, Edit::kInsert};
  }

  /// Computes the rows behind `row`; those before belong to a hypothesis that begins with the same
  /// `row` words. Returns the distance.
  int64_t compute(const Units& hypothesis, int64_t row) {
    const double ratio =
        words_ > 0 ? static_cast<double>(columns_ - 1) / static_cast<double>(words_) : 1;
    // Sentences of very different length: rows must still overlap.
    const int64_t beam =
        static_cast<double>(kBeam) < ratio / 2
            ? static_cast<int64_t>(std::ceil(ratio / 2 + static_cast<double>(kBeam)))
            : kBeam;
    for (int64_t i = row + 1; i <= words_; ++i) {
      const auto diagonal = static_cast<int64_t>(std::floor(static_cast<double>(i) * ratio));
      const int64_t begin = std::max<int64_t>(0, diagonal - beam);
      const int64_t end = i == words_ ? columns_ : std::min(columns_, diagonal + beam);
      std::fill_n(&at(i, 0), columns_, Cell{});
      for (int64_t j = begin; j < end; ++j) compute_cell(hypothesis, i, j);
    }
    return at(words_, columns_ - 1).cost;
  }

  /// The edits on the cheapest way, from the first word to the last.
  std::vector<Edit> edits() const {
    std::vector<Edit> edits;
    for (int64_t i = words_, j = columns_ - 1; i > 0 || j > 0;) {
      const Edit edit = at(i, j).edit;
      edits.push_back(edit);
      if (edit != Edit::kInsert) --i;
      if (edit != Edit::kDelete) --j;
    }
    std::ranges::reverse(edits);
    return edits;
  }

  /// Takes the rows up to `row` from another matrix of the same sizes.
  void copy_rows(const EditMatrix& other, int64_t row) {
    std::copy_n(other.cells_.begin(), (row + 1) * columns_, cells_.begin());
  }

 private:
  struct Cell {
    int64_t cost = kInfinity;
    Edit edit = Edit::kNone;
  };

  const Units& reference_;
  int64_t words_;
  int64_t columns_;
  std::vector<Cell> cells_;  // [words + 1, columns]

  Cell& at(int64_t i, int64_t j) { return cells_[static_cast<size_t>(i * columns_ + j)]; }
  const Cell& at(int64_t i, int64_t j) const {
    return cells_[static_cast<size_t>(i * columns_ + j)];
  }

  void compute_cell(const Units& hypothesis, int64_t i, int64_t j) {
    Cell& cell = at(i, j);
    const auto offer = [&](const Cell& from, int64_t cost, Edit edit) {
      if (cell.cost > from.cost + cost) cell = {from.cost + cost, edit};
    };
    // Of equal cost the first one stays.
    if (j > 0) {
      const bool same =
          hypothesis[static_cast<size_t>(i - 1)] == reference_[static_cast<size_t>(j - 1)];
      offer(at(i - 1, j - 1), same ? 0 : 1, same ? Edit::kKeep : Edit::kReplace);
    }
    offer(at(i - 1, j), 1, Edit::kDelete);
    if (j > 0) offer(at(i, j - 1), 1, Edit::kInsert);
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

/// The number of edits that turn a hypothesis into a reference.
class EditCount {
 public:
  EditCount(Units hypothesis, const Units& reference)
      : hypothesis_(std::move(hypothesis)),
        reference_(reference),
        matrix_(reference, std::ssize(hypothesis_)),
        candidate_(reference, std::ssize(hypothesis_)) {}

  int64_t operator()() {
    if (reference_.empty()) return std::ssize(hypothesis_);
    int64_t distance = matrix_.compute(hypothesis_, 0);
    int64_t shifts = 0;
    while (try_shifts(distance)) {
      ++shifts;
      hypothesis_ = std::move(best_words_);
      distance = matrix_.compute(hypothesis_, 0);
    }
    return shifts + distance;
  }

 private:
  Units hypothesis_;
  const Units& reference_;
  EditMatrix matrix_;     // of hypothesis_
  EditMatrix candidate_;  // of one with a shift
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
      for (int64_t match = 0; match < reference_words; ++match) {
        if (std::abs(match - start) > kFarthestShift) continue;
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
    const int64_t unchanged = std::min(start, target);
    candidate_.copy_rows(matrix_, unchanged);
    const Rank rank{distance - candidate_.compute(words, unchanged), length, -start, -target};
    if (!best_ || rank > *best_) {
      best_ = rank;
      best_words_ = std::move(words);
    }
  }
};

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
  const auto words_of = [&](std::string_view line) {
    std::string text(trim_right(line));
    if (!options_.case_sensitive) text = lower_case(text);
    if (options_.normalized) text = tokenize_tercom(text);
    if (options_.no_punctuation) text = without_punctuation(std::move(text));
    return numbers(split_words(text));
  };
  const Units words = words_of(hypothesis);
  int64_t least = kInfinity;
  int64_t lengths = 0;
  for (const std::string& reference : references) {
    const Units reference_words = words_of(reference);
    least = std::min(least, EditCount(words, reference_words)());
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

}  // namespace calque
