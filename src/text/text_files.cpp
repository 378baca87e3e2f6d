#include "text/text_files.h"

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>
#include <numeric>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/progress.h"
#include "base/stopwatch.h"

namespace calque {
namespace {

/// True when the text has a character that is not a space (as U+2581 is to SentencePiece), control
/// or format character.
bool has_visible(std::string_view line) {
  const auto length = static_cast<int32_t>(line.size());
  for (int32_t at = 0; at < length;) {
    UChar32 character;
    U8_NEXT(line.data(), at, length, character);
    if (u_isgraph(character) && character != 0x2581) return true;
  }
  return false;
}

[[noreturn]] void throw_unequal(const std::string& source, int64_t source_lines,
                                const std::string& target, int64_t target_lines) {
  throw UserError(
      fmt::format("unequal numbers of lines: {} has {} but {} has {}; line n of the one must be "
                  "the translation of line n of the other",
                  source, format_count(source_lines), target, format_count(target_lines)));
}

/// What a line holds that it should not, in words.
std::string describe_byte(const std::string& line, Fault fault, size_t byte) {
  const auto value = static_cast<unsigned char>(line[byte]);
  switch (fault) {
    case Fault::kNul:
      return "is 0x00, which no text holds";
    case Fault::kInvalidUtf8:
      return fmt::format("(0x{:02X}) is not UTF-8", value);
    case Fault::kByteOrderMark:
      return "begins a byte order mark (U+FEFF)";
    case Fault::kCarriageReturn:
      return "is a carriage return";
    case Fault::kLineSeparator:
      return "begins a character that ends a line to other programs (U+0085, U+2028 or U+2029)";
    default:
      return fmt::format("(0x{:02X}) is, or begins, a control character", value);
  }
}

[[noreturn]] void throw_faulty(const TextPlace& place, const std::string& line, Fault fault,
                               size_t byte) {
  throw UserError(fmt::format(
      "{}: byte {} of the line {}; Calque reads UTF-8 text only: {} (training can also pass over "
      "such lines or mend them: data.{}; `calque check-data` lists them)",
      place.to_string(), byte + 1, describe_byte(line, fault, byte), words(fault).mend,
      words(fault).key));
}

}  // namespace

std::string TextPlace::to_string() const {
  return fmt::format("{}:{}", file == "-" ? "standard input" : file, line);
}

TextFiles::TextFiles(std::vector<std::string> files, const LinePolicies& policies)
    : files_(std::move(files)), policies_(policies) {}

bool TextFiles::next(std::string& line) {
  while (!reader_ || !reader_->next(line)) {
    reader_.reset();
    if (lines_.size() == files_.size()) return false;
    reader_.emplace(files_[lines_.size()]);
    lines_.push_back(0);
  }
  ++lines_.back();
  faults_ = LineFaults(line);
  if (faults_.any()) treat_faults(line);
  return true;
}

void TextFiles::treat_faults(std::string& line) const {
  bool left_out = false;
  for (size_t i = 0; i < kLineFaults; ++i) {
    if (!faults_.has(fault(i))) continue;
    const FaultPolicy policy = policies_.of(fault(i));
    if (policy == FaultPolicy::kError)
      throw_faulty(place(), line, fault(i), faults_.byte(fault(i)));
    left_out = left_out || policy == FaultPolicy::kSkip;
  }
  if (left_out) {
    line.clear();
  } else {
    mend_line(line, policies_);
  }
}

TextPlace TextFiles::place() const {
  CALQUE_CHECK(!lines_.empty(), "no line was read yet");
  return {files_[lines_.size() - 1], lines_.back()};
}

bool next_lines(TextFiles& text, size_t most, std::vector<std::string>& lines) {
  lines.clear();
  for (std::string line; lines.size() < most && text.next(line);) lines.push_back(line);
  return !lines.empty();
}

TextSurvey survey_text(const std::vector<std::string>& files, const LinePolicies& policies) {
  TextFiles text(files, policies);
  TextSurvey survey;
  Progress progress("reading " + join_paths(files), 0, "lines");
  for (std::string line; text.next(line);) {
    if (++survey.all_lines % kLinesPerUpdate == 0) progress.update_or_stop(survey.all_lines);
    survey.bytes += static_cast<int64_t>(line.size());
    survey.visible = survey.visible || has_visible(line);
    const std::array<uint64_t, 2> chained{survey.hash, hash_bytes(line)};
    survey.hash = hash_bytes(std::as_bytes(std::span(chained)));
  }
  survey.lines = text.lines_per_file();
  return survey;
}

void check_equal_lines(const std::vector<std::string>& source_files,
                       const std::vector<int64_t>& source_lines,
                       const std::vector<std::string>& target_files,
                       const std::vector<int64_t>& target_lines) {
  const auto sum = [](const std::vector<int64_t>& lines) {
    return std::accumulate(lines.begin(), lines.end(), int64_t{0});
  };
  if (source_lines.size() == target_lines.size()) {
    for (size_t i = 0; i < source_lines.size(); ++i) {
      if (source_lines[i] == target_lines[i]) continue;
      throw_unequal(source_files[i], source_lines[i], target_files[i], target_lines[i]);
    }
  } else if (sum(source_lines) != sum(target_lines)) {
    throw_unequal(join_paths(source_files), sum(source_lines), join_paths(target_files),
                  sum(target_lines));
  }
}

std::string join_paths(const std::vector<std::string>& files) {
  return fmt::format("{}", fmt::join(files, ", "));
}

}  // namespace calque
