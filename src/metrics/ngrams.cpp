#include "metrics/ngrams.h"

#include <algorithm>

namespace calque {

Units WordNumbers::operator()(const std::vector<std::string_view>& words) {
  Units units;
  units.reserve(words.size());
  for (const std::string_view word : words) {
    const auto next = static_cast<uint32_t>(numbers_.size());
    units.push_back(numbers_.try_emplace(std::string(word), next).first->second);
  }
  return units;
}

std::vector<CountedNGram> count_ngrams(const Units& line, int64_t order) {
  std::vector<NGram> all;
  all.reserve(line.size());
  for (auto begin = line.cbegin(); line.cend() - begin >= order; ++begin) {
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

int64_t count_of(const NGram& ngram, std::span<const CountedNGram> line) {
  const auto found = std::ranges::lower_bound(
      line, ngram, {}, [](const CountedNGram& entry) { return entry.units; });
  return found != line.end() && found->units == ngram ? found->count : 0;
}

int64_t all_ngrams(int64_t units, int64_t order) { return std::max<int64_t>(units - order + 1, 0); }

}  // namespace calque
