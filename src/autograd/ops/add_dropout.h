#pragma once

#include "autograd/context.h"

namespace calque::ops {

/// The residual connection around a sub-layer: y = x + dropout(f). x, f, y: [tokens, model].
Var add_dropout(Context& context, const Var& x, const Var& f, const kernels::Dropout& dropout);

/// The same, written over f, which is a linear layer's output that nobody else holds: its backward
/// does not look at it.
Var add_dropout(Context& context, const Var& x, Var&& f, const kernels::Dropout& dropout);

}  // namespace calque::ops
