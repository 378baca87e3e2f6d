#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "checkpoint/checkpoint.h"
#include "data/batcher.h"
#include "train/gradient_pass.h"
#include "train/learner.h"
#include "train/options.h"
#include "train/progress_meter.h"
#include "train/run_folder.h"
#include "train/skipped_batches.h"
#include "train/validator.h"

namespace calque {

/// Whether a validation is to be made at the step of `state`, and has not been made: at its turn,
/// at the end, and at the start unless the weights are random. True too for a run that was stopped
/// in the midst of it.
bool is_validation_due(const CheckpointState& state, const TrainOptions& options);

/// Whether a run has seen as many validations without a new best as train.patience allows.
bool is_patience_over(const CheckpointState& state, const TrainOptions& options);

/// Whether a call of `calque train` that has lasted `seconds` is to make no further update, so that
/// what follows the last one, for `closing_seconds`, still fits into train.max_minutes.
bool is_time_over(const TrainOptions& options, double seconds, double closing_seconds);

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
  /// What becomes of the corpus's sentences in each epoch; null: they stay as they stand.
  const Variation* variation = nullptr;
};

/// Makes a run of a Learner's updates: at their steps it reports, validates and saves, and it stops
/// and resumes. Its whole state is the weights, the optimizer, and the integers of CheckpointState,
/// so a run that is stopped anywhere and resumed ends in the same bits.
///
/// An update whose loss or gradient is not finite is skipped: weights and optimizer stay. It
/// belongs to the state only when an update behind it is made; until then a resumed run tries it
/// again, and finds the same. After train.max_skipped of them in a row, and when validation or a
/// save at its turn finds numbers that are not finite, the run has diverged. It goes back, once, to
/// the newest checkpoint that was saved at its turn, and goes on behind the batches taken since:
/// trained on again, these would lead to the same bits.
class Trainer {
 public:
  Trainer(const TrainOptions& options, TrainerParts parts);

  /// Goes on from a checkpoint of the same run: weights, optimizer, and place in the data.
  void resume(const Checkpoint& checkpoint);

  /// Trains until something of StopReason happens. The state is saved when it returns. A save or a
  /// line of metrics that the disk does not take on the way is a warning, and is tried again with
  /// the next save; at the end it is a UserError. Throws DivergedError when the run diverges and
  /// has gone back before, or has no checkpoint to go back to; what was saved before stays.
  StopReason train(const StopSignal& stop);

  /// One update of the weights, or one that is skipped, with nothing around it; for measuring.
  UpdateResult update();

  /// Passes of the model that an update makes over its batches.
  int passes() const { return gradient_passes(options_); }
  kernels::Precision precision() const { return options_.precision; }
  int64_t step() const { return state_.step; }
  const CheckpointState& state() const { return state_; }
  const Learner& learner() const { return learner_; }
  /// Epochs of the data that are taken, with a fraction.
  double epochs() const { return learner_.place().epochs; }

 private:
  TrainOptions options_;
  TrainerParts parts_;
  Learner learner_;
  CheckpointState state_;
  ProgressMeter meter_;
  bool saved_ = false;  // the newest checkpoint holds this state
  std::string unwritten_metrics_;
  Stopwatch since_save_;           // or the last attempt
  double save_seconds_ = 0;        // that the last save took
  double validation_seconds_ = 0;  // that the last validation took

  /// Tells of an update that is not made, which took the data from `before` on.
  void skip(const UpdateResult& update, const BatchPosition& before);
  /// Goes back to a checkpoint and past the batches taken since; `why` is for messages.
  void roll_back(const std::string& why);
  /// Weights, optimizer and state of a checkpoint.
  void load(const Checkpoint& checkpoint);
  /// Writes the batches to skipped.jsonl; what the disk does not take is a warning.
  void record(const std::vector<SkippedBatch>& batches, const std::string& reason) const;
  int64_t skipped() const { return state_.skipped + learner_.skipped_in_a_row(); }
  std::optional<StopReason> reason_to_stop(const StopSignal& stop, double seconds) const;
  void report(bool line);
  /// Says of each epoch that ended since `epoch`, the one of the batch before, what was in it, and
  /// when those of both directions are over.
  void report_epochs(int64_t epoch) const;
  /// Does nothing without validation data. Ended by a signal, it counts as not made. Made out of
  /// turn, it may find a new best, but takes no patience.
  void validate(const StopSignal& stop);
  /// Whether this validation makes the best checkpoint so far.
  bool note_result(const ValidationResult& result, bool in_turn);
  /// A step of train.save_every.
  bool is_turn_to_save() const;
  /// So long after the last save that the clock asks for one.
  bool is_time_to_save() const;
  /// Writes a checkpoint, unless there is one of this state, and what metrics wait to be written.
  void save();
  void save_state();
  /// The same as `save` on the way: what the disk does not take is a warning, and from weights that
  /// are not finite the run goes back.
  void try_to_save();
  /// Adds a line to metrics.jsonl, or keeps it until the disk takes it.
  void append_metrics(const nlohmann::json& metrics);
  /// Writes the lines that are kept.
  void write_metrics();
};

}  // namespace calque
