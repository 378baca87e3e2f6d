#pragma once

#include "autograd/ops/linear.h"
#include "nn/parameter.h"

namespace calque {

/// y = x weight^T + bias. weight: [out, in], Xavier-uniform; bias: [out], zeros.
class Linear {
 public:
  Linear(const Scope& scope, int64_t in, int64_t out);
  /// x: [tokens, in] -> [tokens, out].
  Var forward(Context& context, const Var& x) const;

 private:
  ParameterStore& store_;
  ParameterId weight_;
  ParameterId bias_;
};

}  // namespace calque
