#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/arena.h"
#include "tensor/matrix_view.h"
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

/// Rows of logits as log-probabilities, which are not written down: most are never asked for.
struct ScoredRows {
  MatrixView<const Real> logits;   // [rows, vocab]
  const Real* log_sums;            // [rows]: log of the sum of exp(logits)
  MatrixView<const Real> highest;  // [rows, blocks]: the largest logit of each block of tokens

  Real log_probability(int64_t row, int64_t token) const {
    return logits.row(row)[token] - log_sums[row];
  }
};

/// Goes over the logits, on all threads. What it adds lies in `arena`.
ScoredRows score_rows(MatrixView<const Real> logits, Arena& arena);

/// The `wanted` best continuations over all hypotheses of a sentence, best first, without sorting
/// the vocabulary. hypotheses: [rows], the log-probability so far of each row from `first_row` on.
/// `best` is cleared first.
void top_candidates(const ScoredRows& rows, int64_t first_row, std::span<const double> hypotheses,
                    int64_t wanted, std::vector<Candidate>& best);

}  // namespace calque
