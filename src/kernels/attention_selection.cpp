#include "kernels/attention_selection.h"

#include <cmath>
#include <limits>

namespace calque::kernels {
namespace {

/// values[row, query] = change(value, e) with e from the exponential distribution, -log(u).
template <class T, class Change>
void change_by_exponentials(const HardDraw& draw, const QueryBlock& block, uint32_t first_row,
                            uint32_t column, T* values, const Change& change) {
  constexpr double kUnit = 1.0 / 4294967296.0;
  for (int64_t row = 0; row < block.rows(); ++row) {
    T* const at = values + row * kBlock;
    for (int64_t query = 0; query < block.queries.count; query += 4) {
      const auto words = random_words(draw.key, first_row + static_cast<uint32_t>(row),
                                      column + static_cast<uint32_t>(query));
      for (int64_t i = query; i < std::min(query + 4, block.queries.count); ++i) {
        const double uniform = (words[static_cast<size_t>(i - query)] + 0.5) * kUnit;
        at[i] = static_cast<T>(change(static_cast<double>(at[i]), -std::log(uniform)));
      }
    }
  }
}

}  // namespace

template <class T>
void add_noise(const HardDraw& draw, const QueryBlock& block, uint32_t first_row, uint32_t column,
               T* scores) {
  change_by_exponentials(draw, block, first_row, column, scores, [&](double score, double e) {
    return (score - std::log(e)) / draw.temperature;
  });
}

template <class T>
void race(const HardDraw& draw, const QueryBlock& block, uint32_t first_row, uint32_t column,
          T* weights) {
  change_by_exponentials(draw, block, first_row, column, weights,
                         [](double weight, double e) { return weight / e; });
}

template <class T>
void select_highest(const QueryBlock& block, T* weights) {
  for (int64_t query = 0; query < block.queries.count; ++query) {
    int64_t best = 0;
    for (int64_t row = 1; row < block.rows(); ++row) {
      if (weights[row * kBlock + query] > weights[best * kBlock + query]) best = row;
    }
    // Weights that are no numbers choose nothing, and stay visible.
    const T chosen =
        weights[best * kBlock + query] > 0 ? T(1) : std::numeric_limits<T>::quiet_NaN();
    for (int64_t row = 0; row < block.rows(); ++row) {
      weights[row * kBlock + query] = row == best ? chosen : T(0);
    }
  }
}

#define CALQUE_INSTANTIATE(T)                                                          \
  template void add_noise(const HardDraw&, const QueryBlock&, uint32_t, uint32_t, T*); \
  template void race(const HardDraw&, const QueryBlock&, uint32_t, uint32_t, T*);      \
  template void select_highest(const QueryBlock&, T*);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
