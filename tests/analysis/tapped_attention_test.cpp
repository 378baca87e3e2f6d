#include "analysis/tapped_attention.h"

#include "analysis/attention_maps.h"
#include "support/catch.h"
#include "support/own_engine_scope.h"

namespace calque {
namespace {

constexpr int64_t kVocab = 23;

TEST_CASE("each row of each attention is a distribution over what it may see", "[analysis]") {
  const test::ExampleBatch batch({3, 0, 5}, {1, 4, 2}, kVocab);
  const TransformerOptions options = test::three_layers();
  const test::TappedBatch tapped(options, batch.view(), kVocab);
  const TappedAttention& attention = tapped.attention;
  CHECK(attention.sentences() == 3);
  CHECK(attention.heads() == 4);
  CHECK(attention.layers(AttentionPlace::kEncoderSelf) == 2);
  CHECK(attention.layers(AttentionPlace::kDecoderCross) == 3);
  for (const AttentionPlace place : kAttentionPlaces) {
    for (int64_t layer = 0; layer < attention.layers(place); ++layer) {
      for (int64_t head = 0; head < options.heads; ++head) {
        for (int64_t s = 0; s < 3; ++s) {
          const AttentionMap map = attention.map(place, layer, head, s);
          const auto source = batch.view().source_layout.lengths[static_cast<size_t>(s)];
          const auto target = batch.view().target_layout.lengths[static_cast<size_t>(s)];
          CHECK(map.queries() == (place == AttentionPlace::kEncoderSelf ? source : target));
          CHECK(map.keys() == (place == AttentionPlace::kDecoderSelf ? target : source));
          CHECK(map.causal == (place == AttentionPlace::kDecoderSelf));
          for (int64_t query = 0; query < map.queries(); ++query) {
            double sum = 0;
            for (int64_t key = 0; key < map.keys(); ++key) {
              sum += map.weight(query, key);
              if (key >= map.visible_keys(query)) CHECK(map.weight(query, key) == 0);
            }
            CHECK(sum == Approx(1).epsilon(1e-5));
          }
        }
      }
    }
  }
}

TEST_CASE("a sentence's weights are the same bits in any batch, and taking them changes no loss",
          "[analysis]") {
  const test::OwnEngineScope engine;
  const test::ExampleBatch batch({3, 1, 5}, {1, 4, 2}, kVocab);
  const TransformerOptions options = test::three_layers();
  test::TappedBatch whole(options, batch.view(), kVocab);
  for (int64_t s = 0; s < 3; ++s) {
    const test::ExampleBatch pair = batch.single(s);
    const test::TappedBatch single(options, pair.view(), kVocab);
    for (const AttentionPlace place : kAttentionPlaces) {
      const AttentionMap one = single.attention.map(place, 1, 2);
      const AttentionMap same = whole.attention.map(place, 1, 2, s);
      for (int64_t query = 0; query < one.queries(); ++query) {
        for (int64_t key = 0; key < one.keys(); ++key) {
          CHECK(one.weight(query, key) == same.weight(query, key));
        }
      }
    }
  }
  Context context(whole.arena, whole.workspace);
  CHECK(whole.model.loss(context, batch.view(), 0).loss == whole.sums.loss);
}

}  // namespace
}  // namespace calque
