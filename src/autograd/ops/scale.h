#pragma once

#include "autograd/context.h"

namespace calque::ops {

/// y = factor x, of x's shape. Saves nothing.
Var scale(Context& context, const Var& x, double factor);

}  // namespace calque::ops
