#include "decode/top_candidates.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "kernels/softmax.h"
#include "support/catch.h"

namespace calque {
namespace {

struct Case {
  int64_t vocab;
  std::vector<double> hypotheses;
  std::vector<Real> logits;  // [rows, vocab]

  /// `levels`: how many different numbers there are, so that ties occur.
  Case(int64_t rows, int64_t v, uint64_t levels) : vocab(v) {
    const RandomKey key{levels, 0, 0};
    uint64_t draws = 0;
    const auto draw = [&] {
      return -static_cast<double>(random_u64(key, draws++) % levels) / 4;  // exact in float
    };
    for (int64_t r = 0; r < rows; ++r) hypotheses.push_back(draw());
    for (int64_t i = 0; i < rows * vocab; ++i) logits.push_back(static_cast<Real>(draw()));
  }

  int64_t rows() const { return std::ssize(hypotheses); }
  MatrixView<const Real> view() const { return {logits.data(), rows(), vocab}; }

  /// All candidates of the rows from `first` on, by sorting.
  std::vector<Candidate> sorted(int64_t first) const {
    std::vector<Real> log_probabilities = logits;
    kernels::log_softmax<Real>({log_probabilities.data(), rows(), vocab});
    std::vector<Candidate> all;
    for (int64_t row = first; row < rows(); ++row) {
      for (int32_t token = 0; token < vocab; ++token) {
        const auto log_probability =
            static_cast<double>(log_probabilities[static_cast<size_t>(row * vocab + token)]);
        all.push_back({hypotheses[static_cast<size_t>(row)] + log_probability,
                       static_cast<int32_t>(row - first), token});
      }
    }
    // Stable: rows and tokens already stand in the order that ties are to have.
    std::ranges::stable_sort(all, std::greater<>(), &Candidate::log_probability);
    return all;
  }
};

bool same(const Candidate& a, const Candidate& b) {
  return a.log_probability == b.log_probability && a.row == b.row && a.token == b.token;
}

TEST_CASE("the top candidates are what sorting all of them gives, ties included", "[decode]") {
  const int64_t rows = GENERATE(1, 2, 7);
  const int64_t vocab = GENERATE(1, 5, 128, 300);
  const uint64_t levels = GENERATE(1, 3, 1000000);
  const Case c(rows, vocab, levels);
  Arena arena;
  const ScoredRows scored = score_rows(c.view(), arena);
  for (const int64_t first : {int64_t{0}, rows - 1}) {
    const std::vector<Candidate> all = c.sorted(first);
    std::vector<Candidate> best(3);  // cleared first
    for (const int64_t wanted : {1, 2, 10, 5000}) {
      top_candidates(scored, first, std::span(c.hypotheses).subspan(static_cast<size_t>(first)),
                     wanted, best);
      REQUIRE(best.size() == std::min(all.size(), static_cast<size_t>(wanted)));
      CHECK(std::equal(best.begin(), best.end(), all.begin(), same));
    }
  }
}

TEST_CASE("no hypothesis gives no candidate", "[decode]") {
  const Case c(2, 5, 3);
  Arena arena;
  std::vector<Candidate> best(3);
  top_candidates(score_rows(c.view(), arena), 0, {}, 4, best);
  CHECK(best.empty());
}

}  // namespace
}  // namespace calque
