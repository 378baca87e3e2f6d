#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/save.h"
#include "data/batcher.h"
#include "data/prefetcher.h"
#include "model/transformer.h"
#include "optim/adam.h"
#include "optim/moving_average.h"
#include "train/micro_batch.h"
#include "train/options.h"
#include "train/update_result.h"
#include "train/validator.h"

namespace calque {

/// How a training with these options batches its corpus.
BatcherOptions batcher_options(const TrainOptions& options, uint64_t seed,
                               const Variation* variation);

/// Trains a Transformer by Adam on label-smoothed cross-entropy (Vaswani et al. 2017, section 5):
/// draws batches, sums gradients over micro-batches, clips, and moves the weights. Owns the
/// optimizer's state, the moving average and the memory of the passes; the counts that a run goes
/// on from are the caller's CheckpointState.
class Learner {
 public:
  /// How far the data is taken: ahead of the state by the updates that were skipped since the last
  /// one that was made.
  struct Place {
    BatchPosition position;
    int64_t micro_batches = 0;
    double epochs = 0;  // taken, with a fraction
  };

  /// Keeps references to model and corpus. `variation`: what becomes of the corpus's sentences in
  /// each epoch; null: they stay as they stand. Throws UserError when a sentence is longer than
  /// train.batch_tokens.
  Learner(const TrainOptions& options, Transformer& model, const ParallelCorpus& corpus,
          uint64_t seed, const Variation* variation);

  /// Makes an update, and counts it in `state`, which is the same at every call, but after `load`
  /// and `seek`. One whose loss or gradient is not finite is skipped: weights, optimizer and
  /// `state` stay, `place` goes on, and `skipped_in_a_row` counts it.
  UpdateResult update(CheckpointState& state);

  /// Validates what translates: the moving average, where there is one. Nothing when `should_stop`
  /// said so before the end.
  std::optional<ValidationResult> validate(Validator& validator,
                                           const std::function<bool()>& should_stop);

  const Place& place() const { return place_; }
  /// Updates skipped since the last one that was made.
  int64_t skipped_in_a_row() const { return skipped_in_a_row_; }
  const BatcherOptions& batching() const { return batching_; }
  /// Of the weights that are trained, not their average.
  bool weights_are_finite() const;

  /// What a checkpoint of this moment is to hold. Weights and optimizer are views, good until the
  /// next update.
  CheckpointContents contents(const CheckpointState& state,
                              const std::map<std::string, std::string>& texts);
  /// Takes over the weights and the optimizer of a checkpoint; the place in the data stays, so
  /// `seek` next. Throws UserError when a file is damaged or of another model.
  void load(const Checkpoint& checkpoint);
  /// Makes the next update take the batches behind `state`, with its random numbers, and forgets
  /// what was skipped. Throws UserError when the corpus has no such batch.
  void seek(const CheckpointState& state);

  /// Bytes of the optimizer's state: Adam's moments, and the weights' moving average.
  size_t optimizer_bytes() const;
  /// Bytes of activations, of gradients in flight, and of scratch at their most so far.
  size_t activation_bytes() const { return arena_.peak(); }
  size_t gradient_bytes() const { return tape_.gradients().peak(); }
  size_t scratch_bytes() const { return workspace_.peak() + prepared_weights_.bytes(); }

 private:
  TrainOptions options_;
  Transformer& model_;
  const ParallelCorpus& corpus_;
  uint64_t seed_;
  BatcherOptions batching_;
  Adam adam_;
  std::optional<MovingAverage> average_;
  Arena arena_;
  Workspace workspace_;
  kernels::PreparedWeights<Real> prepared_weights_;  // of this update, or this validation
  Tape tape_;
  Batcher batcher_;
  std::unique_ptr<Prefetcher> batches_;  // made at the first update
  MicroBatch micro_batch_;
  Place place_;
  int64_t skipped_in_a_row_ = 0;

  const Batch& next_batch();
  /// Adds a batch's gradients to the model's, and its loss and tokens to `result`.
  void add_batch(const CheckpointState& state, UpdateResult& result);
  /// Counts an update that was made.
  void note_update(const UpdateResult& result, CheckpointState& state);
  /// What a target token is expected to cost, of REINFORCE: the exponential moving average of the
  /// updates' means (Xu et al. 2015, section 4.1), which starts at that of a uniform guess.
  double baseline(const CheckpointState& state) const;
  /// What translates: the moving average, or without one the weights.
  std::span<Real> translating_weights();
  std::vector<NamedBlock> optimizer_blocks();
};

}  // namespace calque
