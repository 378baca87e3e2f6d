#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace calque {

/// Lines of text as pieces, bounded, so that no line can take all memory.
class LineEncoder {
 public:
  /// Keeps a reference to `tokenizer`. `most_pieces`: what is longer is cut. `purpose` says in
  /// warnings what is done with the rest: "translated".
  LineEncoder(const Tokenizer& tokenizer, int64_t most_pieces, std::string purpose);

  /// The pieces of a line; none when it has no text. `number` names it in the warning when it is
  /// cut.
  std::vector<int32_t> encode(const std::string& line, int64_t number) const;

  /// The same without losing anything: the pieces of each part of the line, cut where possible
  /// behind punctuation, else between words. None when it has no text.
  std::vector<std::vector<int32_t>> encode_in_parts(const std::string& line, int64_t number) const;

 private:
  const Tokenizer& tokenizer_;
  int64_t most_pieces_;
  std::string purpose_;

  /// Where the first part of a line ends that is too long.
  std::ptrdiff_t part_end(std::span<const int32_t> ids) const;
};

}  // namespace calque
