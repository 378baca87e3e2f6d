#include "analysis/head_figures.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace calque {
namespace {

using enum HeadCharacter;

/// Keys [begin, end) of a query; none: the query has no such place.
struct Keys {
  int64_t begin = 0;
  int64_t end = 0;
};

Keys keys_at(HeadCharacter character, AttentionPlace place, const AttentionMap& map,
             int64_t query) {
  const auto one = [&](int64_t key) {
    return key >= 0 && key < map.visible_keys(query) ? Keys{key, key + 1} : Keys{};
  };
  switch (character) {
    case kDiagonal: {
      if (place != AttentionPlace::kDecoderCross) return one(query);
      const auto queries = static_cast<double>(std::max<int64_t>(map.queries() - 1, 1));
      const auto key = std::llround(static_cast<double>(query * (map.keys() - 1)) / queries);
      return {std::max<int64_t>(key - 1, 0), std::min<int64_t>(key + 2, map.keys())};
    }
    case kPrevious:
      return one(query - 1);
    case kNext:
      return one(query + 1);
    case kFirst:
      return one(0);
    default:
      return one(map.keys() - 1);
  }
}

/// How much of the weight lies in a place, and how much would of uniform weights.
struct Share {
  double share = 0;
  double uniform = 0;
};

Share measure_place(HeadCharacter character, AttentionPlace place, const AttentionMap& map) {
  Share sums;
  int64_t counted = 0;
  for (int64_t query = 0; query < map.queries(); ++query) {
    const Keys keys = keys_at(character, place, map, query);
    if (keys.begin == keys.end || map.visible_keys(query) < 2) continue;
    const double all = map.row_sum(query);
    for (int64_t key = keys.begin; key < keys.end; ++key) {
      if (all > 0) sums.share += map.weight(query, key) / all;
    }
    sums.uniform +=
        static_cast<double>(keys.end - keys.begin) / static_cast<double>(map.visible_keys(query));
    ++counted;
  }
  const auto count = static_cast<double>(std::max<int64_t>(counted, 1));
  return {sums.share / count, sums.uniform / count};
}

std::span<const HeadCharacter> places(AttentionPlace place) {
  static constexpr std::array kEncoder{kDiagonal, kPrevious, kNext, kFirst, kEnd};
  static constexpr std::array kDecoder{kDiagonal, kPrevious, kFirst};
  static constexpr std::array kCross{kDiagonal, kFirst, kEnd};
  if (place == AttentionPlace::kEncoderSelf) return kEncoder;
  if (place == AttentionPlace::kDecoderSelf) return kDecoder;
  return kCross;
}

}  // namespace

void EntropySums::add(const AttentionMap& map) {
  for (int64_t query = 0; query < map.queries(); ++query) {
    const double all = map.row_sum(query);
    double highest = 0;
    for (int64_t key = 0; key < map.visible_keys(query); ++key) {
      const double share = map.weight(query, key) / all;
      if (!(share > 0)) continue;
      bits -= share * std::log2(share);
      highest = std::max(highest, share);
    }
    uniform_bits += std::log2(static_cast<double>(map.visible_keys(query)));
    largest += highest;
  }
  queries += map.queries();
}

std::string_view name_of(HeadCharacter character) {
  constexpr std::array<std::string_view, 8> kNames{"diagonal", "previous", "next",    "first",
                                                   "end",      "spread",   "focused", "mixed"};
  return kNames[static_cast<size_t>(character)];
}

HeadFigures measure_head(AttentionPlace place, const AttentionMap& map) {
  EntropySums sums;
  sums.add(map);
  HeadFigures figures{sums.entropy(), sums.relative_entropy(), sums.largest_weight(), kMixed};
  double most = 0;
  for (const HeadCharacter character : places(place)) {
    const Share found = measure_place(character, place, map);
    if (found.share < std::max(kPlaceShare, kPlaceOverUniform * found.uniform)) continue;
    if (found.share <= most) continue;
    most = found.share;
    figures.character = character;
  }
  if (most > 0) return figures;
  if (figures.relative_entropy >= kSpreadEntropy) {
    figures.character = kSpread;
  } else if (figures.largest_weight >= 0.5) {
    figures.character = kFocused;
  }
  return figures;
}

}  // namespace calque
