#pragma once

#include "kernels/activation.h"
#include "nn/linear.h"

namespace calque {

/// The position-wise feed-forward network (Vaswani et al. 2017, section 3.3):
/// output(dropout(activation(input(x)))), model -> hidden -> model. Gated kinds (Shazeer 2020):
/// output(dropout(activation(gate(x)) * input(x))); `gate` and `input` are one product.
class FeedForward {
 public:
  FeedForward(const Scope& scope, int64_t model, int64_t hidden, kernels::Activation activation,
              double activation_dropout, double gain = 1);
  /// x: [tokens, model] -> the same shape.
  Var forward(Context& context, const Var& x) const;

 private:
  Linear input_;  // `gate` and `input` of gated kinds
  Linear output_;
  kernels::Activation activation_;
  double dropout_;
  uint32_t dropout_stream_;
};

}  // namespace calque
