#include "model/encoder.h"

namespace calque {

Encoder::Encoder(const Scope& scope, const TransformerOptions& options) {
  for (int64_t i = 0; i < options.encoder_layers; ++i) {
    layers_.emplace_back(scope.sub("layers").sub(i), options);
  }
  if (options.norm == NormPlace::kPre) {
    norm_.emplace(scope.sub("norm"), options.norm_kind, options.model);
  }
}

Var Encoder::forward(Context& context, Var x, const SequenceLayout& layout,
                     const AttentionTap& tap) const {
  for (size_t i = 0; i < layers_.size(); ++i) {
    x = layers_[i].forward(context, x, layout, tap.of(AttentionPlace::kEncoderSelf, i));
  }
  return norm_ ? norm_->forward(context, x) : x;
}

}  // namespace calque
