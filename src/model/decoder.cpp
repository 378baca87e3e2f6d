#include "model/decoder.h"

namespace calque {

Decoder::Decoder(const Scope& scope, const TransformerOptions& options) : model_(options.model) {
  for (int64_t i = 0; i < options.decoder_layers; ++i) {
    layers_.emplace_back(scope.sub("layers").sub(i), options);
  }
  if (options.norm == NormPlace::kPre) norm_.emplace(scope.sub("norm"), options.model);
}

Var Decoder::forward(Context& context, Var x, const SequenceLayout& target, const Var& memory,
                     const SequenceLayout& source) const {
  for (const DecoderLayer& layer : layers_) x = layer.forward(context, x, target, memory, source);
  return finish(context, x);
}

void Decoder::start(Context& context, DecoderCache& cache, const Var& memory,
                    int64_t slots) const {
  cache.layers.clear();
  for (const DecoderLayer& layer : layers_) {
    cache.layers.push_back(
        {KeyValueCache(context.arena, slots, model_), layer.project_memory(context, memory)});
  }
}

Var Decoder::step(Context& context, Var x, DecoderCache& cache, const CacheSlots& slots,
                  const SequenceLayout& queries, const SequenceLayout& source) const {
  for (size_t i = 0; i < layers_.size(); ++i) {
    x = layers_[i].step(context, x, cache.layers[i], slots, queries, source);
  }
  return finish(context, x);
}

Var Decoder::finish(Context& context, const Var& x) const {
  return norm_ ? norm_->forward(context, x) : x;
}

}  // namespace calque
