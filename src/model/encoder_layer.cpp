#include "model/encoder_layer.h"

namespace calque {

EncoderLayer::EncoderLayer(const Scope& scope, const TransformerOptions& options,
                           const DeepNorm& deep)
    : self_attention_(scope.sub("self_attention"), options.model, options.heads,
                      options.attention_dropout, options.encoder_self_attention,
                      options.self_positions(), deep.beta),
      self_attention_frame_(scope.sub("self_attention_norm"), options, deep),
      feed_forward_(scope.sub("feed_forward"), options.model, options.hidden, options.activation,
                    options.activation_dropout, deep.beta),
      feed_forward_frame_(scope.sub("feed_forward_norm"), options, deep) {}

Var EncoderLayer::forward(Context& context, const Var& x, const SequenceLayout& layout) const {
  const Var attended = self_attention_frame_.forward(context, x, [&](const Var& input) {
    return self_attention_.self(context, input, layout, /*causal=*/false);
  });
  return feed_forward_frame_.forward(
      context, attended, [&](const Var& input) { return feed_forward_.forward(context, input); });
}

}  // namespace calque
