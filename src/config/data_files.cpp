#include "config/data_files.h"

#include <filesystem>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// "; scripts/get_multi30k.sh fetches it" for data/multi30k/train.en, when there is such a script.
std::string where_from(const fs::path& file) {
  const std::string dataset = file.parent_path().filename().string();
  const std::string script = fmt::format("scripts/get_{}.sh", dataset);
  std::error_code ignored;
  return !dataset.empty() && fs::exists(script, ignored) ? fmt::format("; {} fetches it", script)
                                                         : "";
}

void check_files(const char* key, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    std::error_code error;
    const bool exists = fs::exists(file, error);
    if (!exists && !error) {
      throw UserError(fmt::format("{} names {}, which does not exist{}{}", key, file,
                                  fs::path(file).is_absolute()
                                      ? ""
                                      : fmt::format("; paths are relative to the working "
                                                    "directory, {}",
                                                    fs::current_path().string()),
                                  where_from(file)));
    }
    try {
      open_for_reading(file);
    } catch (const UserError& reason) {
      throw UserError(fmt::format("{}: {}", key, reason.what()));
    }
  }
}

}  // namespace

void check_data_files(const DataOptions& data) {
  check_files("data.train.source", data.train.source);
  check_files("data.train.target", data.train.target);
  check_files("data.validation.source", data.validation.source);
  check_files("data.validation.target", data.validation.target);
}

}  // namespace calque
