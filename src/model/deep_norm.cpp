#include "model/deep_norm.h"

#include <cmath>

namespace calque {

DeepNorm encoder_deep_norm(const TransformerOptions& options) {
  if (options.norm != NormPlace::kDeep) return {};
  const double depth = std::pow(static_cast<double>(options.encoder_layers), 4) *
                       static_cast<double>(options.decoder_layers);
  return {0.81 * std::pow(depth, 1.0 / 16), 0.87 * std::pow(depth, -1.0 / 16)};
}

DeepNorm decoder_deep_norm(const TransformerOptions& options) {
  if (options.norm != NormPlace::kDeep) return {};
  const auto layers = static_cast<double>(options.decoder_layers);
  return {std::pow(3 * layers, 0.25), std::pow(12 * layers, -0.25)};
}

}  // namespace calque
