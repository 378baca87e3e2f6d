#pragma once

#include "nn/parameter.h"

namespace calque {

/// kLayer: layer normalisation (Ba et al. 2016). kRms: by the root mean square, without a mean to
/// take off and without a bias (Zhang and Sennrich 2019).
enum class NormKind { kLayer, kRms };

/// Normalisation of rows with gain `weight` (ones) and, but for kRms, `bias` (zeros), epsilon 1e-5.
class Norm {
 public:
  static constexpr double kEpsilon = 1e-5;

  Norm(const Scope& scope, NormKind kind, int64_t model);
  /// x: [tokens, model] -> the same shape.
  Var forward(Context& context, const Var& x) const;

 private:
  ParameterStore& store_;
  ParameterId weight_;
  ParameterId bias_;  // none: kRms
};

}  // namespace calque
