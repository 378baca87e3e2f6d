#include <set>

#include "data/batcher.h"
#include "data/corpus_fixture.h"
#include "data/variation.h"
#include "support/catch.h"
#include "text/special_ids.h"

namespace calque {
namespace {

using Tokens = std::vector<int32_t>;

constexpr int64_t kPairs = 200;
constexpr int64_t kBatchTokens = 150;

const ParallelCorpus& sample_corpus() {
  static const test::CorpusFolder folder(kPairs);
  static const ParallelCorpus corpus = folder.open();
  return corpus;
}

DataOptions noisy_options(double probability = 0.7) {
  DataOptions options;
  options.noise.probability = probability;
  options.noise.rate(NoiseKind::kTypos) = 0.2;
  return options;
}

Variation variation(const DataOptions& options) {
  return Variation(options, test::sample_tokenizers());
}

Tokens source_of(int64_t pair) {
  Tokens ids;
  sample_corpus().append_source(pair, ids);
  return ids;
}

TEST_CASE("an epoch's pieces are those of the text with its noise", "[data][noise]") {
  const DataOptions options = noisy_options();
  const Variation with_noise = variation(options);
  CHECK(with_noise.is_wanted());
  CHECK_FALSE(variation({}).is_wanted());
  const Tokenizer& tokenizer = test::sample_tokenizers().source();
  int64_t changed = 0;
  int64_t changed_again = 0;
  for (int64_t pair = 0; pair < kPairs; ++pair) {
    Tokens ids = source_of(pair);
    const std::string text = tokenizer.decode(ids);
    Tokens expected;
    tokenizer.encode(add_noise(text, options.noise, {3, 5, pair}), expected);
    with_noise.vary({3, 5, pair}, false, ids);
    CHECK(ids == expected);
    changed += ids == source_of(pair) ? 0 : 1;
    Tokens other = source_of(pair);
    with_noise.vary({3, 6, pair}, false, other);
    changed_again += other == ids ? 0 : 1;
    Tokens target = source_of(pair);
    with_noise.vary({3, 5, pair}, true, target);
    CHECK(target == source_of(pair));  // only sources get noise
  }
  CHECK(changed > kPairs / 2);
  CHECK(changed < kPairs * 9 / 10);
  CHECK(changed_again > kPairs / 2);

  Tokens unknown = source_of(0);
  unknown[1] = kUnknownId;
  const Tokens before = unknown;
  variation(noisy_options(1)).vary({3, 5, 0}, false, unknown);
  CHECK(unknown == before);
}

/// All batches of the first epochs.
std::vector<Batch> batches_of(Batcher batcher, int64_t epochs) {
  std::vector<Batch> batches;
  for (Batch batch;; batches.push_back(batch)) {
    batcher.next(batch);
    if (batch.position.epoch == epochs) return batches;
  }
}

TEST_CASE("words are cut otherwise behind the noise", "[data][noise]") {
  DataOptions options = noisy_options();
  options.subword_sampling = 0.3;
  DataOptions cuts_alone;
  cuts_alone.subword_sampling = 0.3;
  const Variation both = variation(options);
  const Variation noise = variation(noisy_options());
  const Variation cuts = variation(cuts_alone);
  for (int64_t pair = 0; pair < kPairs; ++pair) {
    Tokens at_once = source_of(pair);
    Tokens in_turn = at_once;
    both.vary({3, 5, pair}, false, at_once);
    noise.vary({3, 5, pair}, false, in_turn);
    cuts.vary({3, 5, pair}, false, in_turn);
    CHECK(at_once == in_turn);
  }
}

TEST_CASE("batches of noisy sentences keep their bounds, and every pair its place",
          "[data][noise]") {
  DataOptions options = noisy_options();
  options.max_length = GENERATE(256, 40, 25);
  const Variation with_noise = variation(options);
  const std::vector<Batch> batches =
      batches_of(Batcher(sample_corpus(), {kBatchTokens, 3, &with_noise}), 2);
  std::multiset<int64_t> seen;
  int64_t longer = 0;
  for (const Batch& batch : batches) {
    CHECK(batch.source_tokens() <= kBatchTokens);
    CHECK(batch.target_tokens() <= kBatchTokens);
    size_t source_row = 0;
    size_t target_row = 0;
    for (const int64_t pair : batch.pairs) {
      seen.insert(pair);
      const Tokens clean = source_of(pair);
      Tokens source = clean;
      with_noise.vary({3, batch.position.epoch, pair}, false, source);
      if (source.empty() || std::ssize(source) >= options.max_length) source = clean;
      longer += std::ssize(source) - std::ssize(clean);
      for (const int32_t id : source) REQUIRE(batch.source_ids[source_row++] == id);
      REQUIRE(batch.source_ids[source_row++] == kEndId);
      Tokens target;
      sample_corpus().append_target(pair, target);
      CHECK(batch.target_input_ids[target_row] == kBeginId);
      for (const int32_t id : target) REQUIRE(batch.target_output_ids[target_row++] == id);
      REQUIRE(batch.target_output_ids[target_row++] == kEndId);
    }
    CHECK(batch.source_layout.view().tokens == static_cast<int64_t>(source_row));
  }
  CHECK(longer > 0);
  for (int64_t pair = 0; pair < kPairs; ++pair) CHECK(seen.count(pair) == 2);
}

TEST_CASE("a source of which noise leaves nothing stays as it stands", "[data][noise]") {
  DataOptions options;
  options.noise.probability = 1;
  options.noise.rate(NoiseKind::kWordDrop) = 1;
  const Variation nothing_left = variation(options);
  Batcher clean(sample_corpus(), {kBatchTokens, 3});
  Batcher noisy(sample_corpus(), {kBatchTokens, 3, &nothing_left});
  Batch expected;
  Batch batch;
  clean.next(expected);
  noisy.next(batch);
  CHECK(batch.source_ids == expected.source_ids);
  CHECK(batch.target_output_ids == expected.target_output_ids);
}

TEST_CASE("noisy batches go on right behind any position", "[data][noise]") {
  const Variation with_noise = variation(noisy_options());
  const BatcherOptions options{kBatchTokens, 3, &with_noise};
  const std::vector<Batch> expected = batches_of(Batcher(sample_corpus(), options), 2);
  for (size_t i = 0; i + 1 < expected.size(); i += 7) {
    Batcher resumed(sample_corpus(), options);
    resumed.seek(expected[i].position);
    const std::vector<Batch> rest = batches_of(std::move(resumed), 2);
    REQUIRE(rest.size() == expected.size() - i - 1);
    CHECK(rest.front().source_ids == expected[i + 1].source_ids);
    CHECK(rest.back().source_ids == expected.back().source_ids);
    CHECK(rest.back().target_output_ids == expected.back().target_output_ids);
  }
}

}  // namespace
}  // namespace calque
