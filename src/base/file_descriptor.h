#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace calque {

/// Throws UserError "cannot <action> <path>: <reason>", the reason being that of `error_number`.
[[noreturn]] void throw_file_error(const char* action, const std::filesystem::path& path,
                                   int error_number);

/// A file descriptor open for reading, closed by the destructor unless it is standard input.
class FileDescriptor {
 public:
  FileDescriptor(int number, std::filesystem::path path);
  ~FileDescriptor();
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int number() const { return number_; }
  /// Size of a regular file in bytes; 0 for anything else. Throws UserError.
  size_t size() const;
  /// Reads at most `bytes`; 0 means the end. Retries when a signal interrupts. Throws UserError,
  /// and StoppedBySignal where it would wait, for a terminal or a pipe, after a StopSignal that
  /// lives has noted a signal.
  size_t read(void* data, size_t bytes) const;

 private:
  int number_;
  std::filesystem::path path_;
};

/// Opens a file (with O_DIRECTORY in `flags`, a folder) for reading. Throws UserError naming path
/// and reason, also where a folder stands in a file's place.
FileDescriptor open_for_reading(const std::filesystem::path& path, int flags = 0);

/// Writes all of `text`, however many writes it takes. Throws UserError naming path and reason.
void write_all(int descriptor, std::string_view text, const std::filesystem::path& path);

/// Makes what was written durable; devices and pipes, which cannot be synced, count as synced.
/// Throws UserError naming path and reason.
void sync_descriptor(int descriptor, const std::filesystem::path& path);

}  // namespace calque
