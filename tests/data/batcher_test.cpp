#include "data/batcher.h"

#include <algorithm>
#include <map>

#include "data/corpus_fixture.h"
#include "support/catch.h"
#include "text/special_ids.h"

namespace calque {
namespace {

constexpr int64_t kPairs = 300;

const ParallelCorpus& sample_corpus() {
  static const test::CorpusFolder folder(kPairs);
  static const ParallelCorpus corpus = folder.open();
  return corpus;
}

BatcherOptions small_batches(uint64_t seed = 1) { return {150, seed}; }

/// The positions and pairs of all batches of the epochs [0, epochs).
std::vector<std::pair<BatchPosition, std::vector<int64_t>>> run(Batcher& batcher, int64_t epochs) {
  std::vector<std::pair<BatchPosition, std::vector<int64_t>>> result;
  Batch batch;
  for (batcher.next(batch); batch.position.epoch < epochs; batcher.next(batch)) {
    result.emplace_back(batch.position, batch.pairs);
  }
  return result;
}

void check_rows(std::span<const int32_t> ids, const SequenceLayout& layout) {
  CHECK(layout.tokens == std::ssize(ids));
  int32_t row = 0;
  for (int64_t s = 0; s < layout.sentences(); ++s) {
    CHECK(layout.begins[static_cast<size_t>(s)] == row);
    row += layout.lengths[static_cast<size_t>(s)];
  }
  CHECK(row == std::ssize(ids));
}

TEST_CASE("a batch is packed rows with their special ids", "[data]") {
  const ParallelCorpus& corpus = sample_corpus();
  Batch batch;
  for (const int64_t pair : {5, 17, 3}) batch.append(corpus, pair);
  std::vector<int32_t> source;
  std::vector<int32_t> input;
  std::vector<int32_t> output;
  for (const int64_t pair : batch.pairs) {
    corpus.append_source(pair, source);
    source.push_back(kEndId);
    input.push_back(kBeginId);
    corpus.append_target(pair, input);
    corpus.append_target(pair, output);
    output.push_back(kEndId);
  }
  CHECK(batch.source_ids == source);
  CHECK(batch.target_input_ids == input);
  CHECK(batch.target_output_ids == output);
  CHECK(batch.sentences() == 3);
  check_rows(batch.source_ids, batch.source_layout.view());
  check_rows(batch.target_output_ids, batch.target_layout.view());
  batch.clear();
  CHECK(batch.sentences() == 0);
  CHECK(batch.source_layout.view().sentences() == 0);
  CHECK(batch.position == BatchPosition{});
}

TEST_CASE("an epoch takes every pair once, within the budget", "[data]") {
  Batcher batcher(sample_corpus(), small_batches());
  std::map<int64_t, std::vector<int64_t>> pairs_of_epoch;
  Batch batch;
  for (batcher.next(batch); batch.position.epoch < 2; batcher.next(batch)) {
    CHECK(batch.sentences() > 0);
    CHECK(batch.source_tokens() <= 150);
    CHECK(batch.target_tokens() <= 150);
    std::vector<int64_t>& seen = pairs_of_epoch[batch.position.epoch];
    seen.insert(seen.end(), batch.pairs.begin(), batch.pairs.end());
    CHECK(std::ssize(seen) == batch.position.pairs);
    CHECK(batch.epochs == static_cast<double>(batch.position.epoch) +
                              static_cast<double>(std::ssize(seen)) / kPairs);
  }
  CHECK(pairs_of_epoch[0] != pairs_of_epoch[1]);
  for (auto& [epoch, seen] : pairs_of_epoch) {
    std::sort(seen.begin(), seen.end());
    REQUIRE(std::ssize(seen) == kPairs);
    for (int64_t i = 0; i < kPairs; ++i) CHECK(seen[static_cast<size_t>(i)] == i);
  }
}

TEST_CASE("the order is a function of the seed", "[data]") {
  Batcher first(sample_corpus(), small_batches());
  Batcher same(sample_corpus(), small_batches());
  Batcher other(sample_corpus(), small_batches(2));
  const auto expected = run(first, 2);
  CHECK(run(same, 2) == expected);
  CHECK(run(other, 2) != expected);
}

TEST_CASE("a bound of the cache's memory changes no batch", "[data]") {
  test::CorpusFolder folder(kPairs);
  folder.options.cache_memory = 1;  // less than the program itself: pages are dropped all the time
  const ParallelCorpus bounded = folder.open();
  Batcher batcher(bounded, small_batches());
  Batcher free(sample_corpus(), small_batches());
  CHECK(run(batcher, 2) == run(free, 2));
}

TEST_CASE("batches are full, and hold sentences of all lengths", "[data]") {
  const ParallelCorpus& corpus = sample_corpus();
  const int64_t longest = std::max(corpus.longest_source(), corpus.longest_target()) + 1;
  Batcher batcher(corpus, small_batches());
  Batch batch;
  int64_t spread = 0;  // of the lengths in a batch
  int64_t batches = 0;
  for (batcher.next(batch); batch.position.epoch < 2; batcher.next(batch), ++batches) {
    const auto [shortest, most] = std::ranges::minmax(batch.target_layout.view().lengths);
    spread += most - shortest;
    const bool ends_epoch = batch.position.pairs == kPairs;
    CHECK((ends_epoch || std::max(batch.source_tokens(), batch.target_tokens()) > 150 - longest));
  }
  CHECK(2 * spread > batches * longest);
}

TEST_CASE("a run goes on right behind any position", "[data]") {
  Batcher whole(sample_corpus(), small_batches());
  const auto expected = run(whole, 2);
  Batcher resumed(sample_corpus(), small_batches());
  for (size_t i = 0; i < expected.size(); ++i) {
    const BatchPosition position = expected[i].first;
    resumed.seek(position);
    CHECK(resumed.epochs() ==
          static_cast<double>(position.epoch) + static_cast<double>(position.pairs) / kPairs);
    const auto rest = run(resumed, 2);
    REQUIRE(rest.size() == expected.size() - i - 1);
    CHECK(std::equal(rest.begin(), rest.end(), expected.begin() + static_cast<int64_t>(i) + 1));
  }
  resumed.seek({});
  CHECK(run(resumed, 2) == expected);
}

TEST_CASE("a corpus that fits into one batch is one batch an epoch", "[data]") {
  Batcher batcher(sample_corpus(), {100'000, 1});
  Batch batch;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    batcher.next(batch);
    CHECK(batch.position == BatchPosition{epoch, kPairs});
    CHECK(batch.epochs == static_cast<double>(epoch + 1));
  }
  const std::vector<int64_t> last = batch.pairs;
  for (const BatchPosition before : {BatchPosition{1, kPairs}, BatchPosition{2, 0}}) {
    batcher.seek(before);
    batcher.next(batch);
    CHECK(batch.position == BatchPosition{2, kPairs});
    CHECK(batch.pairs == last);
  }
}

TEST_CASE("a position that does not exist is refused", "[data]") {
  Batcher batcher(sample_corpus(), small_batches());
  for (const BatchPosition position :
       {BatchPosition{-1, 5}, BatchPosition{0, -1}, BatchPosition{0, kPairs + 1}}) {
    test::contains(test::user_error([&] { batcher.seek(position); }),
                   "cannot go on behind " + position.to_string());
  }
}

TEST_CASE("a budget below the longest sentence is an error at the start", "[data]") {
  const ParallelCorpus& corpus = sample_corpus();
  const int64_t longest = std::max(corpus.longest_source(), corpus.longest_target()) + 1;
  CHECK_NOTHROW(Batcher(corpus, {longest, 1}));
  const std::string message = test::user_error([&] { Batcher(corpus, {longest - 1, 1}); });
  test::contains(message, "set train.batch_tokens to " + std::to_string(longest) +
                              " or more, or data.max_length to " + std::to_string(longest - 1));
  test::contains(test::user_error([&] { make_batches(corpus, longest - 1); }),
                 "train.batch_tokens");
}

TEST_CASE("batches for validation hold every pair once, in the order of the corpus", "[data]") {
  const std::vector<Batch> batches = make_batches(sample_corpus(), 200);
  CHECK(batches.size() > 3);
  int64_t next = 0;
  for (const Batch& batch : batches) {
    CHECK(batch.source_tokens() <= 200);
    CHECK(batch.target_tokens() <= 200);
    for (const int64_t pair : batch.pairs) CHECK(pair == next++);
  }
  CHECK(next == kPairs);
}

}  // namespace
}  // namespace calque
