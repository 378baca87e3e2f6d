#pragma once

#include <span>
#include <string>
#include <vector>

#include "metrics/bleu.h"

namespace calque {

/// Text files that go together line by line, for a metric.
struct ScoredText {
  std::string path;
  std::vector<std::string> lines;
};

/// All lines of a file (plain or gzip; "-" is standard input). Throws UserError when it cannot be
/// read or is not UTF-8.
ScoredText read_scored_text(const std::string& path);

/// Throws UserError when the files have unequal numbers of lines, naming two that differ, or none.
void check_line_counts(std::span<const ScoredText> texts);

/// The score and its signature, each on a line of its own.
std::string score_report(const BleuScore& score, int references, BleuTokenizer tokenizer);

}  // namespace calque
