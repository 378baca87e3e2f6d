#pragma once

#include "autograd/context.h"

namespace calque::ops {

/// y = x weight^T + bias. x: [tokens, in]; weight: [out, in]; bias: [out] or an empty Var for none;
/// y: [tokens, out]. Saves nothing but its inputs.
Var linear(Context& context, const Var& x, const Var& weight, const Var& bias);

}  // namespace calque::ops
