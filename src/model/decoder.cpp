#include "model/decoder.h"

#include <algorithm>

#include "model/layer_drop.h"

namespace calque {

Decoder::Decoder(const Scope& scope, const TransformerOptions& options)
    : layer_dropout_(options.layer_dropout), encoder_layers_(options.encoder_layers) {
  for (int64_t i = 0; i < options.decoder_layers; ++i) {
    layers_.emplace_back(scope.sub("layers").sub(i), options, decoder_deep_norm(options));
  }
  if (options.norm == NormPlace::kPre) {
    norm_.emplace(scope.sub("norm"), options.norm_kind, options.model);
  }
}

Var Decoder::forward(Context& context, Var x, const SequenceLayout& target, const Var& memory,
                     const SequenceLayout& source, const CrossAttentionTap& tap) const {
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (drops_layer(context, layer_dropout_, encoder_layers_ + static_cast<int64_t>(i))) continue;
    const bool tapped = static_cast<int64_t>(i) == tap.layer;
    x = layers_[i].forward(context, x, target, memory, source,
                           tapped ? tap.probabilities : nullptr);
  }
  return finish(context, x);
}

DecoderCache Decoder::make_cache(Arena& arena, int64_t slots, int64_t source_rows) const {
  DecoderCache cache;
  for (const DecoderLayer& layer : layers_) {
    cache.layers.push_back(layer.make_cache(arena, slots, source_rows));
  }
  return cache;
}

void Decoder::remember(Context& context, DecoderCache& cache, const Var& memory,
                       const SequenceLayout& source, std::span<const int32_t> rows) const {
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Arena::Scope scope(context.arena);
    const MatrixView<const Real> projected = layers_[i].project_memory(context, memory).matrix();
    const MatrixView<Real> kept = cache.layers[i].memory.matrix();
    for (size_t s = 0; s < rows.size(); ++s) {
      std::copy_n(projected.row(source.begins[s]), source.lengths[s] * projected.cols,
                  kept.row(rows[s]));
    }
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
