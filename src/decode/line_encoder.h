#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace calque {

/// The most tokens of a line, its end counted, and what allows no more, in the words of a warning.
struct LengthBound {
  int64_t tokens;
  std::string reason;  // "the model has positions for"
};

/// The least of what bounds a line: the model's `positions`, the config's validation.max_length,
/// and what was `asked_for`.
LengthBound length_bound(int64_t positions, int64_t max_length,
                         int64_t asked_for = std::numeric_limits<int64_t>::max());

/// A line of text, or a part of it, as pieces.
struct EncodedLine {
  std::vector<int32_t> ids;    // without begin and end
  std::vector<size_t> begins;  // the byte of the line at which each piece begins
};

/// Lines of text as pieces, bounded, so that no line can take all memory.
class LineEncoder {
 public:
  /// Keeps a reference to `tokenizer`. Beyond `bound` a line is cut, with a warning that says what
  /// is done with the rest of it, `purpose` ("translated"), and ends in `advice`.
  LineEncoder(const Tokenizer& tokenizer, LengthBound bound, std::string purpose,
              std::string advice = "split it into sentences");

  /// The pieces of a line; none when it has no text. `place` names it in warnings: "line 3".
  EncodedLine encode(const std::string& line, const std::string& place) const;

  /// The same without losing anything: the pieces of each part of the line, cut where possible
  /// behind punctuation, else between words. None when it has no text.
  std::vector<EncodedLine> encode_in_parts(const std::string& line, const std::string& place) const;

 private:
  const Tokenizer& tokenizer_;
  LengthBound bound_;
  int64_t most_pieces_;
  std::string purpose_;
  std::string advice_;

  EncodedLine encode_all(std::string_view text) const;
  /// Where the part of a line ends that begins with piece `begin`.
  size_t part_end(std::string_view line, const EncodedLine& whole, size_t begin) const;
};

}  // namespace calque
