#pragma once

#include <cstdint>
#include <span>

#include "nn/parameter.h"
#include "optim/options.h"
#include "tensor/memory_block.h"

namespace calque {

/// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019). Owns the two moments, laid out
/// as the ParameterStore's values, and counts its steps; these are all of its state.
class Adam {
 public:
  /// Moments of zero for `count` parameters' elements.
  Adam(const OptimizerOptions& options, int64_t count);

  /// One update of all values of `store` from its gradients, in one pass. Every gradient is first
  /// multiplied by `gradient_scale`: the division by target tokens times the clip factor.
  void update(ParameterStore& store, double learning_rate, double gradient_scale);

  /// Updates so far; set when a run is resumed.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

  /// The moments, for saving and loading: [count] each.
  std::span<Real> first_moments() { return {first_, count_}; }
  std::span<Real> second_moments() { return {second_, count_}; }

 private:
  OptimizerOptions options_;
  size_t count_;
  int64_t steps_ = 0;
  MemoryBlock first_block_;
  MemoryBlock second_block_;
  Real* first_;
  Real* second_;
};

}  // namespace calque
