#include "nn/norm.h"

#include "autograd/ops/layer_norm.h"
#include "autograd/ops/rms_norm.h"

namespace calque {

Norm::Norm(const Scope& scope, NormKind kind, int64_t model)
    : store_(scope.store()), weight_(scope.declare("weight", {model}, Init::kOnes)) {
  if (kind == NormKind::kLayer) bias_ = scope.declare("bias", {model}, Init::kZeros);
}

Var Norm::forward(Context& context, const Var& x) const {
  const Var gain = store_.var(context, weight_);
  if (!bias_) return ops::rms_norm(context, x, gain, kEpsilon);
  return ops::layer_norm(context, x, gain, store_.var(context, bias_), kEpsilon);
}

}  // namespace calque
