#include "cli/scoring.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/stopwatch.h"
#include "base/version.h"
#include "text/text_files.h"

namespace calque {

ScoredText read_scored_text(const std::string& path) {
  ScoredText text{path, {}};
  TextFiles file({path});
  for (std::string line; file.next(line);) text.lines.push_back(line);
  return text;
}

void check_line_counts(std::span<const ScoredText> texts) {
  const ScoredText& first = texts.front();
  for (const ScoredText& other : texts) {
    if (other.lines.size() == first.lines.size()) continue;
    throw UserError(fmt::format(
        "{} has {} lines but {} has {}; line n of one must belong to line n of the other",
        first.path, format_count(static_cast<long long>(first.lines.size())), other.path,
        format_count(static_cast<long long>(other.lines.size()))));
  }
  if (first.lines.empty()) {
    throw UserError(fmt::format("{} is empty: there is nothing to score", first.path));
  }
}

std::string score_report(const BleuScore& score, int references, BleuTokenizer tokenizer) {
  return fmt::format("{}\nsignature: {}\n", format_bleu(score),
                     bleu_signature(references, tokenizer, fmt::format("calque-{}", kVersion)));
}

}  // namespace calque
