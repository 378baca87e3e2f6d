#pragma once

#include "kernels/activation.h"
#include "nn/linear.h"

namespace calque {

/// The position-wise feed-forward network (Vaswani et al. 2017, section 3.3):
/// output(dropout(activation(input(x)))), model -> hidden -> model.
class FeedForward {
 public:
  FeedForward(const Scope& scope, int64_t model, int64_t hidden, kernels::Activation activation,
              double activation_dropout);
  /// x: [tokens, model] -> the same shape.
  Var forward(Context& context, const Var& x) const;

 private:
  Linear input_;
  Linear output_;
  kernels::Activation activation_;
  double dropout_;
  uint32_t dropout_stream_;
};

}  // namespace calque
