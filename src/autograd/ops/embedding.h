#pragma once

#include <cstdint>
#include <span>

#include "autograd/context.h"

namespace calque::ops {

/// y[t] = dropout(scale weight[ids[t]] + position_table[positions[t]]).
/// weight: [vocab, model]; position_table: [longest, model], a constant (sinusoidal), a parameter
/// (learned) or an empty Var for none; ids, positions: [tokens], kept by the caller until backward;
/// y: [tokens, model].
Var embedding(Context& context, const Var& weight, Ids ids, double scale,
              const Var& position_table, std::span<const int32_t> positions,
              const kernels::Dropout& dropout);

}  // namespace calque::ops
