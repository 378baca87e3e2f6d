#include "text/line_faults.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/file.h"

namespace calque {
namespace {

/// A character that is a fault: which, and how many bytes it takes.
struct FaultyCharacter {
  Fault fault;
  size_t bytes;
};

/// The fault that begins with the first byte of `text`, which is valid UTF-8 from there on or in
/// the midst of a character.
std::optional<FaultyCharacter> faulty_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first >= 0x20 && first < 0x7F) return std::nullopt;
  if (first == 0) return FaultyCharacter{Fault::kNul, 1};
  if (first == '\t') return std::nullopt;
  if (first == '\r') return FaultyCharacter{Fault::kCarriageReturn, 1};
  if (first < 0x20 || first == 0x7F) return FaultyCharacter{Fault::kControlCharacter, 1};
  if (first == 0xC2) {
    const auto second = static_cast<unsigned char>(text[1]);
    if (second == 0x85) return FaultyCharacter{Fault::kLineSeparator, 2};
    if (second < 0xA0) return FaultyCharacter{Fault::kControlCharacter, 2};
  } else if (first == 0xE2) {
    if (text.starts_with("\u2028") || text.starts_with("\u2029")) {
      return FaultyCharacter{Fault::kLineSeparator, 3};
    }
  } else if (first == 0xEF && text.starts_with("\uFEFF")) {
    return FaultyCharacter{Fault::kByteOrderMark, 3};
  }
  return std::nullopt;
}

/// Calls `valid` with each stretch of UTF-8 and its place, `invalid` with the places of bytes that
/// are none.
template <class Valid, class Invalid>
void for_stretches(std::string_view line, const Valid& valid, const Invalid& invalid) {
  for (size_t begin = 0; begin < line.size();) {
    const std::string_view rest = line.substr(begin);
    const size_t length = std::min(find_invalid_utf8(rest), rest.size());
    valid(rest.substr(0, length), begin);
    begin += length;
    if (begin < line.size()) invalid(begin++);
  }
}

std::string_view replacement(const FaultyCharacter& found, bool at_end) {
  const bool leaves_nothing =
      found.fault == Fault::kByteOrderMark || (found.fault == Fault::kCarriageReturn && at_end);
  return leaves_nothing ? "" : " ";
}

}  // namespace

FaultPolicy LinePolicies::of(Fault fault) const {
  switch (fault) {
    case Fault::kNul:
      return nul;
    case Fault::kInvalidUtf8:
      return invalid_utf8;
    case Fault::kByteOrderMark:
      return byte_order_mark;
    case Fault::kCarriageReturn:
      return carriage_return;
    case Fault::kLineSeparator:
      return line_separator;
    case Fault::kControlCharacter:
      return control_character;
    default:
      throw InternalError("LinePolicies: no fault of a line by itself");
  }
}

LinePolicies LinePolicies::with(FaultPolicy before, FaultPolicy now) const {
  LinePolicies changed = *this;
  for (FaultPolicy* policy :
       {&changed.nul, &changed.invalid_utf8, &changed.byte_order_mark, &changed.carriage_return,
        &changed.line_separator, &changed.control_character}) {
    if (*policy == before) *policy = now;
  }
  return changed;
}

LinePolicies LinePolicies::only_text() {
  return LinePolicies().with(FaultPolicy::kReplace, FaultPolicy::kKeep);
}

LineFaults::LineFaults(std::string_view line) : LineFaults() {
  for_stretches(
      line,
      [&](std::string_view text, size_t begin) {
        for (size_t i = 0; i < text.size(); ++i) {
          if (const auto found = faulty_character(text.substr(i))) note(found->fault, begin + i);
        }
      },
      [&](size_t byte) { note(Fault::kInvalidUtf8, byte); });
}

void LineFaults::note(Fault fault, size_t byte) {
  any_ = true;
  size_t& first = first_[number(fault)];
  first = std::min(first, byte);
}

void mend_line(std::string& line, const LinePolicies& policies) {
  std::string mended;
  const auto is_replaced = [&](Fault fault) { return policies.of(fault) == FaultPolicy::kReplace; };
  for_stretches(
      line,
      [&](std::string_view text, size_t begin) {
        for (size_t i = 0; i < text.size();) {
          const auto found = faulty_character(text.substr(i));
          const size_t bytes = found ? found->bytes : 1;
          if (found && is_replaced(found->fault)) {
            mended += replacement(*found, begin + i + bytes == line.size());
          } else {
            mended += text.substr(i, bytes);
          }
          i += bytes;
        }
      },
      [&](size_t byte) {
        if (is_replaced(Fault::kInvalidUtf8)) {
          mended += "\uFFFD";
        } else {
          mended += line[byte];
        }
      });
  line = std::move(mended);
}

}  // namespace calque
