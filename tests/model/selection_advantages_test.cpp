#include "model/selection_advantages.h"

#include <vector>

#include "support/catch.h"

namespace calque {
namespace {

TEST_CASE("a selection answers for the costs from its row on, one of the source for all",
          "[model]") {
  SequenceLayoutBuffer source, target;
  for (const int64_t length : {2, 3, 1}) source.append(length);
  for (const int64_t length : {3, 1, 2}) target.append(length);
  Arena arena;
  SelectionAdvantages advantages(arena, source.view(), target.view());
  const std::vector<Real> log_probabilities{-4, -0.5, -2, -8, -1, -3};
  advantages.fill(log_probabilities, 1.5);
  const auto values = [](std::span<const Real> span) {
    return std::vector<Real>(span.begin(), span.end());
  };
  CHECK(values(advantages.target()) == std::vector<Real>{2, -0.5, 0.5, 6.5, 1, 1.5});
  CHECK(values(advantages.source()) == std::vector<Real>{2, 2, 6.5, 6.5, 6.5, 1});
}

}  // namespace
}  // namespace calque
