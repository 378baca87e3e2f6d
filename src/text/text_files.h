#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"

namespace calque {

/// A place in a text, for messages.
struct TextPlace {
  std::string file;
  int64_t line = 0;  // 1-based
  /// "data/train.en:17".
  std::string to_string() const;
};

/// The lines of several text files (plain or gzip) one after another, checked to be UTF-8.
class TextFiles {
 public:
  explicit TextFiles(std::vector<std::string> files);

  /// The next line, without its '\n'; false behind the last line of the last file. Throws UserError
  /// when a file cannot be read, and naming file, line and byte when a line is not valid UTF-8 or
  /// holds a zero byte.
  bool next(std::string& line);
  /// Where the line lies that `next` gave last.
  TextPlace place() const;
  /// Lines given so far, of each file that was begun.
  const std::vector<int64_t>& lines_per_file() const { return lines_; }

 private:
  std::vector<std::string> files_;
  std::vector<int64_t> lines_;
  std::optional<LineReader> reader_;
};

/// How often loops over lines look whether there is progress to show, or a signal to heed.
inline constexpr int64_t kLinesPerUpdate = 1024;

/// What one pass over text files finds.
struct TextSurvey {
  std::vector<int64_t> lines;  // of each file
  int64_t all_lines = 0;
  int64_t bytes = 0;     // of all lines, without their ends
  bool visible = false;  // there is a character that can be seen
  uint64_t hash = 0;     // of all lines; the same for plain and for compressed files
};

/// Reads all lines once, showing progress. Throws UserError as TextFiles does, and StoppedBySignal.
TextSurvey survey_text(const std::vector<std::string>& files);

/// Throws UserError, naming both sides, unless they have as many lines: file by file when they have
/// as many files. `lines`: of each file.
void check_equal_lines(const std::vector<std::string>& source_files,
                       const std::vector<int64_t>& source_lines,
                       const std::vector<std::string>& target_files,
                       const std::vector<int64_t>& target_lines);

/// "a.en", "a.en, b.en".
std::string join_paths(const std::vector<std::string>& files);

}  // namespace calque
