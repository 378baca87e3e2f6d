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

BatcherOptions small_batches(uint64_t seed = 1) { return {150, 5, seed}; }

/// The positions and pairs of all batches of the epochs [0, epochs).
std::vector<std::pair<BatchPosition, std::vector<int64_t>>> run(Batcher& batcher, int64_t epochs) {
  std::vector<std::pair<BatchPosition, std::vector<int64_t>>> result;
  Batch batch;
  for (batcher.next(batch); batch.position.epoch < epochs; batcher.next(batch)) {
    result.emplace_back(batch.position, batch.pairs);
  }
  return result;
}

/// The windows that an epoch of `batches` is cut into.
int64_t windows_of(const std::vector<std::pair<BatchPosition, std::vector<int64_t>>>& batches) {
  int64_t last = 0;
  for (const auto& [position, pairs] : batches) last = std::max(last, position.window);
  return last + 1;
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
  int64_t batches = 0;
  Batch batch;
  for (batcher.next(batch); batch.position.epoch < 2; batcher.next(batch)) {
    CHECK(batch.sentences() > 0);
    CHECK(batch.source_tokens() <= 150);
    CHECK(batch.target_tokens() <= 150);
    std::vector<int64_t>& seen = pairs_of_epoch[batch.position.epoch];
    seen.insert(seen.end(), batch.pairs.begin(), batch.pairs.end());
    if (batch.position.epoch == 0) ++batches;
  }
  CHECK(batches >= batcher.least_batches_per_epoch());
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

TEST_CASE("positions grow, and batches come in no order of length", "[data]") {
  Batcher batcher(sample_corpus(), small_batches());
  const auto batches = run(batcher, 1);
  int64_t shorter_than_before = 0;
  for (size_t i = 1; i < batches.size(); ++i) {
    CHECK(batches[i - 1].first < batches[i].first);
    const auto length = [&](size_t b) {
      return sample_corpus().target_length(batches[b].second.front());
    };
    shorter_than_before += length(i) < length(i - 1) ? 1 : 0;
  }
  CHECK(windows_of(batches) > 3);
  CHECK(shorter_than_before > windows_of(batches));
  CHECK(batches.front().first == BatchPosition{0, 0, 0});
}

TEST_CASE("a run goes on right behind any position", "[data]") {
  Batcher whole(sample_corpus(), small_batches());
  const auto expected = run(whole, 2);
  Batcher resumed(sample_corpus(), small_batches());
  for (size_t i = 0; i < expected.size(); ++i) {
    resumed.seek(expected[i].first);
    const auto rest = run(resumed, 2);
    REQUIRE(rest.size() == expected.size() - i - 1);
    CHECK(std::equal(rest.begin(), rest.end(), expected.begin() + static_cast<int64_t>(i) + 1));
  }
  resumed.seek({});
  CHECK(run(resumed, 2) == expected);
}

TEST_CASE("a position that does not exist is refused", "[data]") {
  Batcher batcher(sample_corpus(), small_batches());
  const int64_t windows = windows_of(run(batcher, 1));
  for (const BatchPosition position :
       {BatchPosition{-1, 0, 0}, BatchPosition{0, windows, 0}, BatchPosition{0, -1, 0},
        BatchPosition{0, 0, 1000}, BatchPosition{0, 0, -2}}) {
    test::contains(test::user_error([&] { batcher.seek(position); }),
                   "cannot go on behind " + position.to_string());
  }
}

TEST_CASE("a budget below the longest sentence is an error at the start", "[data]") {
  const ParallelCorpus& corpus = sample_corpus();
  const int64_t longest = std::max(corpus.longest_source(), corpus.longest_target()) + 1;
  CHECK_NOTHROW(Batcher(corpus, {longest, 5, 1}));
  const std::string message = test::user_error([&] { Batcher(corpus, {longest - 1, 5, 1}); });
  test::contains(message, "set train.batch_tokens to " + std::to_string(longest) +
                              " or more, or data.max_length to " + std::to_string(longest - 1));
  test::contains(test::user_error([&] { make_batches(corpus, longest - 1); }),
                 "train.batch_tokens");
}

TEST_CASE("one window is enough for a small corpus", "[data]") {
  Batcher batcher(sample_corpus(), {4096, 100, 1});
  const auto batches = run(batcher, 3);
  CHECK(windows_of(batches) == 1);
  CHECK(batches.size() >= 3);
}

TEST_CASE("batches for validation hold every pair once, shortest first", "[data]") {
  const ParallelCorpus& corpus = sample_corpus();
  const std::vector<Batch> batches = make_batches(corpus, 200);
  std::vector<int64_t> seen;
  int64_t last_length = 0;
  for (const Batch& batch : batches) {
    CHECK(batch.source_tokens() <= 200);
    CHECK(batch.target_tokens() <= 200);
    for (const int64_t pair : batch.pairs) {
      CHECK(corpus.target_length(pair) >= last_length);
      last_length = corpus.target_length(pair);
      seen.push_back(pair);
    }
  }
  std::sort(seen.begin(), seen.end());
  REQUIRE(std::ssize(seen) == kPairs);
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  CHECK(make_batches(corpus, 200).front().pairs == batches.front().pairs);
}

}  // namespace
}  // namespace calque
