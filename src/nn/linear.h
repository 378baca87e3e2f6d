#pragma once

#include <span>

#include "autograd/ops/linear.h"
#include "nn/parameter.h"

namespace calque {

/// y = x weight^T + bias. weight: [out, in], Xavier-uniform times a gain; bias: [out],
/// zeros.
class Linear {
 public:
  Linear(const Scope& scope, int64_t in, int64_t out, double gain = 1);
  /// Layers over one input as one product: `weight` and `bias` of each part under its own name, the
  /// weights declared one behind the other, then the biases. y: [tokens, parts out].
  Linear(const Scope& scope, std::span<const char* const> parts, int64_t in, int64_t out,
         double gain = 1);
  /// x: [tokens, in] -> [tokens, out].
  Var forward(Context& context, const Var& x) const;

 private:
  ParameterStore& store_;
  ParameterId first_weight_, last_weight_;
  ParameterId first_bias_, last_bias_;
};

}  // namespace calque
