#include "analysis/rollout.h"

#include "analysis/attention_maps.h"
#include "support/catch.h"

namespace calque {
namespace {

using enum AttentionPlace;

constexpr int64_t kVocab = 23;

/// Mean weight of all heads.
double mean_weight(const TappedAttention& a, AttentionPlace place, int64_t layer, int64_t query,
                   int64_t key) {
  double sum = 0;
  for (int64_t head = 0; head < a.heads(); ++head) {
    sum += a.map(place, layer, head, 1).weight(query, key);
  }
  return sum / static_cast<double>(a.heads());
}

/// What the token at `query` behind `layers` layers has of input `key`, path by path: half of it
/// comes through the residual connection, half through the weights.
double walk(const TappedAttention& a, AttentionPlace place, int64_t layers, int64_t query,
            int64_t key) {
  if (layers == 0) return query == key ? 1 : 0;
  double sum = walk(a, place, layers - 1, query, key);
  for (int64_t middle = 0; middle < a.map(place, 0, 0, 1).keys(); ++middle) {
    sum +=
        mean_weight(a, place, layers - 1, query, middle) * walk(a, place, layers - 1, middle, key);
  }
  return sum / 2;
}

/// The same from a decoder's position to a token of the source, not scaled.
double walk_across(const TappedAttention& a, int64_t layers, int64_t query, int64_t key) {
  if (layers == 0) return 0;
  const int64_t layer = layers - 1;
  double through_self = walk_across(a, layer, query, key);
  for (int64_t middle = 0; middle <= query; ++middle) {
    through_self +=
        mean_weight(a, kDecoderSelf, layer, query, middle) * walk_across(a, layer, middle, key);
  }
  double through_source = 0;
  for (int64_t middle = 0; middle < a.map(kEncoderSelf, 0, 0, 1).keys(); ++middle) {
    through_source += mean_weight(a, kDecoderCross, layer, query, middle) *
                      walk(a, kEncoderSelf, a.layers(kEncoderSelf), middle, key);
  }
  return (through_self / 2 + through_source) / 2;
}

TEST_CASE("rollout is the sum over all paths through weights and residual connections",
          "[analysis]") {
  const test::ExampleBatch batch({2, 3}, {4, 2}, kVocab);
  const test::TappedBatch tapped(test::three_layers(), batch.view(), kVocab);
  const TappedAttention& attention = tapped.attention;
  const Rollout rollout = roll_out(attention, 1);
  for (const AttentionPlace place : kAttentionPlaces) {
    const int64_t queries = attention.map(place, 0, 0, 1).queries();
    const int64_t keys = attention.map(place, 0, 0, 1).keys();
    for (int64_t layer = 0; layer < attention.layers(place); ++layer) {
      REQUIRE(std::ssize(rollout.at(place, layer)) == queries * keys);
      for (int64_t query = 0; query < queries; ++query) {
        std::vector<double> expected;
        double sum = 0;
        for (int64_t key = 0; key < keys; ++key) {
          expected.push_back(place == kDecoderCross
                                 ? walk_across(attention, layer + 1, query, key)
                                 : walk(attention, place, layer + 1, query, key));
          sum += expected.back();
        }
        for (int64_t key = 0; key < keys; ++key) {
          CHECK(rollout.at(place, layer)[static_cast<size_t>(query * keys + key)] ==
                Approx(expected[static_cast<size_t>(key)] / sum).margin(1e-6));
        }
      }
    }
  }
}

}  // namespace
}  // namespace calque
