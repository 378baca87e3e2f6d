#include "nn/layer_norm.h"

#include "autograd/ops/layer_norm.h"

namespace calque {

LayerNorm::LayerNorm(const Scope& scope, int64_t model)
    : store_(scope.store()),
      weight_(scope.declare("weight", {model}, Init::kOnes)),
      bias_(scope.declare("bias", {model}, Init::kZeros)) {}

Var LayerNorm::forward(Context& context, const Var& x) const {
  return ops::layer_norm(context, x, store_.var(context, weight_), store_.var(context, bias_),
                         kEpsilon);
}

}  // namespace calque
