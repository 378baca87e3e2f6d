#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/file.h"

namespace calque {

/// Writes to standard output, all of it. Throws UserError with the reason when that fails, and
/// StoppedBySignal{SIGPIPE} when nobody reads on, also where that signal is ignored.
void write_to_stdout(std::string_view text);

/// `json` indented, with a newline at its end. What is not UTF-8, as a path may be, is replaced.
std::string json_text(const nlohmann::ordered_json& json);

/// Throws UserError when `output` is the same file as `input`, also through links, so that writing
/// would destroy what is read. `option` is what names the output on the command line; "-" is a
/// standard stream. What is no ordinary file is never refused.
void check_is_no_input(const std::string& option, const std::filesystem::path& output,
                       const std::filesystem::path& input);

/// Lines of text on their way to a file or to standard output.
class TextOutput {
 public:
  /// Whether a file is written as a whole, or so that others can read on in it.
  enum class Writing { kWhole, kAsItComes };

  /// "-" is standard output. A whole file is written beside and takes its name in `finish`, so that
  /// it is there as a whole or not at all. One that is written as it comes has at once what is
  /// flushed, and keeps it. What is no ordinary file, /dev/null or a pipe, is always written so.
  /// Throws UserError when the file cannot be made.
  explicit TextOutput(const std::filesystem::path& path, Writing writing = Writing::kWhole);

  void write_line(std::string_view line);
  /// Hands on what was written so far.
  void flush();
  /// After the last line. Throws UserError naming path and reason.
  void finish();

 private:
  std::filesystem::path path_;          // the file's final name
  std::filesystem::path written_path_;  // the name while it is being written
  std::unique_ptr<FileWriter> file_;    // none: standard output
  std::string buffer_;                  // for standard output
};

}  // namespace calque
