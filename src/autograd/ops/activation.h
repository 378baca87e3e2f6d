#pragma once

#include "autograd/context.h"
#include "kernels/activation.h"

namespace calque::ops {

/// y = dropout(activation(u)). y: [tokens, hidden]; u: the same shape, of gated kinds [tokens, 2
/// hidden]: gate, then input. Saves nothing but u.
Var activation(Context& context, const Var& u, kernels::Activation kind,
               const kernels::Dropout& dropout);

/// The same for a linear layer's output u that nobody else holds. Relu is written over it: where y
/// is positive, u was.
Var activation(Context& context, Var&& u, kernels::Activation kind,
               const kernels::Dropout& dropout);

}  // namespace calque::ops
