#include "model/decoder_layer.h"

namespace calque {

DecoderLayer::DecoderLayer(const Scope& scope, const TransformerOptions& options,
                           const DeepNorm& deep)
    : self_attention_(scope.sub("self_attention"), options.model, options.heads,
                      options.attention_dropout, options.decoder_self_attention,
                      options.self_positions(), deep.beta),
      self_attention_frame_(scope.sub("self_attention_norm"), options, deep),
      cross_attention_(scope.sub("cross_attention"), options.model, options.heads,
                       options.attention_dropout, options.decoder_cross_attention, SelfPositions(),
                       deep.beta),
      cross_attention_frame_(scope.sub("cross_attention_norm"), options, deep),
      feed_forward_(scope.sub("feed_forward"), options.model, options.hidden, options.activation,
                    options.activation_dropout, deep.beta),
      feed_forward_frame_(scope.sub("feed_forward_norm"), options, deep) {}

Var DecoderLayer::forward(Context& context, const Var& x, const SequenceLayout& target,
                          const Var& memory, const SequenceLayout& source,
                          Real* probabilities) const {
  const Var attended = self_attention_frame_.forward(context, x, [&](const Var& input) {
    return self_attention_.self(context, input, target, /*causal=*/true);
  });
  return attend_and_feed(context, attended, target, project_memory(context, memory), source,
                         probabilities, nullptr);
}

DecoderCache::Layer DecoderLayer::make_cache(Arena& arena, int64_t slots,
                                             int64_t source_rows) const {
  return {KeyValueCache(arena, slots, self_attention_.key_model()),
          arena.tensor({source_rows, 2 * cross_attention_.key_model()})};
}

Var DecoderLayer::step(Context& context, const Var& x, DecoderCache::Layer& cache,
                       const CacheSlots& slots, const SequenceLayout& queries,
                       const SequenceLayout& source) const {
  const Var attended = self_attention_frame_.forward(context, x, [&](const Var& input) {
    return self_attention_.self_step(context, input, cache.self, slots);
  });
  return attend_and_feed(context, attended, queries, Var(cache.memory), source, nullptr, &slots);
}

Var DecoderLayer::attend_and_feed(Context& context, const Var& x, const SequenceLayout& queries,
                                  const Var& projected_memory, const SequenceLayout& source,
                                  Real* probabilities, const CacheSlots* slots) const {
  const Var attended = cross_attention_frame_.forward(context, x, [&](const Var& input) {
    return cross_attention_.cross(context, input, queries, projected_memory, source, probabilities,
                                  slots);
  });
  return feed_forward_frame_.forward(
      context, attended, [&](const Var& input) { return feed_forward_.forward(context, input); });
}

}  // namespace calque
