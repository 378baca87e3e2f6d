#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/real.h"

namespace calque {

/// A way to go on from one live hypothesis of a sentence.
struct Candidate {
  double log_probability = 0;  // of the hypothesis with this token
  int32_t row = 0;             // which hypothesis, counted inside its sentence
  int32_t token = 0;

  /// Best first; ties go to the earlier row, then the lower token, so the order is unique.
  bool better_than(const Candidate& other) const;
};

/// The `wanted` best continuations over all hypotheses of a sentence, best first, without sorting
/// the vocabulary. log_probabilities: of row r, `vocab` numbers from `first + r * vocab`;
/// hypotheses: [rows], the log-probability of each so far. `best` is cleared first.
void top_candidates(const Real* first, int64_t vocab, std::span<const double> hypotheses,
                    int64_t wanted, std::vector<Candidate>& best);

}  // namespace calque
