#pragma once

#include <memory>
#include <vector>

#include "analysis/tapped_attention.h"
#include "support/example_batch.h"

namespace calque::test {

/// A map of numbers written down by hand.
struct WrittenMap {
  std::vector<Real> values;
  AttentionMap map;

  WrittenMap(std::vector<Real> weights, int64_t keys, bool causal = false)
      : values(std::move(weights)), map{{values.data(), std::ssize(values) / keys, keys}, causal} {}
  WrittenMap(const WrittenMap&) = delete;
  WrittenMap& operator=(const WrittenMap&) = delete;
};

/// The attention of a model with random weights over a batch, with its memory.
struct TappedBatch {
  Transformer model;
  Arena arena;
  Workspace workspace{8};
  TappedAttention attention;
  kernels::CrossEntropySums sums;

  TappedBatch(const TransformerOptions& options, const TrainingExample& example, int64_t vocab)
      : model(random_model(options, vocab, vocab)),
        attention(options, example.source_layout, example.target_layout, arena) {
    Context context(arena, workspace);
    sums = model.loss(context, example, 0, {}, {}, {}, attention.tap());
  }
};

inline TransformerOptions three_layers() {
  TransformerOptions options = tiny_options();
  options.model = 16;
  options.heads = 4;
  options.encoder_layers = 2;
  options.decoder_layers = 3;
  return options;
}

}  // namespace calque::test
