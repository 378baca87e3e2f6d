#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "tensor/real.h"

namespace calque {

/// A finished translation of one sentence, or of a line in parts.
struct Hypothesis {
  std::vector<int32_t> ids;                   // without begin and last end; ends divide parts
  std::vector<Real> token_log_probabilities;  // of each id, then of the last end
  double log_probability = 0;                 // their sum
  int32_t sample = 0;                         // which one, of those drawn at random
  double score = 0;  // log_probability / length^length_penalty, the end counted
};

/// The score that hypotheses are ranked by. `length`: tokens, the end counted.
inline double length_normalized(double log_probability, int64_t length, double length_penalty) {
  return log_probability / std::pow(static_cast<double>(length), length_penalty);
}

}  // namespace calque
