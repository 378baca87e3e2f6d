#include "cli/scoring.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/stopwatch.h"
#include "base/version.h"
#include "text/text_files.h"

namespace calque {

namespace {

void check_line_counts(const std::vector<ScoredText>& texts) {
  const ScoredText& first = texts.front();
  for (const ScoredText& other : texts) {
    if (other.lines.size() == first.lines.size()) continue;
    throw UserError(
        fmt::format("{} has {} but {} has {}; line n of one must belong to line n of the other",
                    first.name, format_count(std::ssize(first.lines), "line"), other.name,
                    format_count(std::ssize(other.lines))));
  }
  if (first.lines.empty()) {
    throw UserError(fmt::format("{} is empty: there is nothing to score", first.name));
  }
}

}  // namespace

std::vector<ScoredText> read_scored_texts(const std::vector<std::string>& paths) {
  if (std::ranges::count(paths, "-") > 1) {
    throw UserError("standard input (-) can be read once only; name files for the others");
  }
  std::vector<ScoredText> texts;
  for (const std::string& path : paths) {
    texts.push_back({path == "-" ? "standard input" : path, {}});
    TextFiles file({path});
    for (std::string line; file.next(line);) texts.back().lines.push_back(line);
  }
  check_line_counts(texts);
  return texts;
}

std::string score_report(const BleuScore& score, int references, BleuTokenizer tokenizer) {
  return fmt::format("{}\nsignature: {}\n", format_bleu(score),
                     bleu_signature(references, tokenizer, fmt::format("calque-{}", kVersion)));
}

}  // namespace calque
