#include "nn/linear.h"

namespace calque {

Linear::Linear(const Scope& scope, int64_t in, int64_t out)
    : store_(scope.store()),
      weight_(scope.declare("weight", {out, in}, Init::kXavierUniform)),
      bias_(scope.declare("bias", {out}, Init::kZeros)) {}

Var Linear::forward(Context& context, const Var& x) const {
  return ops::linear(context, x, store_.var(context, weight_), store_.var(context, bias_));
}

}  // namespace calque
