#pragma once

#include <vector>

#include "model/transformer.h"

namespace calque::test {

/// A small packed batch of random sentences, with its memory.
class ExampleBatch {
 public:
  /// Lengths count the words; ends and begins are added. Ids are random in [3, vocab).
  ExampleBatch(const std::vector<int64_t>& source_lengths,
               const std::vector<int64_t>& target_lengths, int64_t vocab, uint64_t seed = 1);

  TrainingExample view() const {
    return {source_, source_layout_.view(), target_input_, target_output_, target_layout_.view()};
  }
  /// The sentence pair `s` alone.
  ExampleBatch single(int64_t s) const;

 private:
  ExampleBatch() = default;
  std::vector<int32_t> source_;
  std::vector<int32_t> target_input_;
  std::vector<int32_t> target_output_;
  SequenceLayoutBuffer source_layout_;
  SequenceLayoutBuffer target_layout_;
};

/// The smallest sizes that still have everything: two heads, unequal depths.
inline TransformerOptions tiny_options() {
  TransformerOptions options;
  options.model = 8;
  options.heads = 2;
  options.hidden = 12;
  options.encoder_layers = 2;
  options.decoder_layers = 1;
  options.embedding_dropout = options.residual_dropout = 0;
  return options;
}

/// A model with random values everywhere, norms and biases included, so that no zero or one hides a
/// mistake.
Transformer random_model(const TransformerOptions& options, int64_t source_vocab,
                         int64_t target_vocab, uint64_t seed = 7);

}  // namespace calque::test
