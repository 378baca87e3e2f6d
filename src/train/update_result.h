#pragma once

#include <cstdint>

namespace calque {

/// What one update of the weights did.
struct UpdateResult {
  double loss = 0;                     // label-smoothed, summed over target tokens
  double negative_log_likelihood = 0;  // the same without smoothing
  int64_t source_tokens = 0;
  int64_t target_tokens = 0;
  double gradient_norm = 0;  // of the mean gradient per target token, before clipping
  double learning_rate = 0;
  bool skipped = false;  // not made, because loss or gradient are not finite
};

}  // namespace calque
