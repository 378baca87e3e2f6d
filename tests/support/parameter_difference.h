#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/parameter.h"

namespace calque::test {

/// The parameter that is furthest from what is expected of it, and max |a - b| / max |b| there.
struct ParameterDifference {
  std::string name;
  double value = 0;
};

/// What is expected of a parameter's gradient or value, in the parameter's shape.
using ExpectedNumbers = std::function<std::vector<Real>(const Parameter&)>;

/// Whether this is the bias of an attention's keys. Adding one vector to all keys of a query moves
/// all of its scores alike, which softmax does not see: such a bias has no gradient, only rounding,
/// unless rotary positions turn it. Not so where the score is additive.
bool is_key_bias(const ParameterStore& store, const Parameter& parameter);

/// Over the gradients of all parameters. The bias of keys is measured against the gradient of the
/// same layer's key weights.
ParameterDifference worst_gradient_difference(const ParameterStore& store,
                                              const ExpectedNumbers& expected);

/// Over the values of all parameters but the biases of keys: an optimizer that divides by the size
/// of the gradient turns their rounding into steps.
ParameterDifference worst_value_difference(const ParameterStore& store,
                                           const ExpectedNumbers& expected);

}  // namespace calque::test
