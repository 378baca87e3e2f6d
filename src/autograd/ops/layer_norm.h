#pragma once

#include "autograd/context.h"

namespace calque::ops {

/// y = gain (x - mean) / sqrt(variance + epsilon) + bias, a row at a time (Ba et al. 2016).
/// x, y: [tokens, model]; gain, bias: [model]. Saves mean and 1 / sqrt(...) of each row.
Var layer_norm(Context& context, const Var& x, const Var& gain, const Var& bias, double epsilon);

}  // namespace calque::ops
