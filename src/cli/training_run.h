#pragma once

#include <filesystem>

#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "config/run_config.h"
#include "train/run_folder.h"
#include "train/trainer.h"

namespace calque {

/// Trains in a run folder, or goes on with the run that it holds, until it ends, is stopped or its
/// minutes are over. `kept`: the config that is kept there, and compared when the run goes on;
/// `effective`: what it comes to, which is the same but where there is a teacher. Throws UserError,
/// DivergedError, and StoppedBySignal after saving.
StopReason train_in(const RunFolder& folder, const RunConfig& kept, const RunConfig& effective,
                    const StopSignal& stop);

/// Takes the time since `watch` began off train.max_minutes, where there is such a limit.
void spend_minutes(TrainOptions& options, const Stopwatch& watch);

/// `calque train`. `fresh`: what the folder holds is put aside.
void train_run(const RunConfig& config, const std::filesystem::path& run_path, bool fresh);

/// `calque train --dry-run`: says whether config, data, and the run that the folder holds are good,
/// and what training would take. Writes nothing.
void dry_run(const RunConfig& given, const std::filesystem::path& run_path, bool fresh);

}  // namespace calque
