#include "checkpoint/run_checkpoints.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/log.h"
#include "checkpoint/checkpoint.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step_";

/// The step of "step_00012000"; nothing for any other name.
std::optional<int64_t> step_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (error != std::errc() || step < 0 || checkpoint_name(step) != name) return std::nullopt;
  return step;
}

/// The checkpoint that the one-line file `latest` or `best` names: only its step is believed, so
/// that the path cannot lead elsewhere. Nothing when there is no such file, or none that makes
/// sense.
std::optional<int64_t> named_step(const fs::path& run_folder, const char* file) {
  const fs::path path = run_folder / file;
  std::error_code ignored;
  constexpr uintmax_t kLongest = 100;
  if (!fs::is_regular_file(fs::symlink_status(path, ignored)) ||
      fs::file_size(path, ignored) > kLongest) {
    return std::nullopt;
  }
  const std::string line = read_file(path);
  return step_of(std::string_view(line).substr(0, line.find('\n')));
}

/// Goes through candidates, best first, and remembers what was wrong with those before the good
/// one.
class Search {
 public:
  explicit Search(fs::path run_folder) : run_folder_(std::move(run_folder)) {}

  /// The candidate when it is good.
  std::optional<fs::path> try_step(int64_t step, bool training) {
    const fs::path folder = run_folder_ / kCheckpointsFolder / checkpoint_name(step);
    if (std::ranges::find(tried_, step) != tried_.end()) return std::nullopt;
    tried_.push_back(step);
    try {
      if (!training) check_lies_in_run(folder);
      const Checkpoint checkpoint(folder);
      checkpoint.verify(training);
      if (!training || checkpoint.is_resumable()) return folder;
      problems_.push_back(fmt::format("{} has no {}", folder.string(), kOptimizerFile));
    } catch (const UserError& error) {
      problems_.push_back(error.what());
    }
    return std::nullopt;
  }

  void note(std::string problem) { problems_.push_back(std::move(problem)); }

  /// The newest good checkpoint that has not been tried.
  std::optional<fs::path> try_all(bool training) {
    const std::vector<CheckpointEntry> entries = list_checkpoints(run_folder_);
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      if (auto folder = try_step(entry->step, training)) return folder;
    }
    return std::nullopt;
  }

  void warn_of_problems(const fs::path& used) const {
    if (problems_.empty()) return;
    log::warning("{}; using {} instead", fmt::to_string(fmt::join(problems_, "; ")), used.string());
  }

  [[noreturn]] void give_up() const {
    throw UserError(fmt::format(
        "no checkpoint of {} can be used:\n  {}\nPut the files of one back from a copy, or train "
        "again: `calque train CONFIG --fresh` starts over and keeps this run under another name",
        run_folder_.string(), fmt::join(problems_, "\n  ")));
  }

 private:
  fs::path run_folder_;
  std::vector<int64_t> tried_;
  std::vector<std::string> problems_;
};

/// "config.yaml, log.txt": what a folder holds, for messages.
std::string contents_of(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  constexpr size_t kMost = 10;
  const bool more = names.size() > kMost;
  if (more) names.resize(kMost);
  if (names.empty()) return "nothing";
  return fmt::format("{}{}", fmt::join(names, ", "), more ? ", ..." : "");
}

/// Renames first, so that a kill leaves a folder that does not count.
void remove_checkpoint(const fs::path& folder) {
  const fs::path doomed = folder.parent_path() / (".tmp_" + folder.filename().string());
  std::error_code error;
  fs::remove_all(doomed, error);
  fs::rename(folder, doomed, error);
  if (error) throw_file_error("remove", folder, error.value());
  fs::remove_all(doomed, error);
  if (error) throw_file_error("remove", doomed, error.value());
}

}  // namespace

std::string checkpoint_name(int64_t step) { return fmt::format("{}{:08}", kPrefix, step); }

std::vector<CheckpointEntry> list_checkpoints(const fs::path& run_folder) {
  std::vector<CheckpointEntry> entries;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(run_folder / kCheckpointsFolder, ignored)) {
    if (const auto step = step_of(entry.path().filename().string())) {
      entries.push_back({*step, entry.path()});
    }
  }
  std::ranges::sort(entries, {}, &CheckpointEntry::step);
  return entries;
}

