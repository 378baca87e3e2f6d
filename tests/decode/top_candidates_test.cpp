#include "decode/top_candidates.h"

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "support/catch.h"

namespace calque {
namespace {

struct Case {
  int64_t vocab;
  std::vector<double> hypotheses;
  std::vector<Real> log_probabilities;  // [rows, vocab]

  /// `levels`: how many different numbers there are, so that ties occur.
  Case(int64_t rows, int64_t v, uint64_t levels) : vocab(v) {
    const RandomKey key{levels, 0, 0};
    uint64_t draws = 0;
    const auto draw = [&] {
      return -static_cast<double>(random_u64(key, draws++) % levels) / 4;  // exact in float
    };
    for (int64_t r = 0; r < rows; ++r) hypotheses.push_back(draw());
    for (int64_t i = 0; i < rows * vocab; ++i) {
      log_probabilities.push_back(static_cast<Real>(draw()));
    }
  }

  /// All candidates, by sorting.
  std::vector<Candidate> sorted() const {
    std::vector<Candidate> all;
    for (size_t row = 0; row < hypotheses.size(); ++row) {
      for (int32_t token = 0; token < vocab; ++token) {
        const size_t place = row * static_cast<size_t>(vocab) + static_cast<size_t>(token);
        all.push_back({hypotheses[row] + static_cast<double>(log_probabilities[place]),
                       static_cast<int32_t>(row), token});
      }
    }
    // Stable: rows and tokens already stand in the order that ties are to have.
    std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
      return a.log_probability > b.log_probability;
    });
    return all;
  }
};

bool same(const Candidate& a, const Candidate& b) {
  return a.log_probability == b.log_probability && a.row == b.row && a.token == b.token;
}

TEST_CASE("the top candidates are what sorting all of them gives, ties included", "[decode]") {
  const int64_t rows = GENERATE(1, 2, 7);
  const int64_t vocab = GENERATE(1, 5, 300);
  const uint64_t levels = GENERATE(1, 3, 1000000);
  const Case c(rows, vocab, levels);
  const std::vector<Candidate> all = c.sorted();
  std::vector<Candidate> best(3);  // cleared first
  for (const int64_t wanted : {1, 2, 10, 5000}) {
    top_candidates(c.log_probabilities.data(), vocab, c.hypotheses, wanted, best);
    REQUIRE(best.size() == std::min(all.size(), static_cast<size_t>(wanted)));
    CHECK(std::equal(best.begin(), best.end(), all.begin(), same));
  }
}

TEST_CASE("no hypothesis gives no candidate", "[decode]") {
  std::vector<Candidate> best(3);
  top_candidates(nullptr, 5, {}, 4, best);
  CHECK(best.empty());
}

}  // namespace
}  // namespace calque
