#include "train/skipped_batches.h"

#include <algorithm>

#include "config/run_config.h"
#include "support/catch.h"
#include "support/tiny_corpus.h"

using namespace calque;

TEST_CASE("batches are found again by their positions, with the lines of their pairs", "[train]") {
  const test::TinyCorpus tiny;
  const auto varied = GENERATE(as<std::string>(), "data.subword_sampling=0",
                               "data.subword_sampling=0.5", "data.bidirectional_epochs=1");
  INFO(varied);
  const RunConfig config = load_config(tiny.config(), {varied});
  const TokenizerPair tokenizers =
      load_or_train_vocabulary(config.vocabulary, tiny / "run", config.data.train.source,
                               config.data.train.target, config.seed);
  const ParallelCorpus corpus("train", config.data.train, config.data, tokenizers,
                              tiny / "run/cache");
  const auto variation = make_variation(config.data, tokenizers);
  const BatcherOptions options{128, 7, variation.get()};
  Batcher batcher(corpus, options);
  std::vector<Batch> batches(8);
  for (Batch& batch : batches) batcher.next(batch);

  const auto found = skipped_batches(corpus, options, {batches[2].position, batches[6].position});
  REQUIRE(found.size() == 4);
  for (size_t i = 0; i < found.size(); ++i) {
    const Batch& batch = batches[i + 3];
    CHECK(found[i].position == batch.position);
    CHECK(std::ranges::is_sorted(found[i].lines));
    REQUIRE(std::ssize(found[i].lines) == batch.sentences());
    const int64_t least = *std::ranges::min_element(batch.pairs);
    CHECK(found[i].lines.front() == corpus.line(least));
  }
  CHECK(skipped_batches(corpus, options, {{}, batches[0].position}).size() == 1);
}

TEST_CASE("skipped batches are written as lines of JSON, and told in short", "[train]") {
  const std::vector<SkippedBatch> two{{{0, 21}, {5, 9}}, {{0, 23}, {1, 12}}};
  CHECK(skipped_records(two, 41, "loss nan") ==
        R"({"step":41,"reason":"loss nan","epoch":0,"pairs":21,"lines":[5,9]})"
        "\n"
        R"({"step":41,"reason":"loss nan","epoch":0,"pairs":23,"lines":[1,12]})"
        "\n");
  CHECK(describe_lines(two) == "lines 1, 5, 9, 12");
  CHECK(describe_lines({{{}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}}) ==
        "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more");
}
