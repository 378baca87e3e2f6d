#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace calque {

/// The whole file as bytes. Throws UserError naming path and reason.
std::string read_file(const std::filesystem::path& path);

/// Writes beside, syncs, renames: after a crash the path holds the old or the new content, never a
/// part. Throws UserError naming path and reason (disk full, permission); the old content stays.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Appends `text` to a file, which is made where it is missing, in one piece: when the disk does
/// not take all of it, the file is cut back to what it was. Throws UserError naming path and
/// reason.
void append_to_file(const std::filesystem::path& path, std::string_view text);

/// Makes a folder and its parents where they are missing. Throws UserError naming path and reason.
void make_folders(const std::filesystem::path& folder);

/// Makes the entries of a folder (renames, new files) durable.
void sync_folder(const std::filesystem::path& folder);

/// A new file written sequentially, synced and closed by `finish()`. Errors name path and reason.
class FileWriter {
 public:
  /// What becomes of the file when it is destroyed before `finish()`.
  enum class Unfinished { kRemoved, kKept };

  explicit FileWriter(std::filesystem::path path, Unfinished unfinished = Unfinished::kRemoved);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Hands on to the system what was written so far: what of an unfinished file is kept.
  void flush();
  /// Flushes, syncs to the disk and closes.
  void finish();

 private:
  std::filesystem::path path_;
  Unfinished unfinished_;
  int descriptor_ = -1;
  std::string buffer_;
};

/// A file mapped read-only. Unmapped by the destructor.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// Reads a text file, plain or gzip (told by its magic bytes), line by line. Lines end at '\n'
/// only; a last line without '\n' counts. "-" reads standard input.
class LineReader {
 public:
  /// Throws UserError when the file cannot be opened.
  explicit LineReader(const std::filesystem::path& path);
  ~LineReader();
  LineReader(LineReader&&) noexcept;

  /// False at the end. `line` comes without its '\n'. Throws UserError on a read error or damaged
  /// gzip data, naming file and line.
  bool next(std::string& line);
  /// 1-based number of the line that `next` gave last.
  int64_t line_number() const;
  const std::filesystem::path& path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// All lines of a file (see LineReader).
std::vector<std::string> read_lines(const std::filesystem::path& path);

/// 64-bit xxHash (XXH3) of bytes.
uint64_t hash_bytes(std::span<const std::byte> bytes);
uint64_t hash_bytes(std::string_view text);

/// Size and hash of a file's content: what it is compared with later.
struct FileRecord {
  int64_t bytes = 0;
  uint64_t hash = 0;  // XXH3-64

  bool operator==(const FileRecord&) const = default;
};
/// Reads the file; `on_progress` is told the bytes read so far, and may throw to break it off.
FileRecord record_file(const std::filesystem::path& path,
                       const std::function<void(int64_t)>& on_progress = {});

/// Byte offset of the first byte that is not valid UTF-8, or npos.
size_t find_invalid_utf8(std::string_view text);

}  // namespace calque
