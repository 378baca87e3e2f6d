#include "train/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// What tells a run folder from any other: a run that was begun has left one of these.
constexpr std::array<const char*, 7> kMarks{
    "lock", "config.yaml", "metrics.jsonl", "checkpoints", "latest", "log.txt", "vocabulary.model"};

FileLock lock_folder(const fs::path& path) {
  FileLock lock(path / "lock");
  if (lock.is_taken()) return lock;
  // Between taking the lock and naming itself, and on a full disk, a holder is not known.
  const std::string& holder = lock.holder();
  throw UserError(fmt::format(
      "{} is in use by another training{}. Wait until it is done, stop it (`kill {}` saves and "
      "stops), or choose another folder with --run",
      path.string(), holder.empty() ? "" : ", process " + holder,
      holder.empty() ? "PROCESS" : holder));
}

const fs::path& made(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw UserError(
        fmt::format("cannot make the run folder {}: {}", path.string(), error.message()));
  }
  return path;
}

void check_is_run(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    throw UserError(fmt::format(
        "--fresh would put {} aside, but that is no folder; name a run folder with --run",
        path.string()));
  }
  if (std::ranges::any_of(kMarks, [&](const char* mark) { return fs::exists(path / mark); }))
    return;
  throw UserError(
      fmt::format("--fresh would put {} aside, but that is no run folder (it holds none of {}); "
                  "choose another folder with --run",
                  path.string(), fmt::join(kMarks, ", ")));
}

/// Keeps those lines of a file that are whole JSON objects, which a kill may cut, and pass `keep`.
void filter_lines(const fs::path& file, const std::function<bool(const nlohmann::json&)>& keep) {
  if (!fs::exists(file)) return;
  std::string kept;
  LineReader reader(file);
  for (std::string line; reader.next(line);) {
    const nlohmann::json object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (object.is_object() && keep(object)) kept += line + '\n';
  }
  write_file_atomically(file, kept);
}

/// An entry that is a whole number.
std::optional<int64_t> integer(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int64_t>();
}

}  // namespace

RunFolder::RunFolder(fs::path path) : path_(std::move(path)), lock_(lock_folder(made(path_))) {}

fs::path RunFolder::put_aside(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return {};
  if (fs::is_directory(path, error) && fs::is_empty(path, error)) return {};
  check_is_run(path);
  const FileLock lock = lock_folder(path);
  fs::path aside = path;
  aside += ".old";
  for (int i = 2; fs::exists(fs::symlink_status(aside, error)); ++i) {
    aside = path;
    aside += fmt::format(".old-{}", i);
  }
  fs::rename(path, aside, error);
  if (error) {
    throw UserError(
        fmt::format("cannot rename {} to {}: {}", path.string(), aside.string(), error.message()));
  }
  return aside;
}

void RunFolder::append_metrics(const std::string& lines) const {
  append_to_file(metrics_file(), lines);
}

void RunFolder::append_skipped(const std::string& lines) const {
  append_to_file(skipped_file(), lines);
}

void RunFolder::cut_metrics(int64_t step, int64_t validated_step) const {
  filter_lines(metrics_file(), [&](const nlohmann::json& metrics) {
    const bool validation = metrics.contains("validation_loss");
    const std::optional<int64_t> found = integer(metrics, "step");
    return found && *found <= (validation ? std::min(step, validated_step) : step);
  });
}

void RunFolder::cut_skipped(const BatchPosition& position) const {
  filter_lines(skipped_file(), [&](const nlohmann::json& record) {
    const auto epoch = integer(record, "epoch");
    const auto pairs = integer(record, "pairs");
    return epoch && pairs && BatchPosition{*epoch, *pairs} <= position;
  });
}

}  // namespace calque
