#pragma once

#include <filesystem>

namespace calque {

/// A folder that disappears with all its content when this object does.
class ScratchFolder {
 public:
  /// A new folder of a name of its own among the system's temporary files. Throws UserError.
  ScratchFolder();
  /// `path`, made with its parents; what is there already is removed first. Throws UserError.
  explicit ScratchFolder(std::filesystem::path path);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace calque
