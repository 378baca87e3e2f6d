#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/data_options.h"
#include "text/text_files.h"
#include "text/tokenizer.h"

namespace calque {

/// Two lines that belong together, mended as the policies say.
struct TextPair {
  std::string source_line;
  std::string target_line;
  TextPlace source_place;
  TextPlace target_place;
  LineFaults source_faults;  // before they were mended
  LineFaults target_faults;
  std::vector<int32_t> source;  // pieces
  std::vector<int32_t> target;
};

/// Reads parallel text pair by pair. Where both sides have as many files, line n of a file goes
/// with line n of the file across, also when other files have lines too many.
class PairReader {
 public:
  PairReader(const ParallelFiles& files, const LinePolicies& policies);

  /// Fills the lines of `pair`, its places and faults. False behind the last pair.
  bool next(TextPair& pair);

 private:
  std::vector<ParallelFiles> parts_;  // line n of a part goes with line n of its other side
  LinePolicies policies_;
  size_t next_part_ = 0;
  std::optional<TextFiles> source_;
  std::optional<TextFiles> target_;
};

/// Some pairs on their way through the tokenizers; its memory is used again and again.
class PairBlock {
 public:
  PairBlock() : pairs_(kPairs) {}

  /// Reads the next pairs; false when there are none.
  bool read(PairReader& reader);
  /// Fills `source` and `target` of the pairs, on all threads.
  void tokenize(const TokenizerPair& tokenizers);
  /// The same without a vocabulary: every word between spaces is an unknown piece.
  void count_words();

  std::span<TextPair> pairs() { return std::span(pairs_).first(size_); }

 private:
  static constexpr size_t kPairs = 4096;
  static constexpr size_t kPairsPerTask = 64;
  std::vector<TextPair> pairs_;
  size_t size_ = 0;
};

}  // namespace calque
