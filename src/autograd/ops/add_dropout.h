#pragma once

#include "autograd/context.h"

namespace calque::ops {

/// The residual connection around a sub-layer: y = x + dropout(f). x, f, y: [tokens, model].
Var add_dropout(Context& context, const Var& x, const Var& f, const kernels::Dropout& dropout);

}  // namespace calque::ops
