#pragma once

#include "nn/parameter.h"

namespace calque {

/// Layer normalisation (Ba et al. 2016) with gain `weight` (ones) and `bias` (zeros), epsilon 1e-5.
class LayerNorm {
 public:
  static constexpr double kEpsilon = 1e-5;

  LayerNorm(const Scope& scope, int64_t model);
  /// x: [tokens, model] -> the same shape.
  Var forward(Context& context, const Var& x) const;

 private:
  ParameterStore& store_;
  ParameterId weight_;
  ParameterId bias_;
};

}  // namespace calque
