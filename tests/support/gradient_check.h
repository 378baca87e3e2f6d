#pragma once

#include <functional>
#include <span>
#include <vector>

#include "autograd/context.h"
#include "support/random_values.h"

namespace calque::test {

/// Computes a number from inputs and, with a tape, starts its gradients: the roots of a backward
/// pass.
using Loss = std::function<double(Context&, std::span<const Var>)>;

/// Compares the gradients that backward gives with numeric ones. Done for every subset of the
/// inputs being constant, with all memory poisoned before use. Returns the largest max |a - b| /
/// max |b| of any input's gradient.
double worst_loss_gradient_error(const std::vector<Shape>& inputs, const Loss& loss,
                                 uint64_t seed = 1);

/// Builds the output of an op from its inputs.
using Forward = std::function<Var(Context&, std::span<const Var>)>;

/// The same for the function sum(output * r) with random numbers r, so that no symmetry hides a
/// mistake.
double worst_gradient_error(const std::vector<Shape>& inputs, const Forward& forward,
                            uint64_t seed = 1);

/// The gradient of one scalar function of `parameters`, which are changed in place and put back.
/// Central differences of fourth order, (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h with h =
/// `step`, so that h may be large enough for rounding not to blur them: in double they are good to
/// about 1e-10 of the function's value.
std::vector<Real> numeric_gradient(std::span<Real> parameters, const std::function<double()>& value,
                                   double step = 2e-4);

}  // namespace calque::test
