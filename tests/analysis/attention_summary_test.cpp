#include "analysis/attention_summary.h"

#include "analysis/attention_maps.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque {
namespace {

constexpr int64_t kVocab = 23;

TEST_CASE("a summary has the mean entropy of each head over all queries of a corpus",
          "[analysis]") {
  const test::ExampleBatch first({3, 0, 5}, {1, 4, 2}, kVocab, 1);
  const test::ExampleBatch second({4}, {6}, kVocab, 2);
  const TransformerOptions options = test::three_layers();
  const test::TappedBatch one(options, first.view(), kVocab);
  const test::TappedBatch two(options, second.view(), kVocab);
  const auto summarize = [&](int threads) {
    const test::ThreadsScope scope(threads);
    AttentionSummary summary(options, 1);
    summary.add(one.attention);
    summary.add(two.attention);
    return summary;
  };
  const AttentionSummary summary = summarize(1);
  for (const AttentionPlace place : kAttentionPlaces) {
    const int64_t layers = one.attention.layers(place);
    REQUIRE(std::ssize(summary.heads(place)) == layers * options.heads);
    for (int64_t i = 0; i < layers * options.heads; ++i) {
      EntropySums expected;
      for (int64_t s = 0; s < 3; ++s) {
        expected.add(one.attention.map(place, i / options.heads, i % options.heads, s));
      }
      expected.add(two.attention.map(place, i / options.heads, i % options.heads));
      CHECK(summary.heads(place)[static_cast<size_t>(i)].entropy() == expected.entropy());
      CHECK(summarize(3).heads(place)[static_cast<size_t>(i)].bits == expected.bits);
    }
  }
}

TEST_CASE("the sharpness of alignments is the mean of the largest mean weights", "[analysis]") {
  const test::ExampleBatch batch({3, 2}, {1, 4}, kVocab);
  const TransformerOptions options = test::three_layers();
  const test::TappedBatch tapped(options, batch.view(), kVocab);
  AttentionSummary summary(options, 1);
  summary.add(tapped.attention);
  double sum = 0;
  int64_t queries = 0;
  for (int64_t s = 0; s < 2; ++s) {
    const AttentionMap any = tapped.attention.map(AttentionPlace::kDecoderCross, 1, 0, s);
    for (int64_t query = 0; query < any.queries(); ++query, ++queries) {
      double largest = 0;
      for (int64_t key = 0; key < any.keys(); ++key) {
        double mean = 0;
        for (int64_t head = 0; head < options.heads; ++head) {
          mean +=
              tapped.attention.map(AttentionPlace::kDecoderCross, 1, head, s).weight(query, key) /
              static_cast<double>(options.heads);
        }
        largest = std::max(largest, mean);
      }
      sum += largest;
    }
  }
  CHECK(summary.alignment_sharpness() == Approx(sum / static_cast<double>(queries)));
  CHECK(summary.alignment_sharpness() < 1);
}

}  // namespace
}  // namespace calque
