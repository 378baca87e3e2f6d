#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>

namespace calque::test {

/// Whether this process may mount file systems. When it may, it gets a list of mounts of its own,
/// which its children share, and which end with it.
bool may_mount();

/// A file system of its own, in memory and of so many bytes, mounted on a folder as long as it
/// lives. Throws std::runtime_error when that cannot be.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path folder, size_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  /// Takes all space that is left, until the next `make_room`.
  void fill() const;
  void make_room() const;

 private:
  std::filesystem::path folder_;
};

/// A folder in which nothing can be made, changed or removed as long as this lives. Root is not
/// bound by permissions: for root it is mounted read-only.
class ReadOnlyFolder {
 public:
  explicit ReadOnlyFolder(std::filesystem::path folder);
  ~ReadOnlyFolder();
  ReadOnlyFolder(const ReadOnlyFolder&) = delete;
  ReadOnlyFolder& operator=(const ReadOnlyFolder&) = delete;

 private:
  std::filesystem::path folder_;
};

}  // namespace calque::test
