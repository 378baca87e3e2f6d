#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace calque {

/// The folder that holds everything of one run: effective config, vocabulary, log, metrics, token
/// cache, and checkpoints with the one-line files `latest` and `best` (see
/// checkpoint/checkpoint.h).
class RunFolder {
 public:
  /// Makes the folder where it is missing. Throws UserError when that fails.
  explicit RunFolder(std::filesystem::path path);

  /// Renames an existing run folder to the first free of `<path>.old`, `<path>.old-2`, ... and
  /// returns the new name; an empty path when there was nothing to put aside. Nothing is deleted.
  static std::filesystem::path put_aside(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config_file() const { return path_ / "config.yaml"; }
  std::filesystem::path log_file() const { return path_ / "log.txt"; }
  std::filesystem::path cache_folder() const { return path_ / "cache"; }
  std::filesystem::path metrics_file() const { return path_ / "metrics.jsonl"; }

  /// Appends one line to metrics.jsonl. Throws UserError when the disk does not take it.
  void append_metrics(const nlohmann::json& metrics) const;
  /// Removes the lines of metrics.jsonl whose "step" is greater than `step`: what a run has written
  /// behind the checkpoint that it now resumes from.
  void cut_metrics(int64_t step) const;

 private:
  std::filesystem::path path_;
};

}  // namespace calque
