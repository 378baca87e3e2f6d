#include "model/selection_advantages.h"

#include <algorithm>

namespace calque {

void SelectionAdvantages::fill(std::span<const Real> log_probabilities, double baseline) {
  for (size_t s = 0; s < target_layout_.lengths.size(); ++s) {
    const int64_t begin = target_layout_.begins[s];
    double advantage = 0;
    for (int64_t row = begin + target_layout_.lengths[s] - 1; row >= begin; --row) {
      const auto at = static_cast<size_t>(row);
      advantage += -static_cast<double>(log_probabilities[at]) - baseline;
      target_[at] = static_cast<Real>(advantage);
    }
    std::ranges::fill(source_.subspan(static_cast<size_t>(source_layout_.begins[s]),
                                      static_cast<size_t>(source_layout_.lengths[s])),
                      static_cast<Real>(advantage));
  }
}

}  // namespace calque
