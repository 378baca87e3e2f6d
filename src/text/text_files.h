#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "text/line_faults.h"

namespace calque {

/// A place in a text, for messages.
struct TextPlace {
  std::string file;
  int64_t line = 0;  // 1-based
  /// "data/train.en:17".
  std::string to_string() const;
};

/// The lines of several text files (plain or gzip) one after another, with `policies` for what they
/// should not hold.
class TextFiles {
 public:
  explicit TextFiles(std::vector<std::string> files,
                     const LinePolicies& policies = LinePolicies::only_text());

  /// The next line, without its '\n'; false behind the last line of the last file. What is to be
  /// replaced is; a line that is to be left out comes as an empty one. Throws UserError when a file
  /// cannot be read, and naming file, line and byte when the line has a fault that is an error: by
  /// default a zero byte, or what is not valid UTF-8.
  bool next(std::string& line);
  /// Where the line lies that `next` gave last.
  TextPlace place() const;
  /// What that line had before it was mended.
  const LineFaults& faults() const { return faults_; }
  /// Lines given so far, of each file that was begun.
  const std::vector<int64_t>& lines_per_file() const { return lines_; }

 private:
  std::vector<std::string> files_;
  LinePolicies policies_;
  std::vector<int64_t> lines_;
  std::optional<LineReader> reader_;
  LineFaults faults_;

  void treat_faults(std::string& line) const;
};

/// Replaces `lines` by the next ones, at most `most`. False at the end of the text.
bool next_lines(TextFiles& text, size_t most, std::vector<std::string>& lines);

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
TextSurvey survey_text(const std::vector<std::string>& files,
                       const LinePolicies& policies = LinePolicies::only_text());

/// Throws UserError, naming both sides, unless they have as many lines: file by file when they have
/// as many files. `lines`: of each file.
void check_equal_lines(const std::vector<std::string>& source_files,
                       const std::vector<int64_t>& source_lines,
                       const std::vector<std::string>& target_files,
                       const std::vector<int64_t>& target_lines);

/// "a.en", "a.en, b.en".
std::string join_paths(const std::vector<std::string>& files);

}  // namespace calque
