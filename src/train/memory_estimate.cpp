#include "train/memory_estimate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/stopwatch.h"
#include "decode/beam_search.h"
#include "kernels/cross_entropy.h"
#include "tensor/real.h"

namespace calque {

namespace {

/// Rows of width one that a layer's ops make per token. Self-attention: query, key, value, weighted
/// sum, residual sum, norm; feed-forward: residual sum, norm, and the hidden layer before (of gated
/// kinds twice) and behind the activation, which relu writes over.
double layer_width(const TransformerOptions& options, const kernels::AttentionOptions& self) {
  const auto inputs = static_cast<double>(kernels::activation_inputs(options.activation));
  const double hidden_rows = options.activation == kernels::Activation::kRelu ? 1 : inputs + 1;
  const double scaled = options.norm == NormPlace::kDeep ? 2 : 0;  // inputs of both sub-layers
  return (6 + scaled) * static_cast<double>(options.model) +
         2 * static_cast<double>(options.key_model(self)) +
         hidden_rows * static_cast<double>(options.hidden);
}

double encoder_layer_width(const TransformerOptions& options) {
  return layer_width(options, options.encoder_self_attention);
}

/// The same, and cross-attention's query, weighted sum, residual sum, norm, and key and value per
/// source token.
double decoder_layer_width(const TransformerOptions& options) {
  return layer_width(options, options.decoder_self_attention) +
         (options.norm == NormPlace::kDeep ? 5 : 4) * static_cast<double>(options.model) +
         2 * static_cast<double>(options.key_model(options.decoder_cross_attention));
}

}  // namespace

std::string MemoryEstimate::to_string() const {
  const std::string decoding_part =
      decoding > 0 ? fmt::format(", or in their place decoding {}", format_bytes(decoding)) : "";
  return fmt::format(
      "{} (weights and their gradients {}, optimizer {}, activations {}{}, their gradients {}, "
      "scratch {})",
      format_bytes(total()), format_bytes(parameters), format_bytes(optimizer),
      format_bytes(activations), decoding_part, format_bytes(gradients), format_bytes(scratch));
}

MemoryEstimate estimate_memory(const TransformerOptions& options, const TrainOptions& train,
                               int64_t parameters, int64_t target_vocab,
                               const ParallelCorpus& text) {
  const auto model = static_cast<double>(options.model);
  const auto hidden = static_cast<double>(options.hidden);
  const double per_token =
      static_cast<double>(options.encoder_layers) * encoder_layer_width(options) +
      static_cast<double>(options.decoder_layers) * decoder_layer_width(options) + 4 * model;
  const int64_t all_tokens = std::max(text.source_pieces(), text.target_pieces()) + text.size();
  const auto tokens =
      static_cast<double>(std::min({train.batch_tokens, train.micro_batch_tokens, all_tokens}));
  const auto weights = static_cast<double>(parameters);
  MemoryEstimate estimate;
  estimate.parameters = 2 * weights * sizeof(Real);
  estimate.optimizer = (train.moving_average > 0 ? 3 : 2) * weights * sizeof(Real);
  const bool r_drop = train.r_drop > 0;
  // Adversarial training keeps the gradients of both sides' embeddings, and their sums.
  const double perturbed = train.adversarial.weight > 0 ? 4 * model : 0;
  estimate.activations = tokens * ((r_drop ? 2 : 1) * per_token + perturbed) * sizeof(Real);
  // In backward a handful of rows are in flight at once, the hidden layer's twice, or thrice where
  // a gate goes with it.
  const auto inputs = static_cast<double>(kernels::activation_inputs(options.activation));
  estimate.gradients =
      tokens * std::max(6 * model, 2 * model + (inputs + 1) * hidden) * sizeof(Real);
  // What cross-entropy works in, and each weight packed for two of its products.
  const auto loss = static_cast<double>(kernels::cross_entropy_scratch(
      static_cast<int64_t>(tokens), options.model, target_vocab, r_drop));
  const auto packed = static_cast<double>(2 * kernels::prepared_bytes(train.precision));
  // Relative positions: sums by distance of gradients of scores and of weights (DistanceSums).
  const double by_distance = options.positions == Positions::kRelative
                                 ? tokens * 2 * static_cast<double>(options.heads) *
                                       static_cast<double>(2 * options.max_distance + 1)
                                 : 0;
  estimate.scratch = (loss + by_distance) * sizeof(Real) + packed * weights;
  return estimate;
}

double estimate_decoding(const TransformerOptions& options, const DecodeOptions& decode,
                         int64_t target_vocab, const ParallelCorpus& text) {
  const auto model = static_cast<double>(options.model);
  const auto beam = static_cast<double>(decode.beam);
  const auto encoder_layers = static_cast<double>(options.encoder_layers);
  const auto decoder_layers = static_cast<double>(options.decoder_layers);
  // A batch holds batch_tokens / beam source tokens, but one sentence at least.
  const auto all_tokens = static_cast<double>(text.source_pieces() + text.size());
  const auto longest = static_cast<double>(text.longest_source() + 1);
  const double tokens =
      std::min(all_tokens, std::max(static_cast<double>(decode.batch_tokens) / beam, longest));
  const double sentences = std::max(1.0, tokens / all_tokens * static_cast<double>(text.size()));
  const double rows = beam * sentences;
  // What all sentences may take: the limit of each, and half a block on top.
  const double all_slots =
      beam * (decode.max_length_ratio * all_tokens +
              (10 + BeamSearch::kBlockTokens / 2.0) * static_cast<double>(text.size()));
  const double slots =
      std::min(all_slots, static_cast<double>(BeamSearch::kSlotsPerToken * decode.batch_tokens));
  const double encoder = std::min(tokens, BeamSearch::kEncodedTokens + longest) *
                         (encoder_layers * encoder_layer_width(options) + 2 * model);
  const double caches =
      decoder_layers * 2 *
      (static_cast<double>(options.key_model(options.decoder_cross_attention)) * tokens +
       static_cast<double>(options.key_model(options.decoder_self_attention)) * slots);
  const double step = rows * (decoder_layers * decoder_layer_width(options) + 2 * model +
                              static_cast<double>(target_vocab));
  return (caches + std::max(encoder, step)) * sizeof(Real);
}

}  // namespace calque
