#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/drop_report.h"
#include "data/pair_block.h"

namespace calque {

/// Parallel text that is looked through without being trained on, and what was found.
struct TextCheck {
  std::string name;  // "train"
  ParallelFiles files;
  std::vector<int64_t> source_lines;  // of each file
  std::vector<int64_t> target_lines;
  std::string unequal_lines;  // what is wrong with these numbers, or ""
  DropReport report;

  /// Pairs of lines.
  int64_t pairs() const;
  /// Where a side of the pair stands, counted from 0.
  TextPlace source_place(int64_t pair) const;
};

/// How texts are checked.
struct CheckOptions {
  DataOptions data;
  const TokenizerPair* tokenizers = nullptr;  // null: lengths are in words
  size_t examples = DropReport::kExamples;    // places noted of each fault
  /// Called with each pair that a training would keep, mended.
  std::function<void(const TextPair&)> keep = [](const TextPair&) {};
};

/// Counts in each of `texts` what a training with these options would count, by the same code, and
/// besides the pairs that occur more than once and, from the second text on, those that the first
/// one has too. What a training would refuse is counted, not thrown. Memory is bounded: what it
/// takes to tokenise some thousand lines, and about 256 MiB to find repeated pairs (more only where
/// one and the same pair makes up much of a text that large). These are told by 64-bit hashes of
/// both lines; where there are more pairs than fit, 16 million, the text is read several times,
/// each time for a part of all hashes. Throws UserError when a file cannot be read, and
/// StoppedBySignal.
void check_texts(std::vector<TextCheck>& texts, const CheckOptions& options);

}  // namespace calque
