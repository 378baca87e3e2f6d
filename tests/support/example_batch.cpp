#include "support/example_batch.h"

#include "text/special_ids.h"

namespace calque::test {
namespace {

int32_t random_id(int64_t vocab, uint64_t seed, uint64_t index) {
  const uint64_t words = static_cast<uint64_t>(vocab) - 3;
  return static_cast<int32_t>(3 + random_u64({seed, 0, 0}, index) % words);
}

}  // namespace

ExampleBatch::ExampleBatch(const std::vector<int64_t>& source_lengths,
                           const std::vector<int64_t>& target_lengths, int64_t vocab,
                           uint64_t seed) {
  uint64_t index = 0;
  for (const int64_t length : source_lengths) {
    for (int64_t i = 0; i < length; ++i) source_.push_back(random_id(vocab, seed, index++));
    source_.push_back(kEndId);
    source_layout_.append(length + 1);
  }
  for (const int64_t length : target_lengths) {
    target_input_.push_back(kBeginId);
    for (int64_t i = 0; i < length; ++i) {
      target_input_.push_back(random_id(vocab, seed, index++));
      target_output_.push_back(target_input_.back());
    }
    target_output_.push_back(kEndId);
    target_layout_.append(length + 1);
  }
}

ExampleBatch ExampleBatch::single(int64_t s) const {
  const auto part = [s](const std::vector<int32_t>& ids, const SequenceLayout& layout) {
    const auto begin = ids.begin() + layout.begins[static_cast<size_t>(s)];
    return std::vector<int32_t>(begin, begin + layout.lengths[static_cast<size_t>(s)]);
  };
  ExampleBatch pair;
  pair.source_ = part(source_, source_layout_.view());
  pair.target_input_ = part(target_input_, target_layout_.view());
  pair.target_output_ = part(target_output_, target_layout_.view());
  pair.source_layout_.append(static_cast<int64_t>(pair.source_.size()));
  pair.target_layout_.append(static_cast<int64_t>(pair.target_input_.size()));
  return pair;
}

Transformer random_model(const TransformerOptions& options, int64_t source_vocab,
                         int64_t target_vocab, uint64_t seed) {
  Transformer model(options, source_vocab, target_vocab, /*inference=*/false);
  ParameterStore& store = model.parameters();
  store.initialize(seed);
  uint64_t index = 0;
  for (Real& value : store.values()) {
    value += static_cast<Real>(0.1 * random_normal({seed, 1, 0}, index++));
  }
  return model;
}

}  // namespace calque::test
