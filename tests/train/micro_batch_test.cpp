#include "train/micro_batch.h"

#include "support/catch.h"

namespace calque {
namespace {

/// A batch of sentences of these lengths, source and target, with ids that count up.
Batch batch_of(const std::vector<std::pair<int64_t, int64_t>>& lengths) {
  Batch batch;
  int32_t id = 0;
  for (const auto& [source, target] : lengths) {
    batch.pairs.push_back(batch.sentences());
    batch.source_layout.append(source);
    batch.target_layout.append(target);
    for (int64_t i = 0; i < source; ++i) batch.source_ids.push_back(id++);
    for (int64_t i = 0; i < target; ++i) {
      batch.target_input_ids.push_back(1000 + id);
      batch.target_output_ids.push_back(2000 + id++);
    }
  }
  return batch;
}

template <class T>
void append(std::span<const T> from, std::vector<T>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

TEST_CASE("the parts of a batch, one after another, are the batch", "[train]") {
  const Batch batch = batch_of({{3, 4}, {5, 5}, {4, 6}, {6, 2}, {7, 7}});
  for (int64_t count = 1; count <= batch.sentences(); ++count) {
    MicroBatch part(batch.source_tokens() + batch.target_tokens());
    std::vector<int32_t> source, input, output, source_lengths, target_lengths;
    for (int64_t i = 0; i < count; ++i) {
      part.cut(batch, i, count);
      const TrainingExample& example = part.example();
      REQUIRE(example.source_layout.sentences() > 0);
      CHECK(example.source_layout.sentences() == example.target_layout.sentences());
      CHECK(example.source_layout.begins[0] == 0);
      CHECK(example.target_layout.begins[0] == 0);
      append<int32_t>(example.source, source);
      append<int32_t>(example.target_input, input);
      append<int32_t>(example.target_output, output);
      append<int32_t>(example.source_layout.lengths, source_lengths);
      append<int32_t>(example.target_layout.lengths, target_lengths);
    }
    CHECK(source == batch.source_ids);
    CHECK(input == batch.target_input_ids);
    CHECK(output == batch.target_output_ids);
    CHECK(source_lengths == std::vector<int32_t>{3, 5, 4, 6, 7});
    CHECK(target_lengths == std::vector<int32_t>{4, 5, 6, 2, 7});
  }
}

TEST_CASE("parts have about as many tokens of the longer side, whatever lengths there are",
          "[train]") {
  std::vector<std::pair<int64_t, int64_t>> lengths{{2, 20}};
  for (int i = 0; i < 20; ++i) lengths.emplace_back(1, 1);
  lengths.emplace_back(2, 20);
  const Batch batch = batch_of(lengths);
  MicroBatch part(batch.target_tokens());
  for (int64_t i = 0; i < 3; ++i) {
    part.cut(batch, i, 3);
    CHECK(part.example().target_layout.tokens == 20);
    CHECK(part.example().target_layout.sentences() == (i == 1 ? 20 : 1));
  }
  const auto sentences = static_cast<int64_t>(lengths.size());
  int64_t seen = 0;
  for (int64_t i = 0; i < sentences; ++i) {  // one each, though the ends alone have most tokens
    part.cut(batch, i, sentences);
    CHECK(part.example().source_layout.sentences() == 1);
    seen += part.example().target_layout.tokens;
  }
  CHECK(seen == batch.target_tokens());
}

TEST_CASE("a batch has as many parts as its longer side needs, one sentence each at most",
          "[train]") {
  const Batch batch = batch_of({{3, 4}, {5, 5}, {4, 6}, {6, 2}, {7, 7}});  // 25 and 24 tokens
  CHECK(MicroBatch::count(batch, 25) == 1);
  CHECK(MicroBatch::count(batch, 1000) == 1);
  CHECK(MicroBatch::count(batch, 24) == 2);
  CHECK(MicroBatch::count(batch, 9) == 3);
  CHECK(MicroBatch::count(batch, 1) == 5);
}

}  // namespace calque
