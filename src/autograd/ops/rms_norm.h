#pragma once

#include "autograd/context.h"

namespace calque::ops {

/// y = gain x / sqrt(mean(x^2) + epsilon), a row at a time (Zhang and Sennrich 2019).
/// x, y: [tokens, model]; gain: [model]. Saves 1 / sqrt(...) of each row.
Var rms_norm(Context& context, const Var& x, const Var& gain, double epsilon);

}  // namespace calque::ops
