#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "text/fault.h"

namespace calque {

/// What is done about each fault of a line by itself. The defaults are those of `data.*`.
struct LinePolicies {
  FaultPolicy nul = FaultPolicy::kError;
  FaultPolicy invalid_utf8 = FaultPolicy::kError;
  FaultPolicy byte_order_mark = FaultPolicy::kReplace;
  FaultPolicy carriage_return = FaultPolicy::kReplace;
  FaultPolicy line_separator = FaultPolicy::kReplace;
  FaultPolicy control_character = FaultPolicy::kReplace;

  FaultPolicy of(Fault fault) const;
  /// The same with `now` wherever it says `before`.
  LinePolicies with(FaultPolicy before, FaultPolicy now) const;
  /// For text that is taken as it stands, as long as it is text.
  static LinePolicies only_text();
};

/// The faults that a line has by itself.
class LineFaults {
 public:
  /// Looks through a line without its '\n'. A tab is a space, not a control character.
  explicit LineFaults(std::string_view line);
  LineFaults() { first_.fill(kNone); }

  bool any() const { return any_; }
  bool has(Fault fault) const { return first_[number(fault)] != kNone; }
  /// Where the first one begins, as a byte of the line counted from 0.
  size_t byte(Fault fault) const { return first_[number(fault)]; }

 private:
  static constexpr size_t kNone = std::string_view::npos;
  std::array<size_t, kLineFaults> first_;
  bool any_ = false;

  void note(Fault fault, size_t byte);
};

/// Replaces what `policies` want replaced: a byte order mark and a carriage return at the end by
/// nothing, bytes that are not UTF-8 by U+FFFD, all else by a space.
void mend_line(std::string& line, const LinePolicies& policies);

}  // namespace calque
