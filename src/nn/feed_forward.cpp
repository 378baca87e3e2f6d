#include "nn/feed_forward.h"

#include "autograd/ops/activation.h"

namespace calque {
namespace {

/// The names of the layers whose outputs the activation takes, in its order.
std::span<const char* const> input_layers(kernels::Activation activation) {
  static constexpr const char* kNames[] = {"gate", "input"};
  return std::span(kNames).last(static_cast<size_t>(kernels::activation_inputs(activation)));
}

}  // namespace

FeedForward::FeedForward(const Scope& scope, int64_t model, int64_t hidden,
                         kernels::Activation activation, double activation_dropout, double gain)
    : input_(scope, input_layers(activation), model, hidden, gain),
      output_(scope.sub("output"), hidden, model, gain),
      activation_(activation),
      dropout_(activation_dropout),
      dropout_stream_(scope.dropout_stream()) {}

Var FeedForward::forward(Context& context, const Var& x) const {
  const Var hidden = ops::activation(context, input_.forward(context, x), activation_,
                                     context.dropout(dropout_, dropout_stream_));
  return output_.forward(context, hidden);
}

}  // namespace calque
