#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace calque {

/// Words or characters of a line as numbers, so that sequences of them compare fast and exactly.
using Units = std::vector<uint32_t>;

/// Numbers the words of one hypothesis and its references.
class WordNumbers {
 public:
  Units operator()(const std::vector<std::string_view>& words);

 private:
  std::unordered_map<std::string, uint32_t> numbers_;
};

/// The longest n-gram that a metric counts.
inline constexpr int kLongestNGram = 6;

/// The numbers of an n-gram's units; behind those of a shorter one stand zeros.
using NGram = std::array<uint32_t, kLongestNGram>;

struct CountedNGram {
  NGram units;
  int64_t count;
};

/// The distinct n-grams of one order, 1 <= order <= kLongestNGram, sorted by their units.
std::vector<CountedNGram> count_ngrams(const Units& line, int64_t order);

/// How often `ngram` occurs in a line, given that line's n-grams of the same order.
int64_t count_of(const NGram& ngram, std::span<const CountedNGram> line);

/// All n-grams of one order that a line of so many units has.
int64_t all_ngrams(int64_t units, int64_t order);

}  // namespace calque
