#include "optim/clip.h"

#include <cmath>

#include "base/error.h"
#include "kernels/reduce.h"

namespace calque {

double gradient_norm(std::span<const Real> gradients) {
  return std::sqrt(kernels::sum_of_squares(gradients));
}

double clip_factor(double norm, double clip_norm) {
  CALQUE_CHECK(std::isfinite(norm), "a gradient norm of {} cannot be clipped", norm);
  return clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1.0;
}

}  // namespace calque
