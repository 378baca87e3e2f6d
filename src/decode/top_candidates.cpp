#include "decode/top_candidates.h"

#include <algorithm>

namespace calque {

bool Candidate::better_than(const Candidate& other) const {
  if (log_probability != other.log_probability) return log_probability > other.log_probability;
  return row != other.row ? row < other.row : token < other.token;
}

void top_candidates(const Real* first, int64_t vocab, std::span<const double> hypotheses,
                    int64_t wanted, std::vector<Candidate>& best) {
  best.clear();
  const auto better = [](const Candidate& a, const Candidate& b) { return a.better_than(b); };
  for (size_t row = 0; row < hypotheses.size(); ++row) {
    const Real* log_probabilities = first + static_cast<int64_t>(row) * vocab;
    for (int64_t token = 0; token < vocab; ++token) {
      const Candidate candidate{hypotheses[row] + static_cast<double>(log_probabilities[token]),
                                static_cast<int32_t>(row), static_cast<int32_t>(token)};
      const bool full = static_cast<int64_t>(best.size()) == wanted;
      if (full && !candidate.better_than(best.back())) continue;
      if (full) best.pop_back();
      best.insert(std::upper_bound(best.begin(), best.end(), candidate, better), candidate);
    }
  }
}

}  // namespace calque
