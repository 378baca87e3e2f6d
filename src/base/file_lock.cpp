#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/file_descriptor.h"
#include "base/log.h"

namespace calque {
namespace {

int open_lock_file(const std::filesystem::path& path) {
  int descriptor = -1;
  do {
    descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) throw_file_error("open", path, errno);
  return descriptor;
}

/// Whether `path` still names the open file; a folder that is put aside takes its lock file along.
bool is_still_at(int descriptor, const std::filesystem::path& path) {
  struct stat opened {};
  struct stat there {};
  return fstat(descriptor, &opened) == 0 && stat(path.c_str(), &there) == 0 &&
         opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

std::string read_holder(int descriptor) {
  std::array<char, 32> text;
  const ssize_t length = pread(descriptor, text.data(), text.size(), 0);
  std::string holder(text.data(), length > 0 ? static_cast<size_t>(length) : 0);
  return holder.substr(0, holder.find_first_not_of("0123456789"));
}

/// The number is there for messages alone: that it cannot be written (a full disk) is no error.
void write_holder(int descriptor) {
  const std::string text = fmt::format("{}\n", getpid());
  if (ftruncate(descriptor, 0) == 0) {
    [[maybe_unused]] const ssize_t written = pwrite(descriptor, text.data(), text.size(), 0);
  }
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path) {
  for (;;) {
    descriptor_ = open_lock_file(path);
    taken_ = flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    if (!taken_ && errno == EWOULDBLOCK) break;
    if (!taken_) {
      log::warning("cannot lock {} ({}): take care that no second process works in this folder",
                   path.string(), std::generic_category().message(errno));
      taken_ = true;
    }
    if (is_still_at(descriptor_, path)) break;
    close(descriptor_);
  }
  if (taken_) write_holder(descriptor_);
  holder_ = read_holder(descriptor_);
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

FileLock::FileLock(FileLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      taken_(std::exchange(other.taken_, false)),
      holder_(std::move(other.holder_)) {}

}  // namespace calque
