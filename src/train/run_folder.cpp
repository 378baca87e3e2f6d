#include "train/run_folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace calque {

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  std::filesystem::create_directories(cache_folder(), error);
  if (error) {
    throw UserError(
        fmt::format("cannot make the run folder {}: {}", path_.string(), error.message()));
  }
}

std::filesystem::path RunFolder::put_aside(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return {};
  std::filesystem::path aside = path;
  aside += ".old";
  for (int i = 2; std::filesystem::exists(aside); ++i) {
    aside = path;
    aside += fmt::format(".old-{}", i);
  }
  std::error_code error;
  std::filesystem::rename(path, aside, error);
  if (error) {
    throw UserError(
        fmt::format("cannot rename {} to {}: {}", path.string(), aside.string(), error.message()));
  }
  return aside;
}

void RunFolder::append_metrics(const nlohmann::json& metrics) const {
  std::ofstream file(metrics_file(), std::ios::app);
  file << metrics.dump() << '\n';
  file.flush();
  if (!file) {
    throw UserError(
        fmt::format("cannot write to {}: {}", metrics_file().string(), std::strerror(errno)));
  }
}

void RunFolder::cut_metrics(int64_t step) const {
  if (!std::filesystem::exists(metrics_file())) return;
  std::string kept;
  LineReader reader(metrics_file());
  for (std::string line; reader.next(line);) {
    const nlohmann::json metrics = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    const bool whole = metrics.is_object() && metrics.contains("step");  // a kill may cut a line
    if (whole && metrics["step"].is_number() && metrics["step"].get<int64_t>() <= step) {
      kept += line + '\n';
    }
  }
  write_file_atomically(metrics_file(), kept);
}

}  // namespace calque
