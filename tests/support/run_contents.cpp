#include "support/run_contents.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"

namespace calque::test {

std::vector<std::string> listing(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    names.push_back(entry.path().lexically_relative(folder).string());
  }
  std::ranges::sort(names);
  return names;
}

std::vector<nlohmann::json> read_metrics(const std::filesystem::path& run) {
  std::vector<nlohmann::json> metrics;
  for (const std::string& line : read_lines(run / "metrics.jsonl")) {
    metrics.push_back(nlohmann::json::parse(line));
  }
  return metrics;
}

int64_t named_step(const std::filesystem::path& run, const std::string& file) {
  const std::string name = read_file(run / file);
  return std::stoll(name.substr(name.find('_') + 1));
}

std::filesystem::path checkpoint_folder(const std::filesystem::path& run, int64_t step) {
  return run / "checkpoints" / fmt::format("step_{:08}", step);
}

std::string checkpoint_file(const std::filesystem::path& run, int64_t step,
                            const std::string& file) {
  return read_file(checkpoint_folder(run, step) / file);
}

std::string measured_steps(const std::filesystem::path& run) {
  std::vector<int64_t> progress;
  std::vector<int64_t> validations;
  for (const nlohmann::json& line : read_metrics(run)) {
    (line.contains("validation_loss") ? validations : progress).push_back(line["step"]);
  }
  return fmt::format("{} | {}", fmt::join(progress, " "), fmt::join(validations, " "));
}

}  // namespace calque::test
