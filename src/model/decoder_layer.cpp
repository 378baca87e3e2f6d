#include "model/decoder_layer.h"

namespace calque {

DecoderLayer::DecoderLayer(const Scope& scope, const TransformerOptions& options)
    : self_attention_(scope.sub("self_attention"), options.model, options.heads,
                      options.attention_dropout),
      self_attention_frame_(scope.sub("self_attention_norm"), options),
      cross_attention_(scope.sub("cross_attention"), options.model, options.heads,
                       options.attention_dropout),
      cross_attention_frame_(scope.sub("cross_attention_norm"), options),
      feed_forward_(scope.sub("feed_forward"), options.model, options.hidden, options.activation,
                    options.activation_dropout),
      feed_forward_frame_(scope.sub("feed_forward_norm"), options) {}

Var DecoderLayer::forward(Context& context, const Var& x, const SequenceLayout& target,
                          const Var& memory, const SequenceLayout& source, Real* self_weights,
                          Real* cross_weights) const {
  const Var attended = self_attention_frame_.forward(context, x, [&](const Var& input) {
    return self_attention_.self(context, input, target, /*causal=*/true, self_weights);
  });
  return attend_and_feed(context, attended, target, project_memory(context, memory), source,
                         cross_weights);
}

Var DecoderLayer::step(Context& context, const Var& x, DecoderCache::Layer& cache,
                       const CacheSlots& slots, const SequenceLayout& queries,
                       const SequenceLayout& source) const {
  const Var attended = self_attention_frame_.forward(context, x, [&](const Var& input) {
    return self_attention_.self_step(context, input, cache.self, slots);
  });
  return attend_and_feed(context, attended, queries, Var(cache.memory), source, nullptr);
}

Var DecoderLayer::attend_and_feed(Context& context, const Var& x, const SequenceLayout& queries,
                                  const Var& projected_memory, const SequenceLayout& source,
                                  Real* cross_weights) const {
  const Var attended = cross_attention_frame_.forward(context, x, [&](const Var& input) {
    return cross_attention_.cross(context, input, queries, projected_memory, source, cross_weights);
  });
  return feed_forward_frame_.forward(
      context, attended, [&](const Var& input) { return feed_forward_.forward(context, input); });
}

}  // namespace calque
