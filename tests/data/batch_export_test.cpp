#include "data/batch_export.h"

#include <nlohmann/json.hpp>

#include "data/corpus_fixture.h"
#include "support/catch.h"

namespace calque {
namespace {

using Sentences = std::vector<std::vector<int32_t>>;

Sentences sentences(std::span<const int32_t> ids, const SequenceLayout& layout) {
  Sentences result;
  for (int64_t s = 0; s < layout.sentences(); ++s) {
    const auto begin = ids.begin() + layout.begins[static_cast<size_t>(s)];
    result.emplace_back(begin, begin + layout.lengths[static_cast<size_t>(s)]);
  }
  return result;
}

TEST_CASE("exported batches are those that training sees, sentence by sentence", "[data]") {
  const test::CorpusFolder folder(60);
  const ParallelCorpus corpus = folder.open();
  Batcher batcher(corpus, {100, 1});
  const std::filesystem::path file = folder.folder / "batches.jsonl";
  export_batches(batcher, 7, file);
  const std::vector<std::string> lines = read_lines(file);
  REQUIRE(lines.size() == 7);
  Batch batch;
  for (const std::string& line : lines) {
    batcher.next(batch);
    const nlohmann::json found = nlohmann::json::parse(line);
    CHECK(found.size() == 2);
    CHECK(found["source"] == sentences(batch.source_ids, batch.source_layout.view()));
    CHECK(found["target"] == sentences(batch.target_output_ids, batch.target_layout.view()));
  }
}

TEST_CASE("a file that cannot be written to is named", "[data]") {
  const test::CorpusFolder folder(20);
  const ParallelCorpus corpus = folder.open();
  const Batcher batcher(corpus, {100, 1});
  CHECK_THAT(test::user_error([&] { export_batches(batcher, 1, "/nowhere/batches.jsonl"); }),
             ContainsSubstring("/nowhere/batches.jsonl"));
}

}  // namespace
}  // namespace calque
