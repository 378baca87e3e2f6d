#include "decode/top_candidates.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "kernels/ranges.h"
#include "kernels/row_math.h"

namespace calque {
namespace {

/// Tokens of a block: a few vectors, and seldom more than one that matters.
constexpr int64_t kBlock = 128;

}  // namespace

bool Candidate::better_than(const Candidate& other) const {
  if (log_probability != other.log_probability) return log_probability > other.log_probability;
  return row != other.row ? row < other.row : token < other.token;
}

ScoredRows score_rows(MatrixView<const Real> logits, Arena& arena) {
  const int64_t vocab = logits.cols;
  const int64_t blocks = kernels::pieces(vocab, kBlock);
  Real* const log_sums = arena.allocate<Real>(logits.rows);
  const MatrixView<Real> highest{arena.allocate<Real>(logits.rows * blocks), logits.rows, blocks};
  parallel_rows(logits.rows, vocab, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      const Real* const row = logits.row(r);
      Real* const of_blocks = highest.row(r);
      for (int64_t b = 0; b < blocks; ++b) {
        of_blocks[b] = kernels::row_max(row + b * kBlock, std::min(kBlock, vocab - b * kBlock));
      }
      const Real shift = *std::max_element(of_blocks, of_blocks + blocks);
      log_sums[r] = shift + static_cast<Real>(std::log(kernels::sum_of_exp(row, vocab, shift)));
    }
  });
  return {logits, log_sums, highest};
}

void top_candidates(const ScoredRows& rows, int64_t first_row, std::span<const double> hypotheses,
                    int64_t wanted, std::vector<Candidate>& best) {
  best.clear();
  const auto better = [](const Candidate& a, const Candidate& b) { return a.better_than(b); };
  const auto offer = [&](const Candidate& candidate) {
    if (std::ssize(best) == wanted) {
      if (!candidate.better_than(best.back())) return;
      best.pop_back();
    }
    best.insert(std::ranges::upper_bound(best, candidate, better), candidate);
  };
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    const int64_t row = first_row + static_cast<int64_t>(i);
    for (int64_t b = 0; b < rows.highest.cols; ++b) {
      // Rounding keeps the order: no token of a block has a higher log-probability than this.
      const double at_most =
          hypotheses[i] + static_cast<double>(rows.highest.row(row)[b] - rows.log_sums[row]);
      if (std::ssize(best) == wanted && at_most <= best.back().log_probability) continue;
      for (int64_t token = b * kBlock; token < std::min((b + 1) * kBlock, rows.logits.cols);
           ++token) {
        offer({hypotheses[i] + static_cast<double>(rows.log_probability(row, token)),
               static_cast<int32_t>(i), static_cast<int32_t>(token)});
      }
    }
  }
}

}  // namespace calque
