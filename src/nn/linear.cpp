#include "nn/linear.h"

namespace calque {

Linear::Linear(const Scope& scope, int64_t in, int64_t out, double gain)
    : store_(scope.store()),
      first_weight_(scope.declare("weight", {out, in}, Init::kXavierUniform, gain)),
      last_weight_(first_weight_),
      first_bias_(scope.declare("bias", {out}, Init::kZeros)),
      last_bias_(first_bias_) {}

Linear::Linear(const Scope& scope, std::span<const char* const> parts, int64_t in, int64_t out,
               double gain)
    : store_(scope.store()) {
  for (const char* part : parts) {
    last_weight_ = scope.sub(part).declare("weight", {out, in}, Init::kXavierUniform, gain);
    if (!first_weight_) first_weight_ = last_weight_;
  }
  for (const char* part : parts) {
    last_bias_ = scope.sub(part).declare("bias", {out}, Init::kZeros);
    if (!first_bias_) first_bias_ = last_bias_;
  }
}

Var Linear::forward(Context& context, const Var& x) const {
  return ops::linear(context, x, store_.var(context, first_weight_, last_weight_),
                     store_.var(context, first_bias_, last_bias_));
}

}  // namespace calque
