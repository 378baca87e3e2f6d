#include "base/growing_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/error.h"

namespace calque {
namespace {

constexpr size_t kBuffer = size_t{1} << 20;

int open_or_create(const std::filesystem::path& path) {
  int number = -1;
  do {
    number = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  } while (number < 0 && errno == EINTR);
  if (number < 0) throw_file_error("open", path, errno);
  return number;
}

}  // namespace

GrowingFile::GrowingFile(const std::filesystem::path& path, const FileRecord& kept)
    : path_(path), file_(open_or_create(path), path) {
  keep(kept);
  if (ftruncate(file_.number(), static_cast<off_t>(bytes_)) != 0) {
    throw_file_error("truncate", path_, errno);
  }
  buffer_.reserve(kBuffer);
}

void GrowingFile::keep(const FileRecord& kept) {
  std::vector<std::byte> part(kBuffer);
  while (bytes_ < kept.bytes) {
    const auto left = static_cast<size_t>(kept.bytes - bytes_);
    const size_t got = file_.read(part.data(), std::min(left, part.size()));
    if (got == 0) break;
    hash_.update(std::span(part).first(got));
    bytes_ += static_cast<int64_t>(got);
  }
  if (kept.bytes != 0 && FileRecord{bytes_, hash_.digest()} != kept) {
    throw UserError(fmt::format("{} is not as it was left", path_.string()));
  }
}

void GrowingFile::write(const void* data, size_t bytes) {
  if (buffer_.size() + bytes > kBuffer) flush();
  buffer_.append(static_cast<const char*>(data), bytes);
}

void GrowingFile::flush() {
  write_all(file_.number(), buffer_, path_);
  hash_.update(std::as_bytes(std::span(buffer_)));
  bytes_ += static_cast<int64_t>(buffer_.size());
  buffer_.clear();
}

FileRecord GrowingFile::sync() {
  flush();
  sync_descriptor(file_.number(), path_);
  return {bytes_, hash_.digest()};
}

}  // namespace calque
