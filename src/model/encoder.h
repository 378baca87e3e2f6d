#pragma once

#include <optional>
#include <vector>

#include "model/encoder_layer.h"

namespace calque {

/// The stack of encoder layers, with a final norm when norms stand in front of sub-layers.
class Encoder {
 public:
  Encoder(const Scope& scope, const TransformerOptions& options);
  /// x: embedded source, [source tokens, model] -> the memory that the decoder attends to, the same
  /// shape.
  Var forward(Context& context, Var x, const SequenceLayout& layout) const;

 private:
  std::vector<EncoderLayer> layers_;
  std::optional<Norm> norm_;
  double layer_dropout_;
};

}  // namespace calque
