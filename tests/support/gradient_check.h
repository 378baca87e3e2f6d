#pragma once

#include <functional>
#include <span>
#include <vector>

#include "autograd/context.h"
#include "support/random_values.h"

namespace calque::test {

/// Builds the output of an op from its inputs.
using Forward = std::function<Var(Context&, std::span<const Var>)>;

/// Compares the gradients that backward gives with central differences, for the function
/// sum(output * r) with random numbers r, so that no symmetry hides a mistake. Done for every subset
/// of the inputs being constant, with all memory poisoned before use. Returns the largest
/// max |a - b| / max |b| of any input's gradient.
double worst_gradient_error(const std::vector<Shape>& inputs, const Forward& forward,
                            uint64_t seed = 1);

/// The same for one scalar function of `parameters`, which are changed in place: `value` computes
/// it, `gradients` are what backward gave. `step`: of the differences.
double numeric_difference(std::span<Real> parameters, std::span<const Real> gradients,
                          const std::function<double()>& value, double step = 1e-5);

}  // namespace calque::test
