#pragma once

#include <cstdint>
#include <span>

#include "autograd/context.h"
#include "kernels/cross_entropy.h"

namespace calque::ops {

/// The root of training: output projection, softmax and label-smoothed cross-entropy, see
/// kernels::projection_cross_entropy. Forward and backward are one pass: with a tape, the gradients
/// of x and weight are written at once, so there is no entry to run later, and several such losses
/// may stand side by side.
/// x: [tokens, model]; weight: [vocab, model]; targets: [tokens]; `row_weights`: [tokens] or empty;
/// `log_probabilities`: [tokens] or empty.
kernels::CrossEntropySums projection_cross_entropy(Context& context, const Var& x,
                                                   const Var& weight, Ids targets,
                                                   double smoothing,
                                                   std::span<const Real> row_weights = {},
                                                   std::span<Real> log_probabilities = {});

/// The same of two passes with different dropout, which are also to agree: R-Drop, see
/// kernels::projection_r_drop. first, second: [tokens, model].
kernels::CrossEntropySums projection_r_drop(Context& context, const Var& first, const Var& second,
                                            const Var& weight, Ids targets, double smoothing,
                                            double r_drop);

}  // namespace calque::ops
