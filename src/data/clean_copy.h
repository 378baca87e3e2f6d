#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/scratch_folder.h"
#include "data/text_check.h"

namespace calque {

/// Writes the pairs of texts that are to be kept, mended, each line to a plain file of the same
/// name (without .gz) in another folder. Nothing is there under its name before `finish`.
class CleanCopy {
 public:
  /// Throws UserError when two files have the same name, or when there is a file of such a name in
  /// the folder already: nothing is overwritten.
  CleanCopy(const std::filesystem::path& folder, const std::vector<TextCheck>& texts);

  void add(const TextPair& pair);
  /// Makes the files durable and gives them their names. Returns their paths.
  std::vector<std::filesystem::path> finish();

 private:
  struct Copy {
    std::filesystem::path path;
    std::filesystem::path written_path;
    std::unique_ptr<FileWriter> writer;
  };
  std::filesystem::path folder_;
  std::map<std::string, Copy> copies_;  // by the file that is copied
  std::optional<ScratchFolder> scratch_;

  void write(const std::string& file, const std::string& line);
};

}  // namespace calque
