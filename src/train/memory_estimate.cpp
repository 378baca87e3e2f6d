#include "train/memory_estimate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/stopwatch.h"
#include "kernels/cross_entropy.h"
#include "tensor/real.h"

namespace calque {

std::string MemoryEstimate::to_string() const {
  return fmt::format(
      "{} (weights and their gradients {}, optimizer {}, activations {}, their gradients {}, "
      "scratch {})",
      format_bytes(total()), format_bytes(parameters), format_bytes(optimizer),
      format_bytes(activations), format_bytes(gradients), format_bytes(scratch));
}

MemoryEstimate estimate_memory(const TransformerOptions& options, int64_t parameters,
                               int64_t target_vocab, int64_t batch_tokens, bool moving_average) {
  const auto model = static_cast<double>(options.model);
  const auto hidden = static_cast<double>(options.hidden);
  // Rows of width `model` that a layer's ops keep per token. Self-attention: query, key, value,
  // weighted sum, output, residual sum, norm; feed-forward: output, residual sum, norm;
  // cross-attention: query, weighted sum, output, residual sum, norm, and key and value per source
  // token. The feed-forward network keeps its hidden layer before and after the activation.
  const double encoder_layer = 10 * model + 2 * hidden;
  const double decoder_layer = 17 * model + 2 * hidden;
  const double per_token = static_cast<double>(options.encoder_layers) * encoder_layer +
                           static_cast<double>(options.decoder_layers) * decoder_layer + 4 * model;
  const auto tokens = static_cast<double>(batch_tokens);
  const auto weights = static_cast<double>(parameters);
  MemoryEstimate estimate;
  estimate.parameters = 2 * weights * sizeof(Real);
  estimate.optimizer = (moving_average ? 3 : 2) * weights * sizeof(Real);
  estimate.activations = tokens * per_token * sizeof(Real);
  // In backward a handful of rows are in flight at once, the hidden layer's twice.
  estimate.gradients = tokens * std::max(6 * model, 2 * model + 2 * hidden) * sizeof(Real);
  estimate.scratch =
      static_cast<double>(kernels::cross_entropy_chunk_rows(options.model) * target_vocab) *
      sizeof(Real);
  return estimate;
}

}  // namespace calque
