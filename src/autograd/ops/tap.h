#pragma once

#include "autograd/context.h"

namespace calque::ops {

/// What is done with a tensor x on its way through a model. Both of x's shape, kept by the caller
/// until backward.
struct Tap {
  Tensor addend;    // a constant that is added to x; none: nothing is
  Tensor gradient;  // backward assigns the loss' gradient with respect to x, unless the loss
                    // does not depend on it; none: not wanted

  explicit operator bool() const { return addend || gradient; }
};

/// y = x + addend; on the way back dx = dy, and a copy of it goes to `gradient`. Also when x is a
/// constant, as the embeddings of a model for inference are: then the gradient is of x alone, and
/// no parameter has one. Without a tap y is x. Throws InternalError for a gradient without a tape.
Var tap(Context& context, const Var& x, const Tap& tap);

}  // namespace calque::ops
