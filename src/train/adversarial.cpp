#include "train/adversarial.h"

#include <cmath>

#include "base/parallel.h"

namespace calque {

void turn_into_perturbation(const Tensor& gradient, const SequenceLayout& layout, double epsilon) {
  parallel_for(layout.sentences(), [&](int64_t sentence, int) {
    const auto s = static_cast<size_t>(sentence);
    const MatrixView<Real> rows = gradient.matrix().row_range(layout.begins[s], layout.lengths[s]);
    const std::span<Real> values(rows.data, static_cast<size_t>(rows.rows * rows.cols));
    double squares = 0;
    for (const Real value : values) squares += static_cast<double>(value) * value;
    const double factor = squares > 0 ? epsilon / std::sqrt(squares) : 0;
    for (Real& value : values) value = static_cast<Real>(factor * value);
  });
}

}  // namespace calque
