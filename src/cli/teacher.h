#pragma once

#include <filesystem>

#include "base/stopwatch.h"
#include "config/run_config.h"
#include "train/run_folder.h"

namespace calque {

// Data diversification (Nguyen et al. 2020): a teacher that has learned both directions translates
// both sides of the training text, and the run learns from the text and from both translations. All
// of the teacher's lies in `<run>/teacher`.

/// Whether the teacher's translations are there.
bool has_translations(const RunConfig& config, const std::filesystem::path& run_path);

/// Makes them, as far as they are not there: trains the teacher for train.teacher_steps, and lets
/// it translate. Stopped anywhere, it goes on there. False when train.max_minutes, counted since
/// `watch` began, are over before it is done. Throws as `train_in`.
bool prepare_with_teacher(const RunConfig& config, const RunFolder& folder, const Stopwatch& watch);

/// What the config comes to then: it starts from the teacher's weights, and learns from three
/// corpora, the text, its sources with their translations, and translations of its targets with
/// these. A pair of the latter that data.* calls an error is left out.
RunConfig with_teacher(RunConfig config, const std::filesystem::path& run_path);

}  // namespace calque
