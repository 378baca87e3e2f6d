#include "cli/borrowed_vocabulary.h"

#include <string>
#include <system_error>

namespace calque {

void borrow_vocabulary(VocabularyOptions& options, const std::filesystem::path& run_folder,
                       const std::filesystem::path& scratch) {
  if (!options.path.empty()) {
    const VocabularyPaths paths = vocabulary_paths(options, run_folder);
    const bool there =
        std::filesystem::exists(paths.source) && std::filesystem::exists(paths.target);
    if (!there) options.path.clear();
    return;
  }
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(run_folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("vocabulary.")) {
      std::filesystem::copy_file(entry, scratch / name, ignored);
    }
  }
}

}  // namespace calque
