#pragma once

#include "kernels/matrices.h"

namespace calque {

/// Sum over all elements of y * weights: a loss whose gradient with respect to y is `weights`, and
/// that no symmetry of a kernel can hide behind.
inline double weighted_sum(const TestMatrix<double>& y, const TestMatrix<double>& weights) {
  double sum = 0;
  for (int64_t r = 0; r < y.rows(); ++r) {
    for (int64_t c = 0; c < y.cols(); ++c) sum += y.at(r, c) * weights.at(r, c);
  }
  return sum;
}

}  // namespace calque
