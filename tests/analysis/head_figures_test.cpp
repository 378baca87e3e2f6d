#include "analysis/head_figures.h"

#include <cmath>

#include "analysis/attention_maps.h"
#include "support/catch.h"

namespace calque {
namespace {

using test::WrittenMap;
using enum AttentionPlace;
using enum HeadCharacter;

/// Rows that have `most` at one key each, and share the rest evenly.
std::vector<Real> peaks(int64_t keys, std::initializer_list<int64_t> at, double most = 0.9) {
  std::vector<Real> weights;
  for (const int64_t peak : at) {
    for (int64_t key = 0; key < keys; ++key) {
      weights.push_back(
          static_cast<Real>(key == peak ? most : (1 - most) / static_cast<double>(keys - 1)));
    }
  }
  return weights;
}

HeadCharacter character(AttentionPlace place, std::vector<Real> weights, int64_t keys) {
  const WrittenMap written(std::move(weights), keys, place == kDecoderSelf);
  return measure_head(place, written.map).character;
}

TEST_CASE("entropy is in bits, and of what a query may see", "[analysis]") {
  const WrittenMap written({1, 0, 0, 0, 0.5, 0.5, 0, 0, 0.25, 0.25, 0.25, 0.25, 0.5, 0, 0.25, 0.25},
                           4);
  const HeadFigures figures = measure_head(kEncoderSelf, written.map);
  CHECK(figures.entropy == Approx((0 + 1 + 2 + 1.5) / 4));
  CHECK(figures.relative_entropy == Approx(4.5 / 8));
  CHECK(figures.largest_weight == Approx((1 + 0.5 + 0.25 + 0.5) / 4));

  const WrittenMap causal({1, 0, 0, 0.5, 0.5, 0, 0.5, 0.25, 0.25}, 3, true);
  const HeadFigures seen = measure_head(kDecoderSelf, causal.map);
  CHECK(seen.entropy == Approx(2.5 / 3));
  CHECK(seen.relative_entropy == Approx(2.5 / (1 + std::log2(3.0))));

  const WrittenMap only({1}, 1, true);
  CHECK(measure_head(kDecoderSelf, only.map).relative_entropy == 0);
}

TEST_CASE("a head is named after the place of most of its weight", "[analysis]") {
  CHECK(character(kEncoderSelf, peaks(6, {0, 1, 2, 3, 4, 5}), 6) == kDiagonal);
  CHECK(character(kEncoderSelf, peaks(6, {3, 0, 1, 2, 3, 4}), 6) == kPrevious);
  CHECK(character(kEncoderSelf, peaks(6, {1, 2, 3, 4, 5, 0}), 6) == kNext);
  CHECK(character(kEncoderSelf, peaks(6, {0, 0, 0, 0, 0, 0}), 6) == kFirst);
  CHECK(character(kEncoderSelf, peaks(6, {5, 5, 5, 5, 5, 5}), 6) == kEnd);
  CHECK(character(kEncoderSelf, peaks(6, {2, 4, 0, 5, 1, 3}), 6) == kFocused);
  CHECK(character(kEncoderSelf, std::vector<Real>(36, Real(1) / 6), 6) == kSpread);
  CHECK(character(kEncoderSelf, peaks(6, {2, 4, 0, 5, 1, 3}, 0.45), 6) == kMixed);
}

TEST_CASE("a causal head has no next and no end, and what sees one key says nothing",
          "[analysis]") {
  const std::vector<Real> previous{1, 0, 0, 0, 0.9, 0.1, 0, 0, 0, 1, 0, 0, 0.1, 0, 0.8, 0.1};
  CHECK(character(kDecoderSelf, previous, 4) == kPrevious);
  const std::vector<Real> first{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  CHECK(character(kDecoderSelf, first, 4) == kFirst);
  const std::vector<Real> self{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
  CHECK(character(kDecoderSelf, self, 4) == kDiagonal);
}

TEST_CASE("cross-attention is diagonal at an even pace, within a key", "[analysis]") {
  // Four queries over ten keys: the pace is three keys a query.
  CHECK(character(kDecoderCross, peaks(10, {0, 3, 6, 9}), 10) == kDiagonal);
  CHECK(character(kDecoderCross, peaks(10, {1, 2, 7, 8}), 10) == kDiagonal);
  CHECK(character(kDecoderCross, peaks(10, {9, 6, 3, 1}), 10) == kFocused);
  CHECK(character(kDecoderCross, peaks(10, {9, 9, 9, 9}), 10) == kEnd);
  // Three of four keys are no place: uniform weights put most there, too.
  CHECK(character(kDecoderCross, peaks(4, {0, 1, 2, 3}), 4) == kFocused);
}

}  // namespace
}  // namespace calque
