#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace calque::test {

/// Everything below a folder, as sorted paths relative to it.
std::vector<std::string> listing(const std::filesystem::path& folder);

/// The lines of a run's metrics.jsonl.
std::vector<nlohmann::json> read_metrics(const std::filesystem::path& run);

/// The step that the file `latest` or `best` of a run names.
int64_t named_step(const std::filesystem::path& run, const std::string& file);

/// `<run>/checkpoints/step_...`.
std::filesystem::path checkpoint_folder(const std::filesystem::path& run, int64_t step);

/// The bytes of one of a checkpoint's files.
std::string checkpoint_file(const std::filesystem::path& run, int64_t step,
                            const std::string& file);

/// "<steps of progress lines> | <steps of validations>" in the order of metrics.jsonl.
std::string measured_steps(const std::filesystem::path& run);

}  // namespace calque::test
