#include "cli/teacher_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"
#include "base/file.h"

namespace calque {

namespace fs = std::filesystem;

fs::path teacher_path(const fs::path& run_path) { return run_path / "teacher"; }

void remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) throw UserError(fmt::format("cannot remove {}: {}", file.string(), error.message()));
}

TeacherFolder::TeacherFolder(const fs::path& run_path) : path_(teacher_path(run_path)) {}

std::vector<std::string> TeacherFolder::forward(const ParallelFiles& text) const {
  return files("forward", text.source.size());
}

std::vector<std::string> TeacherFolder::backward(const ParallelFiles& text) const {
  return files("backward", text.target.size());
}

std::vector<std::string> TeacherFolder::translations(const ParallelFiles& text) const {
  std::vector<std::string> all = forward(text);
  std::ranges::copy(backward(text), std::back_inserter(all));
  return all;
}

std::vector<std::string> TeacherFolder::files(const char* direction, size_t count) const {
  std::vector<std::string> files;
  for (size_t i = 1; i <= count; ++i) {
    files.push_back((path_ / fmt::format("{}_{}.txt", direction, i)).string());
  }
  return files;
}

TeacherRecord TeacherFolder::read_record() const {
  TeacherRecord record;
  std::error_code error;
  if (!fs::exists(record_file(), error)) return record;
  try {
    const auto json = nlohmann::json::parse(read_file(record_file()));
    record.checkpoint = json.at("checkpoint").get<std::string>();
    record.model = json.at("model").get<uint64_t>();
    record.teacher_steps = json.at("teacher_steps").get<int64_t>();
    for (const auto& [name, work] : json.at("translations").items()) {
      record.work[name] = {work.at("sentences").get<int64_t>(), work.at("seconds").get<double>()};
    }
  } catch (const nlohmann::json::exception& reason) {
    throw UserError(fmt::format(
        "{} is damaged: {}. Remove it, and the teacher translates anew, or start over with "
        "--fresh",
        record_file().string(), reason.what()));
  }
  return record;
}

void TeacherFolder::write_record(const TeacherRecord& record) const {
  nlohmann::json json{{"checkpoint", record.checkpoint},
                      {"model", record.model},
                      {"teacher_steps", record.teacher_steps},
                      {"translations", nlohmann::json::object()}};
  for (const auto& [name, work] : record.work) {
    json["translations"][name] = {{"sentences", work.sentences}, {"seconds", work.seconds}};
  }
  write_file_atomically(record_file(), json.dump(2) + "\n");
}

void TeacherFolder::remove_record() const { remove_file(record_file()); }

}  // namespace calque
