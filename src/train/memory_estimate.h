#pragma once

#include <cstdint>
#include <string>

#include "model/options.h"

namespace calque {

/// Bytes that training will use, by owner.
struct MemoryEstimate {
  double parameters = 0;   // weights and gradients
  double optimizer = 0;    // moments, and the moving average
  double activations = 0;  // kept from forward to backward of one micro-batch
  double gradients = 0;    // of activations, in flight
  double scratch = 0;      // of kernels
  double total() const { return parameters + optimizer + activations + gradients + scratch; }
  /// "412 MB (weights and gradients 20 MB, optimizer 20 MB, activations ...)".
  std::string to_string() const;
};

/// What a model of `parameters` weights needs for micro-batches of up to `batch_tokens` tokens a
/// side.
MemoryEstimate estimate_memory(const TransformerOptions& options, int64_t parameters,
                               int64_t target_vocab, int64_t batch_tokens, bool moving_average);

}  // namespace calque
