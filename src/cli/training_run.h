#pragma once

#include <filesystem>

#include "config/run_config.h"
#include "train/run_folder.h"
#include "train/trainer.h"

namespace calque {

/// Trains in a run folder, or goes on with the run that it holds, until it ends, is stopped or its
/// minutes are over. `given`: the config as it is kept, and compared when the run goes on;
/// `config`: what it comes to, which is the same but for a run with a teacher. Throws UserError,
/// DivergedError, and StoppedBySignal after saving.
StopReason train_in(const RunFolder& folder, const RunConfig& given, const RunConfig& config);

/// `calque train`. `fresh`: what the folder holds is put aside.
void train_run(const RunConfig& config, const std::filesystem::path& run_path, bool fresh);

/// `calque train --dry-run`: says whether config, data, and the run that the folder holds are good,
/// and what training would take. Writes nothing.
void dry_run(const RunConfig& given, const std::filesystem::path& run_path, bool fresh);

}  // namespace calque
