#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/stream_hash.h"

namespace calque {

/// A file that is written sequentially by long work, which may be broken off at any moment and gone
/// on with by another process: what `sync` has returned is on the disk. The file stays, whatever
/// happens.
class GrowingFile {
 public:
  /// Goes on behind the first `kept.bytes` bytes of what is there, which are compared with
  /// `kept.hash`; what lies behind them is cut off. Nothing kept makes the file empty. Throws
  /// UserError naming path and reason, also when the file does not begin as `kept` says.
  explicit GrowingFile(const std::filesystem::path& path, const FileRecord& kept = {});

  void write(const void* data, size_t bytes);
  /// Makes durable what was written, and returns size and hash of the whole file.
  FileRecord sync();

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  StreamHash hash_;
  int64_t bytes_ = 0;  // hashed, and handed to the system
  std::string buffer_;

  void keep(const FileRecord& kept);
  void flush();
};

}  // namespace calque
