#include "text/fault.h"

#include <array>

namespace calque {

const FaultWords& words(Fault fault) {
  static constexpr std::array<FaultWords, kFaults> kWords{{
      {"nul", "nul", "with a zero byte",
       "convert the file, if it is UTF-16 with iconv -f UTF-16 -t UTF-8"},
      {"invalid_utf8", "invalid_utf8", "with bytes that are not UTF-8",
       "convert the file, for example with iconv -f ISO-8859-1 -t UTF-8"},
      {"byte_order_mark", "byte_order_mark", "with a byte order mark", "remove it"},
      {"carriage_return", "carriage_return", "with a carriage return",
       "convert the ends of the lines, for example with dos2unix"},
      {"line_separator", "line_separator", "with U+0085, U+2028 or U+2029",
       "put spaces in their place"},
      {"control_character", "control_character", "with a control character",
       "remove these characters"},
      {"empty_source", "empty", "with an empty source", "mend these lines"},
      {"empty_target", "empty", "with an empty target", "mend these lines"},
      {"empty_both", "empty", "with both sides empty", "remove these lines"},
      {"source_too_long", "too_long", "with too long a source", "raise data.max_length"},
      {"target_too_long", "too_long", "with too long a target", "raise data.max_length"},
      {"length_ratio", "length_ratio", "with lengths too far apart", "raise data.max_length_ratio"},
      {"copy", "copy", "with a target equal to the source", "translate these lines"},
      {"duplicate", "", "that occurred before", "remove these lines"},
      {"in_training", "", "found in the training text too", "remove them from one of the two"},
  }};
  return kWords[number(fault)];
}

}  // namespace calque
