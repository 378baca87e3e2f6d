#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/data_options.h"

namespace calque {

/// Where the teacher of a run lies.
std::filesystem::path teacher_path(const std::filesystem::path& run_path);

/// What translates, and what it has done: the file `translations.json`.
struct TeacherRecord {
  std::string checkpoint;     // its name, "step_00005000"
  uint64_t model = 0;         // hash of its weights
  int64_t teacher_steps = 0;  // for which it was made
  struct Work {
    int64_t sentences = 0;
    double seconds = 0;
  };
  std::map<std::string, Work> work;  // by the name of a translation, "forward_1"
};

/// The teacher's folder: beside what a run folder holds, its translations and their record.
class TeacherFolder {
 public:
  explicit TeacherFolder(const std::filesystem::path& run_path);

  const std::filesystem::path& path() const { return path_; }
  /// Translations of the files of the text: of its sources, of its targets, and both.
  std::vector<std::string> forward(const ParallelFiles& text) const;
  std::vector<std::string> backward(const ParallelFiles& text) const;
  std::vector<std::string> translations(const ParallelFiles& text) const;

  /// Empty where no teacher has begun to translate. Throws UserError when the file is damaged.
  TeacherRecord read_record() const;
  void write_record(const TeacherRecord& record) const;
  /// Without a record, no translation counts as made.
  void remove_record() const;

 private:
  std::filesystem::path path_;

  std::filesystem::path record_file() const { return path_ / "translations.json"; }
  std::vector<std::string> files(const char* direction, size_t count) const;
};

/// Removes a file, if it is there. Throws UserError with the reason when that fails.
void remove_file(const std::filesystem::path& file);

}  // namespace calque
