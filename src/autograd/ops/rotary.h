#pragma once

#include <span>

#include "autograd/context.h"
#include "kernels/rotary.h"

namespace calque::ops {

/// Rotary positions over the first `turned` columns of x, [tokens, columns], as kernels::rotary: of
/// self-attention's projected rows, where queries and keys stand in front of the values. Written
/// over x, a linear layer's output that nobody else holds. table: [longest, head]; positions:
/// [tokens]; both kept by the caller until backward. Saves nothing else: a turn's gradient is
/// turned back.
Var rotary(Context& context, Var&& x, int64_t turned, ConstMatrixView<Real> table,
           std::span<const int32_t> positions);

}  // namespace calque::ops
