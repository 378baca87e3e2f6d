#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/stream_hash.h"

namespace calque {
namespace {

constexpr size_t kWriteBuffer = size_t{1} << 20;

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  const FileDescriptor file = open_for_reading(path);
  std::string content(file.size(), '\0');
  size_t used = 0;
  // One byte more than the size tells the end; pipes and /proc files say 0 and grow.
  for (;;) {
    if (used == content.size()) content.resize(used + used / 2 + 4096);
    const size_t got = file.read(content.data() + used, content.size() - used);
    if (got == 0) break;
    used += got;
  }
  content.resize(used);
  return content;
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::path beside = path;
  beside += fmt::format(".tmp{}", getpid());
  FileWriter writer(beside);
  writer.write(content);
  writer.finish();
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    unlink(beside.c_str());
    throw_file_error("replace", path, reason);
  }
  sync_folder(path.parent_path());
}

void append_to_file(const std::filesystem::path& path, std::string_view text) {
  int number = -1;
  do {
    number = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  } while (number < 0 && errno == EINTR);
  if (number < 0) throw_file_error("open", path, errno);
  const FileDescriptor file(number, path);
  const auto size = static_cast<off_t>(file.size());
  try {
    write_all(number, text, path);
  } catch (const UserError&) {
    // Best effort: the reason that is told is that of the write.
    [[maybe_unused]] const int result = ftruncate(number, size);
    throw;
  }
}

void make_folders(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw_file_error("create", folder, error.value());
}

void sync_folder(const std::filesystem::path& folder) {
  sync_descriptor(open_for_reading(folder.empty() ? "." : folder, O_DIRECTORY).number(), folder);
}

FileWriter::FileWriter(std::filesystem::path path, Unfinished unfinished)
    : path_(std::move(path)), unfinished_(unfinished) {
  buffer_.reserve(kWriteBuffer);
  do {
    descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) throw_file_error("create", path_, errno);
}

FileWriter::~FileWriter() {
  if (descriptor_ < 0) return;
  struct stat status {};
  const bool is_file = fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  if (is_file && unfinished_ == Unfinished::kRemoved) unlink(path_.c_str());
  close(descriptor_);
}

void FileWriter::write(const void* data, size_t bytes) {
  CALQUE_CHECK(descriptor_ >= 0, "write to {} after finish()", path_.string());
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const size_t room = kWriteBuffer - buffer_.size();
    const size_t part = bytes < room ? bytes : room;
    buffer_.append(next, part);
    next += part;
    bytes -= part;
    if (buffer_.size() == kWriteBuffer) flush();
  }
}

void FileWriter::flush() {
  write_all(descriptor_, buffer_, path_);
  buffer_.clear();
}

void FileWriter::finish() {
  CALQUE_CHECK(descriptor_ >= 0, "second finish() of {}", path_.string());
  flush();
  sync_descriptor(descriptor_, path_);
  if (close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) {
    const int reason = errno;
    unlink(path_.c_str());
    throw_file_error("close", path_, reason);
  }
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const FileDescriptor file = open_for_reading(path);
  size_ = file.size();
  if (size_ == 0) return;
  void* const memory = mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.number(), 0);
  if (memory == MAP_FAILED) throw_file_error("map", path, errno);
  data_ = static_cast<const std::byte*>(memory);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

uint64_t hash_bytes(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

uint64_t hash_bytes(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

FileRecord record_file(const std::filesystem::path& path,
                       const std::function<void(int64_t)>& on_progress) {
  const FileDescriptor file = open_for_reading(path);
  std::vector<std::byte> buffer(size_t{1} << 20);
  StreamHash hash;
  FileRecord record;
  while (const size_t got = file.read(buffer.data(), buffer.size())) {
    hash.update(std::span(buffer).first(got));
    record.bytes += static_cast<int64_t>(got);
    if (on_progress) on_progress(record.bytes);
  }
  record.hash = hash.digest();
  return record;
}

}  // namespace calque
