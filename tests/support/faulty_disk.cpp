#include "support/faulty_disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace calque::test {
namespace {

constexpr const char kBallast[] = "ballast";
constexpr auto kMayWrite = std::filesystem::perms::owner_write;

void mount_or_throw(const char* source, const std::filesystem::path& folder, const char* type,
                    unsigned long flags, const std::string& options = "") {
  if (may_mount() && mount(source, folder.c_str(), type, flags, options.c_str()) == 0) return;
  throw std::runtime_error("cannot mount " + folder.string() + ": " + std::strerror(errno));
}

}  // namespace

bool may_mount() {
  static const bool may =
      unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return may;
}

SmallDisk::SmallDisk(std::filesystem::path folder, size_t bytes) : folder_(std::move(folder)) {
  std::filesystem::create_directories(folder_);
  mount_or_throw("calque-test", folder_, "tmpfs", 0, fmt::format("size={}", bytes));
}

SmallDisk::~SmallDisk() { umount2(folder_.c_str(), MNT_DETACH); }

void SmallDisk::fill() const {
  const int file = open((folder_ / kBallast).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const std::vector<char> bytes(4096);
  while (write(file, bytes.data(), bytes.size()) > 0) {
  }
  const int reason = errno;
  close(file);
  if (reason != ENOSPC) throw std::runtime_error("cannot fill " + folder_.string());
}

void SmallDisk::make_room() const { std::filesystem::remove(folder_ / kBallast); }

ReadOnlyFolder::ReadOnlyFolder(std::filesystem::path folder) : folder_(std::move(folder)) {
  if (geteuid() != 0) {
    std::filesystem::permissions(folder_, kMayWrite, std::filesystem::perm_options::remove);
    return;
  }
  mount_or_throw(folder_.c_str(), folder_, nullptr, MS_BIND);
  mount_or_throw(nullptr, folder_, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY);
}

ReadOnlyFolder::~ReadOnlyFolder() {
  if (geteuid() != 0) {
    std::filesystem::permissions(folder_, kMayWrite, std::filesystem::perm_options::add);
  } else {
    umount2(folder_.c_str(), MNT_DETACH);
  }
}

}  // namespace calque::test
