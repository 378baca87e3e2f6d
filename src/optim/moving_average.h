#pragma once

#include <cstdint>
#include <span>

#include "tensor/memory_block.h"
#include "tensor/real.h"

namespace calque {

/// The exponential moving average of a model's weights (Polyak and Juditsky 1992), which translates
/// better than the weights themselves. Owns one flat block, laid out as the ParameterStore's
/// values.
class MovingAverage {
 public:
  /// Starts as a copy of `values`; 0 < decay < 1.
  MovingAverage(double decay, std::span<const Real> values);

  /// average += (1 - d) (values - average), where d = min(decay, (1 + n) / (10 + n)) after n
  /// updates, so that the start is soon forgotten (as TensorFlow's ExponentialMovingAverage).
  void update(std::span<const Real> values);

  /// Exchanges the average with the weights, to translate with it; the second call undoes it.
  void exchange(std::span<Real> values);

  /// Updates so far; set when a run is resumed.
  int64_t updates() const { return updates_; }
  void set_updates(int64_t updates) { updates_ = updates; }

  /// The average, for saving and loading: [count].
  std::span<Real> values() { return {values_, count_}; }

 private:
  double decay_;
  size_t count_;
  int64_t updates_ = 0;
  MemoryBlock block_;
  Real* values_;
};

}  // namespace calque
