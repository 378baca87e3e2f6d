#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace calque {

/// What a run folder holds of checkpoints: their folder, and the one-line files that name one.
inline constexpr const char kCheckpointsFolder[] = "checkpoints";
inline constexpr const char kLatestFile[] = "latest";
inline constexpr const char kBestFile[] = "best";

/// A checkpoint below `<run_folder>/checkpoints`.
struct CheckpointEntry {
  int64_t step = 0;
  std::filesystem::path folder;
};

/// The name of a checkpoint's folder: "step_00012000".
std::string checkpoint_name(int64_t step);

/// All checkpoint folders of a run, oldest step first; folders of other names (as a killed save
/// leaves them) do not count. Their content is not looked at.
std::vector<CheckpointEntry> list_checkpoints(const std::filesystem::path& run_folder);

/// Throws UserError when a checkpoint's folder, or `checkpoints` around it, is a link: a run folder
/// from a stranger may lead to nothing outside itself.
void check_lies_in_run(const std::filesystem::path& checkpoint);

/// Makes `<run_folder>/best` name the checkpoint of `step`. Throws UserError with path and reason.
void mark_best(const std::filesystem::path& run_folder, int64_t step);

/// The step of the checkpoint that `<run_folder>/best` names; none when it names none.
std::optional<int64_t> best_step(const std::filesystem::path& run_folder);

/// The checkpoint to go on from: `latest`, or, when that is damaged or missing, the newest good
/// one, with a warning that says what is wrong. All files are verified. Nothing when the run has no
/// checkpoint yet; throws UserError when it has some and none is good.
std::optional<std::filesystem::path> find_resumable_checkpoint(
    const std::filesystem::path& run_folder);

/// The checkpoint to go back to from `step`: the newest good one of that step or before that was
/// saved at its turn in train.save_every, so that a run that was stopped and resumed finds the
/// same. A damaged one is a warning. Nothing when there is none.
std::optional<std::filesystem::path> find_scheduled_checkpoint(
    const std::filesystem::path& run_folder, int64_t step);

/// The checkpoint folder to translate with. `path` is a checkpoint folder, or a run folder: then
/// `best`, else `latest`, else the newest; damaged ones are passed over with a warning. What
/// translation needs is verified. Throws UserError saying what was expected and what is there.
std::filesystem::path resolve_model_folder(const std::filesystem::path& path);

/// Removes old checkpoints of a run. The `keep_last` newest scheduled ones stay, and those that
/// `best` and `latest` name; one saved out of turn goes as soon as it is not
/// `latest`. One that cannot be read is left alone.
void remove_old_checkpoints(const std::filesystem::path& run_folder, int64_t keep_last);

}  // namespace calque
