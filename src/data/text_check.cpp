#include "data/text_check.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "base/error.h"
#include "base/progress.h"
#include "data/pair_checks.h"
#include "data/repeats.h"

namespace calque {
namespace {

/// Lines of each pair of files, or of all when the sides have unequal numbers of files.
std::vector<int64_t> pairs_of_parts(const TextCheck& text) {
  std::vector<int64_t> pairs;
  if (text.source_lines.size() == text.target_lines.size()) {
    std::ranges::transform(text.source_lines, text.target_lines, std::back_inserter(pairs),
                           [](int64_t source, int64_t target) { return std::min(source, target); });
  } else {
    pairs = text.source_lines;
  }
  return pairs;
}

void count_lines(TextCheck& text, const LinePolicies& policies) {
  text.source_lines = survey_text(text.files.source, policies).lines;
  text.target_lines = survey_text(text.files.target, policies).lines;
  try {
    check_equal_lines(text.files.source, text.source_lines, text.files.target, text.target_lines);
  } catch (const UserError& error) {
    text.unequal_lines = error.what();
  }
}

void check_pairs(TextCheck& text, const CheckOptions& options) {
  PairReader reader(text.files, options.data.without_errors().lines);
  PairChecks checks(options.data, options.examples);
  Progress progress("checking " + text.name, text.pairs(), "pairs");
  for (PairBlock block; block.read(reader); progress.update_or_stop(checks.report().read)) {
    if (options.tokenizers != nullptr) {
      block.tokenize(*options.tokenizers);
    } else {
      block.count_words();
    }
    for (TextPair& pair : block.pairs()) {
      if (checks.keep(pair)) options.keep(pair);
    }
  }
  progress.finish();
  text.report = checks.finish();
}

}  // namespace

int64_t TextCheck::pairs() const {
  const std::vector<int64_t> parts = pairs_of_parts(*this);
  return std::accumulate(parts.begin(), parts.end(), int64_t{0});
}

TextPlace TextCheck::source_place(int64_t pair) const {
  const std::vector<int64_t> parts = pairs_of_parts(*this);
  size_t part = 0;
  while (pair >= parts[part]) pair -= parts[part++];
  return {files.source[part], pair + 1};
}

void check_texts(std::vector<TextCheck>& texts, const CheckOptions& options) {
  const LinePolicies policies = options.data.without_errors().lines;
  for (TextCheck& text : texts) count_lines(text, policies);
  for (TextCheck& text : texts) check_pairs(text, options);
  count_repeats(texts, policies, options.examples);
}

}  // namespace calque
