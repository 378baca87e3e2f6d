#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "decode/teacher_forcing.h"

namespace calque {

/// What the log-probability of a target depends on.
struct SourceGradient {
  double log_probability = 0;  // of the target with its end
  /// For each token of the source, the norm of the log-probability's gradient with respect to the
  /// token's embedding.
  std::vector<double> norms;
};

/// One pass forward and backward over given translations. The weights get no gradients, so the
/// model may be one for inference alone. What a pair is computed with changes no bit.
std::vector<SourceGradient> source_gradients(Transformer& model, std::span<const ForcedPair> pairs,
                                             int64_t batch_tokens, const ForwardTools& tools);

}  // namespace calque