void check_lies_in_run(const fs::path& checkpoint) {
  for (const fs::path& folder : {checkpoint.parent_path(), checkpoint}) {
    std::error_code ignored;
    if (!fs::is_symlink(fs::symlink_status(folder, ignored))) continue;
    throw UserError(fmt::format(
        "{} is a link, and a model must lie in its folder as a whole; name the checkpoint that it "
        "leads to, if that is the one you mean",
        folder.string()));
  }
}

void mark_best(const fs::path& run_folder, int64_t step) {
  write_file_atomically(run_folder / kBestFile, checkpoint_name(step) + "\n");
}

std::optional<int64_t> best_step(const fs::path& run_folder) {
  return named_step(run_folder, kBestFile);
}

std::optional<fs::path> find_resumable_checkpoint(const fs::path& run_folder) {
  if (list_checkpoints(run_folder).empty()) return std::nullopt;
  Search search(run_folder);
  std::optional<fs::path> folder;
  if (const auto latest = named_step(run_folder, kLatestFile)) {
    folder = search.try_step(*latest, /*training=*/true);
  } else {
    search.note(fmt::format("{} does not name a checkpoint", (run_folder / kLatestFile).string()));
  }
  if (!folder) folder = search.try_all(/*training=*/true);
  if (!folder) search.give_up();
  search.warn_of_problems(*folder);
  return folder;
}

std::optional<fs::path> find_scheduled_checkpoint(const fs::path& run_folder, int64_t step) {
  std::vector<CheckpointEntry> entries = list_checkpoints(run_folder);
  std::erase_if(entries, [&](const CheckpointEntry& entry) { return entry.step > step; });
  std::ranges::reverse(entries);
  for (const CheckpointEntry& entry : entries) {
    try {
      const Checkpoint checkpoint(entry.folder);
      if (!checkpoint.state().scheduled || !checkpoint.is_resumable()) continue;
      checkpoint.verify(/*training=*/true);
      return entry.folder;
    } catch (const UserError& error) {
      log::warning("{}", error.what());
    }
  }
  return std::nullopt;
}

fs::path resolve_model_folder(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) throw UserError(fmt::format("{} does not exist", path.string()));
  if (!fs::is_directory(status)) {
    throw UserError(fmt::format("{} is a file; name the checkpoint or run folder", path.string()));
  }
  if (fs::exists(path / kStateFile, error)) {
    Checkpoint(path).verify(/*training=*/false);
    return path;
  }
  if (list_checkpoints(path).empty()) {
    throw UserError(
        fmt::format("{} is neither a checkpoint folder (with {}) nor a run folder with "
                    "a checkpoint in {}/; it holds {}",
                    path.string(), kStateFile, kCheckpointsFolder, contents_of(path)));
  }
  Search search(path);
  std::optional<fs::path> folder;
  for (const char* const file : {kBestFile, kLatestFile}) {
    const auto step = named_step(path, file);
    if (!folder && step) folder = search.try_step(*step, /*training=*/false);
  }
  if (!folder) folder = search.try_all(/*training=*/false);
  if (!folder) search.give_up();
  search.warn_of_problems(*folder);
  return *folder;
}

void remove_old_checkpoints(const fs::path& run_folder, int64_t keep_last) {
  const auto latest = named_step(run_folder, kLatestFile);
  const auto best = best_step(run_folder);
  std::vector<CheckpointEntry> entries = list_checkpoints(run_folder);
  std::ranges::reverse(entries);
  int64_t kept = 0;
  for (const CheckpointEntry& entry : entries) {
    bool scheduled = false;
    try {
      scheduled = Checkpoint(entry.folder).state().scheduled;
    } catch (const UserError& error) {
      log::warning("{}", error.what());
      continue;
    }
    if (scheduled && kept < keep_last) {
      ++kept;
    } else if (entry.step != latest && entry.step != best) {
      remove_checkpoint(entry.folder);
    }
  }
}

}  // namespace calque
