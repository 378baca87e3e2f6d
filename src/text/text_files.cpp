#include "text/text_files.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace calque {

std::string TextPlace::to_string() const {
  return fmt::format("{}:{}", file == "-" ? "standard input" : file, line);
}

TextFiles::TextFiles(std::vector<std::string> files) : files_(std::move(files)) {}

bool TextFiles::next(std::string& line) {
  while (!reader_ || !reader_->next(line)) {
    reader_.reset();
    if (lines_.size() == files_.size()) return false;
    reader_.emplace(files_[lines_.size()]);
    lines_.push_back(0);
  }
  ++lines_.back();
  if (const size_t nul = line.find('\0'); nul != std::string::npos) {
    throw UserError(
        fmt::format("{}: byte {} of the line is 0x00, which no text holds; Calque reads UTF-8 text "
                    "only: convert the file, if it is UTF-16 with iconv -f UTF-16 -t UTF-8",
                    place().to_string(), nul + 1));
  }
  const size_t invalid = find_invalid_utf8(line);
  if (invalid != std::string::npos) {
    throw UserError(
        fmt::format("{}: byte {} of the line (0x{:02X}) is not UTF-8; Calque reads UTF-8 text "
                    "only: convert the "
                    "file, for example with iconv -f ISO-8859-1 -t UTF-8",
                    place().to_string(), invalid + 1, static_cast<unsigned char>(line[invalid])));
  }
  return true;
}

TextPlace TextFiles::place() const {
  CALQUE_CHECK(!lines_.empty(), "no line was read yet");
  return {files_[lines_.size() - 1], lines_.back()};
}

std::string join_paths(const std::vector<std::string>& files) {
  return fmt::format("{}", fmt::join(files, ", "));
}

}  // namespace calque
