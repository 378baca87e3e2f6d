#include "model/linear_flops.h"

namespace calque {

double linear_layer_flops(const TransformerOptions& options, int64_t target_vocab,
                          int64_t source_tokens, int64_t target_tokens) {
  const auto model = static_cast<double>(options.model);
  const auto hidden = static_cast<double>(options.hidden);
  const auto encoder_layers = static_cast<double>(options.encoder_layers);
  const auto decoder_layers = static_cast<double>(options.decoder_layers);
  // Weights that a row is multiplied with.
  const auto key_model = [&](const kernels::AttentionOptions& attention) {
    return static_cast<double>(options.key_model(attention));
  };
  const auto general = [&](const kernels::AttentionOptions& attention) {
    return attention.score == kernels::AttentionScore::kGeneral ? model * model : 0.0;
  };
  const auto self_attention = [&](const kernels::AttentionOptions& attention) {
    return model * (model + 2 * key_model(attention) + model) + general(attention);
  };
  const kernels::AttentionOptions& cross = options.decoder_cross_attention;
  const double center = cross.scope == kernels::AttentionScope::kPredictive
                            ? model * (model + static_cast<double>(options.heads))
                            : 0.0;
  const auto inputs = static_cast<double>(kernels::activation_inputs(options.activation));
  const double feed_forward = (inputs + 1) * model * hidden;
  const double cross_attention = model * (model + model) + general(cross) + center;
  const double cross_memory = model * 2 * key_model(cross);
  const double source_row =
      encoder_layers * (self_attention(options.encoder_self_attention) + feed_forward) +
      decoder_layers * cross_memory;
  const double target_row = decoder_layers * (self_attention(options.decoder_self_attention) +
                                              cross_attention + feed_forward) +
                            model * static_cast<double>(target_vocab);
  constexpr double kPasses = 3;  // forward, and two products backward
  return kPasses * 2 *
         (static_cast<double>(source_tokens) * source_row +
          static_cast<double>(target_tokens) * target_row);
}

}  // namespace calque
