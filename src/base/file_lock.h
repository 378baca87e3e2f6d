#pragma once

#include <filesystem>
#include <string>

namespace calque {

/// A lock that one process at a time holds on a file, as long as this object lives. The kernel lets
/// go of it when the process ends, however it ends, so no lock outlives its holder. The file holds
/// the process id of who took it last, and stays.
class FileLock {
 public:
  /// Takes the lock unless another process has it, without waiting. The file is made where it is
  /// missing. Where the file system knows no locks, a warning says so, and it counts as taken.
  /// Throws UserError when the file cannot be opened.
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;

  /// False when another process holds it.
  bool is_taken() const { return taken_; }
  /// The process id that the file names, of the other process when there is one; empty when the
  /// file names none.
  const std::string& holder() const { return holder_; }

 private:
  int descriptor_ = -1;
  bool taken_ = false;
  std::string holder_;
};

}  // namespace calque
