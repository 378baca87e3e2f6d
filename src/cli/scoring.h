#pragma once

#include <string>
#include <vector>

#include "metrics/bleu.h"

namespace calque {

/// Text files that go together line by line, for a metric.
struct ScoredText {
  std::string name;  // for messages
  std::vector<std::string> lines;
};

/// All lines of files (plain or gzip; "-" is standard input), which go together line by line.
/// Throws UserError when one cannot be read, is not UTF-8, or is standard input a second time; when
/// they have unequal numbers of lines, naming two that differ; and when they have none.
std::vector<ScoredText> read_scored_texts(const std::vector<std::string>& paths);

/// The score and its signature, each on a line of its own.
std::string score_report(const BleuScore& score, int references, BleuTokenizer tokenizer);

}  // namespace calque
