#pragma once

#include <filesystem>
#include <optional>

#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "config/run_config.h"
#include "train/run_folder.h"

namespace calque {

// Data diversification (Nguyen et al. 2020): a teacher that has learned both directions translates
// both sides of the training text, and the run learns from the text and from both translations. All
// of the teacher's lies in `<run>/teacher`: a run folder, and the translations.

/// How the teacher is trained: as the config says, but for train.teacher_steps and in both
/// directions.
RunConfig teacher_config(const RunConfig& config);

/// The last checkpoint of a teacher that has learned; none as long as it has not. Throws UserError
/// when what the folder holds is no teacher of this config and text, or one that has learned for
/// longer.
std::optional<std::filesystem::path> find_teacher(const RunConfig& config,
                                                  const std::filesystem::path& run_path);

/// Throws UserError when the folder holds a teacher whose run has not begun: a run without one
/// would take its place.
void check_without_teacher(const std::filesystem::path& run_path);

/// Whether a run need not wait for its teacher any more: it has begun, or could.
bool teacher_is_done(const RunConfig& config, const std::filesystem::path& run_path);

/// Makes the translations, as far as they are not there: trains the teacher, and lets it translate
/// with the weights that it ends with. Stopped anywhere, it goes on there. False when
/// train.max_minutes, counted since `watch` began, are over before it is done. Throws as
/// `train_in`, and UserError when the text or the settings are no longer what the teacher has
/// learned from.
bool prepare_with_teacher(const RunConfig& config, const RunFolder& folder, const Stopwatch& watch,
                          const StopSignal& stop);

/// What the config comes to then: it starts from the teacher's weights, and learns from three
/// corpora, the text, its sources with their translations, and translations of its targets with
/// these. A pair of them that data.* calls an error is left out.
RunConfig with_teacher(RunConfig config, const std::filesystem::path& run_path);

}  // namespace calque
