#include "nn/feed_forward.h"

#include "autograd/ops/activation.h"

namespace calque {

FeedForward::FeedForward(const Scope& scope, int64_t model, int64_t hidden,
                         kernels::Activation activation, double activation_dropout)
    : input_(scope.sub("input"), model, hidden),
      output_(scope.sub("output"), hidden, model),
      activation_(activation),
      dropout_(activation_dropout),
      dropout_stream_(scope.dropout_stream()) {}

Var FeedForward::forward(Context& context, const Var& x) const {
  const Var hidden = ops::activation(context, input_.forward(context, x), activation_,
                                     context.dropout(dropout_, dropout_stream_));
  return output_.forward(context, hidden);
}

}  // namespace calque
