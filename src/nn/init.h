#pragma once

#include "base/random.h"
#include "nn/parameter.h"

namespace calque {

/// Fills `value` with its initial numbers; element i is a pure function of (key, i).
///   kXavierUniform: uniform in [-a, a], a = spread sqrt(6 / (in + out)), for a weight [out, in]
///   (Glorot
///     and Bengio 2010)
///   kNormal: mean 0, standard deviation `spread`
///   kZeros, kOnes: as they say
void fill_initial_values(Init init, double spread, const RandomKey& key, const Tensor& value);

}  // namespace calque
