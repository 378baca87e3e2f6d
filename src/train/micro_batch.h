#pragma once

#include "data/batch.h"
#include "model/transformer.h"

namespace calque {

/// The whole batch as the model takes it.
TrainingExample training_example(const Batch& batch);

/// A part of a batch: as many sentences as are computed at a time, so that their activations stay
/// near the processor. The gradients of a batch's parts add up to the batch's. Cut again and again
/// without new memory.
class MicroBatch {
 public:
  /// For batches of at most `batch_tokens` tokens a side.
  explicit MicroBatch(int64_t batch_tokens);

  /// In how many parts a batch is computed so that each has about `tokens` tokens a side at most.
  static int64_t count(const Batch& batch, int64_t tokens);

  /// Makes this part `index` of `count` of the batch, which must outlive it: neighbouring
  /// sentences, with about as many tokens of the longer side in each part.
  void cut(const Batch& batch, int64_t index, int64_t count);

  const TrainingExample& example() const { return example_; }

 private:
  SequenceLayoutBuffer source_layout_;
  SequenceLayoutBuffer target_layout_;
  TrainingExample example_;
};

}  // namespace calque
