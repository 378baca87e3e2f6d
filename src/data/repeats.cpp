#include "data/repeats.h"

#include <algorithm>
#include <compare>
#include <map>

#include "base/file.h"
#include "base/progress.h"

namespace calque {
namespace {

/// A pair by its place among all texts: the number of its text in the highest byte, its own below.
using PairPlace = uint64_t;
constexpr int kPairBits = 56;
PairPlace pair_place(size_t text, uint64_t pair) { return uint64_t{text} << kPairBits | pair; }
size_t text_of(PairPlace place) { return place >> kPairBits; }
int64_t pair_of(PairPlace place) {
  return static_cast<int64_t>(place & ((uint64_t{1} << kPairBits) - 1));
}

struct HashedPair {
  uint64_t hash;
  PairPlace place;
  auto operator<=>(const HashedPair&) const = default;
};

static_assert(kPairsAtOnce * sizeof(HashedPair) == size_t{256} << 20);

bool has_words(const std::string& line) { return line.find_first_not_of(" \t") != line.npos; }

/// The first places of a fault, each with the place that it repeats.
class FirstPlaces {
 public:
  explicit FirstPlaces(size_t most) : most_(most) {}

  void add(PairPlace place, PairPlace like) {
    ++count_;
    first_.emplace(place, like);
    if (first_.size() > most_) first_.erase(std::prev(first_.end()));
  }
  DropReport::Count count(const std::vector<TextCheck>& texts) const {
    DropReport::Count result{count_, {}};
    for (const auto& [place, like] : first_) {
      result.examples.push_back({where(texts, place), 0, where(texts, like)});
    }
    return result;
  }

 private:
  size_t most_;
  int64_t count_ = 0;
  std::map<PairPlace, PairPlace> first_;

  static TextPlace where(const std::vector<TextCheck>& texts, PairPlace place) {
    return texts[text_of(place)].source_place(pair_of(place));
  }
};

/// Puts the pairs of all texts whose hash leaves `part` when divided by `parts` into `pairs`.
void read_part(const std::vector<TextCheck>& texts, const LinePolicies& policies, uint64_t part,
               uint64_t parts, std::vector<HashedPair>& pairs, Progress& progress, int64_t& read) {
  pairs.clear();
  TextPair pair;
  std::string both;
  for (size_t text = 0; text < texts.size(); ++text) {
    PairReader reader(texts[text].files, policies);
    for (uint64_t number = 0; reader.next(pair); ++number) {
      if (++read % kLinesPerUpdate == 0) progress.update_or_stop(read);
      if (!has_words(pair.source_line) || !has_words(pair.target_line)) continue;
      both = pair.source_line;
      both += '\n';
      both += pair.target_line;
      const uint64_t hash = hash_bytes(both);
      if (hash % parts == part) pairs.push_back({hash, pair_place(text, number)});
    }
  }
}

}  // namespace

void count_repeats(std::vector<TextCheck>& texts, const LinePolicies& policies, size_t examples,
                   int64_t pairs_at_once) {
  int64_t all_pairs = 0;
  for (const TextCheck& text : texts) all_pairs += text.pairs();
  const int64_t parts = all_pairs / pairs_at_once + 1;
  Progress progress("looking for repeated pairs", parts * all_pairs, "pairs");
  int64_t read = 0;
  std::vector<FirstPlaces> duplicates(texts.size(), FirstPlaces(examples));
  std::vector<FirstPlaces> in_training(texts.size(), FirstPlaces(examples));
  std::vector<HashedPair> pairs;
  pairs.reserve(static_cast<size_t>(all_pairs / parts + all_pairs / parts / 64 + 1));
  for (int64_t part = 0; part < parts; ++part) {
    read_part(texts, policies, static_cast<uint64_t>(part), static_cast<uint64_t>(parts), pairs,
              progress, read);
    std::ranges::sort(pairs);
    size_t first = 0;    // of the pairs that are the same
    size_t in_text = 0;  // the first of these in the same text
    for (size_t i = 0; i < pairs.size(); ++i) {
      const size_t text = text_of(pairs[i].place);
      if (pairs[i].hash != pairs[first].hash) first = in_text = i;
      if (text != text_of(pairs[in_text].place)) in_text = i;
      if (in_text != i) duplicates[text].add(pairs[i].place, pairs[in_text].place);
      if (text > 0 && text_of(pairs[first].place) == 0) {
        in_training[text].add(pairs[i].place, pairs[first].place);
      }
    }
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    texts[i].report.faults[number(Fault::kDuplicate)] = duplicates[i].count(texts);
    texts[i].report.faults[number(Fault::kInTraining)] = in_training[i].count(texts);
  }
}

}  // namespace calque
