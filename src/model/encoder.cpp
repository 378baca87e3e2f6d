#include "model/encoder.h"

#include "model/layer_drop.h"

namespace calque {

Encoder::Encoder(const Scope& scope, const TransformerOptions& options)
    : layer_dropout_(options.layer_dropout) {
  for (int64_t i = 0; i < options.encoder_layers; ++i) {
    layers_.emplace_back(scope.sub("layers").sub(i), options, encoder_deep_norm(options));
  }
  if (options.norm == NormPlace::kPre) {
    norm_.emplace(scope.sub("norm"), options.norm_kind, options.model);
  }
}

Var Encoder::forward(Context& context, Var x, const SequenceLayout& layout) const {
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (drops_layer(context, layer_dropout_, static_cast<int64_t>(i))) continue;
    x = layers_[i].forward(context, x, layout);
  }
  return norm_ ? norm_->forward(context, x) : x;
}

}  // namespace calque
