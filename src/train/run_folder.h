#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/file_lock.h"
#include "data/batch_position.h"

namespace calque {

/// The folder that holds everything of one run: effective config, vocabulary, log, metrics, skipped
/// batches, token cache, and checkpoints with the one-line files `latest` and `best` (see
/// checkpoint/checkpoint.h). One process at a time works in it: as long as a RunFolder lives, it
/// holds a lock on the file `lock`, which the kernel takes back from a process that was killed.
class RunFolder {
 public:
  /// Makes the folder where it is missing, and takes its lock. Throws UserError when that fails,
  /// and when another process works in it (naming the process).
  explicit RunFolder(std::filesystem::path path);

  /// Renames an existing run folder to the first free of `<path>.old`, `<path>.old-2`, ... and
  /// returns the new name; an empty path when there was nothing to put aside. Nothing is deleted.
  /// Throws UserError when `path` is anything else but a run folder or an empty folder, and when
  /// another process works in it.
  static std::filesystem::path put_aside(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config_file() const { return path_ / "config.yaml"; }
  std::filesystem::path log_file() const { return path_ / "log.txt"; }
  std::filesystem::path cache_folder() const { return path_ / "cache"; }
  std::filesystem::path metrics_file() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path skipped_file() const { return path_ / "skipped.jsonl"; }

  /// Appends text, whole lines, to metrics.jsonl: all of it or nothing. Throws UserError when the
  /// disk does not take it.
  void append_metrics(const std::string& lines) const;
  /// The same for skipped.jsonl.
  void append_skipped(const std::string& lines) const;
  /// Removes the lines of metrics.jsonl that a run has written behind the checkpoint that it now
  /// resumes from: those whose "step" is greater than `step`, and validations of steps greater than
  /// `validated_step`.
  void cut_metrics(int64_t step, int64_t validated_step) const;
  /// The same for skipped.jsonl (see train/skipped_batches.h): the lines of batches behind
  /// `position`.
  void cut_skipped(const BatchPosition& position) const;

 private:
  std::filesystem::path path_;
  FileLock lock_;
};

}  // namespace calque
