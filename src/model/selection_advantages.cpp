#include "model/selection_advantages.h"

#include <algorithm>

namespace calque {

void SelectionAdvantages::fill(std::span<const Real> log_probabilities, double baseline,
                               const SequenceLayout& source_layout,
                               const SequenceLayout& target_layout) const {
  for (size_t s = 0; s < target_layout.lengths.size(); ++s) {
    const int64_t begin = target_layout.begins[s];
    double advantage = 0;
    for (int64_t row = begin + target_layout.lengths[s] - 1; row >= begin; --row) {
      const double cost = -static_cast<double>(log_probabilities[static_cast<size_t>(row)]);
      advantage += cost - baseline;
      target_.data[row] = static_cast<Real>(advantage);
    }
    std::fill_n(source_.data + source_layout.begins[s], source_layout.lengths[s],
                static_cast<Real>(advantage));
  }
}

}  // namespace calque
