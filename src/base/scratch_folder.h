#pragma once

#include <filesystem>

namespace calque {

/// A folder that disappears with all its content when this object does.
class ScratchFolder {
 public:
  /// A new folder of a name of its own among the system's temporary files. Throws UserError.
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace calque
