#pragma once

#include "autograd/context.h"

namespace calque::ops {

/// y = tanh(x), element by element. Saves its output.
Var tanh(Context& context, const Var& x);

}  // namespace calque::ops
