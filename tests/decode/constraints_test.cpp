#include "decode/constraints.h"

#include <cmath>
#include <vector>

#include "support/catch.h"
#include "text/special_ids.h"

namespace calque {
namespace {

using Tokens = std::vector<int32_t>;

/// Which of eight tokens are left.
Tokens left(const ConstraintOptions& options, const Tokens& history, const Tokens& prefix = {}) {
  std::vector<Real> logits{0, 1, 2, 3, 4, 5, 6, 7};
  rule_out(options, history, prefix, logits);
  Tokens tokens;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isinf(logits[i])) {
      CHECK(logits[i] < 0);
    } else {
      CHECK(logits[i] == static_cast<Real>(i));
      tokens.push_back(static_cast<int32_t>(i));
    }
  }
  return tokens;
}

TEST_CASE("without constraints everything is left", "[decode]") {
  CHECK_FALSE(ConstraintOptions().any());
  CHECK(left({}, {5, 5, 5}) == Tokens{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("the end is ruled out where the translation would be too short", "[decode]") {
  CHECK(left({.min_length = 3}, {5}) == Tokens{0, 1, 3, 4, 5, 6, 7});
  CHECK(left({.min_length = 3}, {5, 5}) == Tokens{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("the unknown piece is ruled out", "[decode]") {
  CHECK(left({.allow_unknown = false}, {}) == Tokens{1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("what would repeat an n-gram is ruled out", "[decode]") {
  CHECK(left({.no_repeat_ngram = 1}, {3, 5}) == Tokens{0, 1, 2, 4, 6, 7});
  CHECK(left({.no_repeat_ngram = 2}, {3}) == Tokens{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(left({.no_repeat_ngram = 2}, {3, 3}) == Tokens{0, 1, 2, 4, 5, 6, 7});
  CHECK(left({.no_repeat_ngram = 2}, {3, 4, 3, 5, 3}) == Tokens{0, 1, 2, 3, 6, 7});
  CHECK(left({.no_repeat_ngram = 3}, {3, 4, 5, 3, 4}) == Tokens{0, 1, 2, 3, 4, 6, 7});
  CHECK(left({.no_repeat_ngram = 9}, {3, 3, 3}) == Tokens{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("inside the prefix its next token alone is left, whatever else is asked", "[decode]") {
  const ConstraintOptions strict{.min_length = 9, .no_repeat_ngram = 1, .allow_unknown = false};
  CHECK(left(strict, {}, {kUnknownId, 4}) == Tokens{kUnknownId});
  CHECK(left(strict, {4}, {4, 4}) == Tokens{4});
  CHECK(left({}, {4, 4}, {4, 4}) == Tokens{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("the end is left where nothing else is", "[decode]") {
  const ConstraintOptions strict{.min_length = 20, .no_repeat_ngram = 1};
  CHECK(left(strict, {0, 1, 3, 4, 5, 6}) == Tokens{7});
  CHECK(left(strict, {0, 1, 3, 4, 5, 6, 7}) == Tokens{kEndId});
}

}  // namespace
}  // namespace calque
