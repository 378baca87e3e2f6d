#pragma once

#include <span>

#include "tensor/real.h"

namespace calque {

/// The Euclidean norm of all gradients as one vector, summed in double in an order that depends on
/// their number alone. Gradients that are not finite give a norm that is not finite: the caller
/// decides what to do about it.
double gradient_norm(std::span<const Real> gradients);

/// The factor that brings gradients of this norm down to `clip_norm` (Pascanu et al. 2013):
/// clip_norm / norm where the norm is larger, else 1. `clip_norm` 0: no clipping. The norm must be
/// finite.
double clip_factor(double norm, double clip_norm);

}  // namespace calque
