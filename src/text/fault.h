#pragma once

#include <cstddef>

namespace calque {

/// What can be wrong with parallel text.
enum class Fault {
  // of a line, whatever stands on the other side
  kNul,
  kInvalidUtf8,
  kByteOrderMark,
  kCarriageReturn,
  kLineSeparator,  // U+0085, U+2028, U+2029: ends of lines to other programs, not to Calque
  kControlCharacter,
  // of a pair of lines
  kEmptySource,
  kEmptyTarget,
  kEmptyBoth,
  kSourceTooLong,
  kTargetTooLong,
  kLengthRatio,
  kCopy,
  // of a pair among others; only `calque check-data` looks for these
  kDuplicate,
  kInTraining,
};
inline constexpr size_t kLineFaults = 6;
inline constexpr size_t kFaults = 15;

/// The fault of this number.
constexpr Fault fault(size_t number) { return static_cast<Fault>(number); }
constexpr size_t number(Fault fault) { return static_cast<size_t>(fault); }

/// What is done about a fault.
enum class FaultPolicy {
  kError,     // refuse to start, naming file and line
  kSkip,      // leave the pair out
  kReplace,   // put other characters in their place
  kTruncate,  // cut the sentence
  kKeep,      // count it and say so
};

/// A fault in words.
struct FaultWords {
  const char* name;   // "empty_source": for programs
  const char* key;    // of the config that holds its policy: "empty" is data.empty
  const char* which;  // behind a number: "with an empty source"
  const char* mend;   // what to do about it: "mend these lines"
};
const FaultWords& words(Fault fault);

}  // namespace calque
