#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/stop_signal.h"
#include "checkpoint/checkpoint.h"
#include "data/batcher.h"
#include "data/prefetcher.h"
#include "optim/adam.h"
#include "optim/moving_average.h"
#include "train/micro_batch.h"
#include "train/options.h"
#include "train/progress_meter.h"
#include "train/run_folder.h"
#include "train/validator.h"

namespace calque {

/// Whether a validation is to be made at the step of `state`, and has not been made: at its turn,
/// at the end, and at the start unless the weights are random. True too for a run that was stopped
/// in the midst of it.
bool is_validation_due(const CheckpointState& state, const TrainOptions& options);

/// Whether a run has seen as many validations without a new best as train.patience allows.
bool is_patience_over(const CheckpointState& state, const TrainOptions& options);

/// How a training with these options batches its corpus.
BatcherOptions batcher_options(const TrainOptions& options, uint64_t seed);

/// Why training ended.
enum class StopReason { kMaxSteps, kMaxMinutes, kPatience, kSignal };

/// What a Trainer works with, besides its options.
struct TrainerParts {
  Transformer& model;  // with initial values
  const ParallelCorpus& corpus;
  Validator* validator = nullptr;  // null: no validation data
  const RunFolder& folder;
  uint64_t seed = 1;
  /// Copied into each checkpoint: configuration and vocabulary, by the file names of checkpoint.h.
  std::map<std::string, std::string> texts;
  CorpusRecord corpus_record;
};

/// Trains a Transformer by Adam on label-smoothed cross-entropy (Vaswani et al. 2017, section 5):
/// draws batches, sums gradients over micro-batches, clips, updates, and at their steps validates
/// and saves. Its whole state is the weights, the optimizer, and the integers of CheckpointState,
/// so a run that is stopped anywhere and resumed ends in the same bits.
class Trainer {
 public:
  Trainer(const TrainOptions& options, TrainerParts parts);

  /// Goes on from a checkpoint of the same run: weights, optimizer, and place in the data.
  void resume(const Checkpoint& checkpoint);

  /// Trains until something of StopReason happens. The state is saved when it returns. A save or a
  /// line of metrics that the disk does not take on the way is a warning, and is tried again with
  /// the next save; at the end it is a UserError. Throws DivergedError when loss or gradients are
  /// no longer finite; what was saved before stays.
  StopReason train(const StopSignal& stop);

  /// One update of the weights, with nothing around it; for measuring.
  UpdateResult update();

  kernels::Precision precision() const { return options_.precision; }
  int64_t step() const { return state_.step; }
  const CheckpointState& state() const { return state_; }
  /// Bytes of the optimizer's state: Adam's moments, and the weights' moving average.
  size_t optimizer_bytes() const;
  /// Bytes of activations, of gradients in flight, and of scratch at their most so far.
  size_t activation_bytes() const { return arena_.peak(); }
  size_t gradient_bytes() const { return tape_.gradients().peak(); }
  size_t scratch_bytes() const { return workspace_.peak() + prepared_weights_.bytes(); }

 private:
  TrainOptions options_;
  TrainerParts parts_;
  Transformer& model_;
  Adam adam_;
  std::optional<MovingAverage> average_;
  CheckpointState state_;
  Arena arena_;
  Workspace workspace_;
  kernels::PreparedWeights<Real> prepared_weights_;  // of this update, or this validation
  Tape tape_;
  Batcher batcher_;
  MicroBatch micro_batch_;
  std::unique_ptr<Prefetcher> batches_;  // made at the first update
  ProgressMeter meter_;
  bool saved_ = false;  // the newest checkpoint holds this state
  std::string unwritten_metrics_;

  /// Forward and backward of one micro-batch: adds to the gradients and to the sums of `result`.
  void add_gradients(const TrainingExample& example, UpdateResult& result);
  const Batch& next_batch();
  std::optional<StopReason> reason_to_stop(const StopSignal& stop, double seconds) const;
  double epoch() const;
  void report(bool line);
  /// Says of each epoch that ended since `epoch`, the one of the batch before, what was in it.
  void report_epochs(int64_t epoch) const;
  /// Does nothing without validation data. Ended by a signal, it counts as not made.
  void validate(const StopSignal& stop);
  /// Whether this validation makes the best checkpoint so far.
  bool note_result(const ValidationResult& result);
  /// A step at which a checkpoint is due, whatever validation finds.
  bool is_time_to_save() const;
  /// Writes a checkpoint, unless there is one of this state, and what metrics wait to be written.
  void save();
  void save_state();
  /// The same as `save` on the way: what the disk does not take is a warning.
  void try_to_save();
  /// Adds a line to metrics.jsonl, or keeps it until the disk takes it.
  void append_metrics(const nlohmann::json& metrics);
  /// Writes the lines that are kept.
  void write_metrics();
  std::vector<NamedBlock> optimizer_blocks();
};

}  // namespace calque
