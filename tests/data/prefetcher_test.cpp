#include "data/prefetcher.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "base/error.h"
#include "data/corpus_fixture.h"
#include "support/catch.h"

namespace calque {
namespace {

/// Gives empty batches numbered from 0, and throws at number `end`.
Prefetcher::Source counting_source(std::atomic<int64_t>& made, int64_t end) {
  return [&made, end](Batch& batch) {
    if (made == end) throw UserError("the end of the batches");
    batch.position.pairs = made++;
  };
}

TEST_CASE("prefetched batches are the batcher's, in order", "[data]") {
  const test::CorpusFolder folder(200);
  const ParallelCorpus corpus = folder.open();
  for (const int depth : {1, 2, 7}) {
    Batcher batcher(corpus, {150, 1});
    batcher.seek({0, 20});
    Prefetcher prefetcher(batcher, depth);
    Batch expected;
    for (int i = 0; i < 100; ++i) {
      batcher.next(expected);
      const Batch& batch = prefetcher.next();
      REQUIRE(batch.position == expected.position);
      CHECK(batch.pairs == expected.pairs);
      CHECK(batch.source_ids == expected.source_ids);
      CHECK(batch.target_input_ids == expected.target_input_ids);
      CHECK(batch.target_output_ids == expected.target_output_ids);
    }
  }
}

TEST_CASE("a prefetcher reads ahead as far as told, and spares the batch in use", "[data]") {
  std::atomic<int64_t> made = 0;
  Prefetcher prefetcher(counting_source(made, 1000), 3);
  for (int64_t i = 0; i < 20; ++i) {
    const Batch& batch = prefetcher.next();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(batch.position.pairs == i);
    CHECK(made <= i + 1 + 3);
  }
}

TEST_CASE("what the source throws comes behind the batches before it", "[data]") {
  std::atomic<int64_t> made = 0;
  Prefetcher prefetcher(counting_source(made, 5), 2);
  for (int64_t i = 0; i < 5; ++i) CHECK(prefetcher.next().position.pairs == i);
  for (int attempt = 0; attempt < 2; ++attempt) {
    CHECK_THROWS_WITH(prefetcher.next(), "the end of the batches");
  }
}

TEST_CASE("a prefetcher ends at any moment", "[data]") {
  for (int taken = 0; taken < 6; ++taken) {
    std::atomic<int64_t> made = 0;
    {
      Prefetcher prefetcher(counting_source(made, 4), 2);
      for (int i = 0; i < std::min(taken, 4); ++i) prefetcher.next();
      if (taken > 4) CHECK_THROWS_AS(prefetcher.next(), UserError);
    }
    CHECK(made >= std::min(taken, 4));
    CHECK(made <= 4);
  }
}

}  // namespace
}  // namespace calque
