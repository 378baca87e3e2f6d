#include "base/file_descriptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/stop_signal.h"

namespace calque {
namespace {

/// Waits until there is something to read. It is interrupted by every signal, as read(2) is not;
/// one that comes between the look and the wait is noticed as late as this.
void wait_for_input(int number) {
  constexpr int kMilliseconds = 200;
  pollfd waiting{number, POLLIN, 0};
  for (;;) {
    const int ready = poll(&waiting, 1, kMilliseconds);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return;  // read(2) tells what is wrong
    throw_if_stopped();
  }
}

}  // namespace

void throw_file_error(const char* action, const std::filesystem::path& path, int error_number) {
  throw UserError(fmt::format("cannot {} {}: {}", action, path.string(),
                              std::generic_category().message(error_number)));
}

FileDescriptor::FileDescriptor(int number, std::filesystem::path path)
    : number_(number), path_(std::move(path)) {}

FileDescriptor::~FileDescriptor() {
  if (number_ != STDIN_FILENO) close(number_);
}

size_t FileDescriptor::size() const {
  struct stat status {};
  if (fstat(number_, &status) != 0) throw_file_error("examine", path_, errno);
  return S_ISREG(status.st_mode) ? static_cast<size_t>(status.st_size) : 0;
}

size_t FileDescriptor::read(void* data, size_t bytes) const {
  for (;;) {
    wait_for_input(number_);
    const ssize_t got = ::read(number_, data, bytes);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) throw_file_error("read", path_, errno);
  }
}

FileDescriptor open_for_reading(const std::filesystem::path& path, int flags) {
  int number = -1;
  do {
    number = open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  } while (number < 0 && errno == EINTR);
  if (number < 0) throw_file_error("open", path, errno);
  struct stat status {};
  if ((flags & O_DIRECTORY) == 0 && fstat(number, &status) == 0 && S_ISDIR(status.st_mode)) {
    close(number);
    throw_file_error("open", path, EISDIR);
  }
  return FileDescriptor(number, path);
}

void sync_descriptor(int descriptor, const std::filesystem::path& path) {
  int result = 0;
  do {
    result = fsync(descriptor);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EINVAL && errno != ENOTSUP) throw_file_error("sync", path, errno);
}

void write_all(int descriptor, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_file_error("write", path, errno);
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace calque
