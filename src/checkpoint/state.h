#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "data/batch_position.h"

namespace calque {

/// The newest layout of a checkpoint that this program writes and reads.
inline constexpr int64_t kCheckpointFormat = 2;
/// The last whose runs took their batches in another order: its models can be read, its runs cannot
/// go on.
inline constexpr int64_t kFormatOfOtherBatches = 1;

/// The best validation so far.
struct MetricRecord {
  int64_t step = 0;
  double value = 0;            // by train.best_metric
  std::optional<double> loss;  // which decides between equal BLEU; none in old checkpoints

  bool operator==(const MetricRecord&) const = default;
};

/// Which training data a run has seen; compared when it is resumed.
struct CorpusRecord {
  uint64_t fingerprint = 0;  // of everything that the token ids depend on
  int64_t pairs = 0;
  std::map<std::string, FileRecord> files;  // text files by the path of the config

  bool operator==(const CorpusRecord&) const = default;
};

/// Batches that a run went past without training on them when it had diverged: those behind
/// `after`, up to `last` and with it.
struct PassedOver {
  BatchPosition after;
  BatchPosition last;

  bool operator==(const PassedOver&) const = default;
};

/// `state.json`: what a checkpoint is, and the integers that a run goes on from.
struct CheckpointState {
  int64_t format = kCheckpointFormat;  // that it was read in

  /// Steps whose weights were averaged into this checkpoint; empty for one of a training run.
  std::vector<int64_t> averaged_steps;

  // Where the run stands. Everything counts from the start of the run.
  int64_t step = 0;             // updates
  BatchPosition position;       // of the last batch of the last update, or of those passed over
  int64_t micro_batches = 0;    // forward passes in training: the counter of random numbers
  int64_t optimizer_steps = 0;  // of Adam's bias correction
  int64_t moving_average_updates = 0;
  int64_t source_tokens = 0;
  int64_t target_tokens = 0;
  double trained_seconds = 0;  // wall time
  int64_t skipped = 0;         // updates that were not made: loss or gradient were not finite
  std::optional<PassedOver> passed_over;  // none: the run has never gone back
  /// What a target token is expected to cost; none: nothing selects by REINFORCE.
  std::optional<double> reinforce_baseline;
  /// Saved at its turn in `save_every`; false when the clock, a signal or the end asked for it.
  bool scheduled = true;

  // What validation has found.
  int64_t validated_step = -1;  // the last that was validated; -1: none yet
  std::optional<MetricRecord> best;
  int64_t validations_without_best = 0;

  // What the bits depend on.
  std::string calque_version;
  std::string gemm_engine;
  std::string instruction_set;
  CorpusRecord corpus;

  /// The other files of the folder, by name. Filled when the checkpoint is saved.
  std::map<std::string, FileRecord> files;

  /// Whether batches were taken in the order of this program, so that its run can go on.
  bool has_this_order() const { return format > kFormatOfOtherBatches; }

  bool operator==(const CheckpointState&) const = default;
};

/// The text of `state.json`: one JSON object whose last entry, `checksum`, is the XXH3-64 of all
/// text before it.
std::string to_json(const CheckpointState& state);

/// The reverse. `path` is for messages. Throws UserError naming the file when the checksum is
/// wrong, the format is newer than kCheckpointFormat (naming the version that wrote it), or an
/// entry is missing or not of its type (all such entries at once).
CheckpointState state_from_json(std::string_view text, const std::filesystem::path& path);

}  // namespace calque
