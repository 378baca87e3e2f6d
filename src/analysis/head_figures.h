#pragma once

#include <array>
#include <string_view>

#include "analysis/tapped_attention.h"

namespace calque {

/// How sharply attention looks, summed up over queries of any number of maps.
struct EntropySums {
  double bits = 0;          // entropies of the rows, -sum w log2 w
  double uniform_bits = 0;  // what they would be of uniform weights, log2(keys that the row sees)
  double largest = 0;       // the largest weight of each row
  int64_t queries = 0;

  void add(const AttentionMap& map);

  double entropy() const { return bits / static_cast<double>(queries); }
  /// From 0, one key alone, to 1, all of them alike; 0 where no query has a choice.
  double relative_entropy() const { return uniform_bits > 0 ? bits / uniform_bits : 0; }
  double largest_weight() const { return largest / static_cast<double>(queries); }
};

/// What a head does, in a word. The first five are places that a key may have for a query; of
/// cross-attention, "diagonal" is where the key would stand if both sentences ran at an even pace,
/// and its two neighbours.
enum class HeadCharacter {
  kDiagonal,  // self-attention: the query's own token
  kPrevious,  // the token before it
  kNext,      // the token behind it
  kFirst,     // the first token of the sentence
  kEnd,       // the end of the sentence
  kSpread,    // no place; nearly uniform: relative entropy at least kSpreadEntropy
  kFocused,   // no place; one key has at least half of the weight, on average
  kMixed,     // none of these
};

std::string_view name_of(HeadCharacter character);

inline constexpr double kSpreadEntropy = 0.9;
/// What a place must have of the weight, and how many times what uniform weights would give it.
inline constexpr double kPlaceShare = 0.5;
inline constexpr double kPlaceOverUniform = 2;

/// The figures of one head over one sentence.
struct HeadFigures {
  double entropy = 0;           // bits, the mean over queries
  double relative_entropy = 0;  // EntropySums::relative_entropy
  double largest_weight = 0;    // the mean over queries of each one's largest
  /// The place with most of the weight, where that is at least kPlaceShare and kPlaceOverUniform
  /// times its share of uniform weights; counted are the queries that have such a place and see two
  /// keys or more. Where there is no such place, one of the last three.
  HeadCharacter character = HeadCharacter::kMixed;
};

HeadFigures measure_head(AttentionPlace place, const AttentionMap& map);

}  // namespace calque
