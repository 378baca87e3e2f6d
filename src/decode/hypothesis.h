#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace calque {

/// A finished translation of one sentence.
struct Hypothesis {
  std::vector<int32_t> ids;    // without begin and end
  double log_probability = 0;  // of all ids and the end
  double score = 0;            // log_probability / length^length_penalty, the end counted
};

/// The score that hypotheses are ranked by. `length`: tokens, the end counted.
inline double length_normalized(double log_probability, int64_t length, double length_penalty) {
  return log_probability / std::pow(static_cast<double>(length), length_penalty);
}

}  // namespace calque
