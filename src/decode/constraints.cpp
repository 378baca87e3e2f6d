#include "decode/constraints.h"

#include <algorithm>
#include <limits>

#include "text/special_ids.h"

namespace calque {
namespace {

constexpr Real kNever = -std::numeric_limits<Real>::infinity();

/// Whatever followed an earlier occurrence of the last `n` - 1 tokens.
void rule_out_repeats(size_t n, std::span<const int32_t> history, std::span<Real> logits) {
  if (history.size() < n) return;
  const auto last = history.last(n - 1);
  for (size_t begin = 0; begin + n <= history.size(); ++begin) {
    if (std::ranges::equal(history.subspan(begin, n - 1), last)) {
      logits[static_cast<size_t>(history[begin + n - 1])] = kNever;
    }
  }
}

}  // namespace

void rule_out(const ConstraintOptions& options, std::span<const int32_t> history,
              std::span<const int32_t> prefix, std::span<Real> logits) {
  if (history.size() < prefix.size()) {
    const auto forced = static_cast<size_t>(prefix[history.size()]);
    const Real logit = logits[forced];
    std::ranges::fill(logits, kNever);
    logits[forced] = logit;
    return;
  }
  const Real end = logits[kEndId];
  if (std::ssize(history) + 1 < options.min_length) logits[kEndId] = kNever;
  if (!options.allow_unknown) logits[kUnknownId] = kNever;
  if (options.no_repeat_ngram > 0) {
    rule_out_repeats(static_cast<size_t>(options.no_repeat_ngram), history, logits);
  }
  const bool nothing_left =
      logits[kEndId] == kNever && std::ranges::all_of(logits, [](Real x) { return x == kNever; });
  if (nothing_left) logits[kEndId] = end;
}

}  // namespace calque
