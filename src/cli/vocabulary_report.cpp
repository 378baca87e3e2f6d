#include "cli/vocabulary_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/stopwatch.h"
#include "cli/help_formatter.h"

namespace calque {
namespace {

constexpr int64_t kPiecesShown = 24;

std::string describe_one(const char* name, const Tokenizer& tokenizer) {
  std::string text =
      fmt::format("{}: {} pieces, {}\n", name, format_count(tokenizer.size()), tokenizer.type());
  const std::vector<std::string> pieces = first_pieces(tokenizer, kPiecesShown);
  for (const std::string& line : wrap_text(fmt::format("{} ...", fmt::join(pieces, " ")), 78)) {
    text += fmt::format("  {}\n", line);
  }
  return text;
}

}  // namespace

std::vector<std::string> first_pieces(const Tokenizer& tokenizer, int64_t count) {
  std::vector<std::string> pieces;
  for (int32_t id = 0; id < std::min(count, tokenizer.size()); ++id) {
    pieces.push_back(tokenizer.piece(id));
  }
  return pieces;
}

std::string describe_vocabulary(const TokenizerPair& tokenizers) {
  if (tokenizers.shared()) {
    return describe_one("joint vocabulary", tokenizers.source());
  }
  return describe_one("source vocabulary", tokenizers.source()) +
         describe_one("target vocabulary", tokenizers.target());
}

}  // namespace calque
