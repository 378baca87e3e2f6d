#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "data/corpus.h"
#include "decode/options.h"
#include "model/options.h"
#include "train/options.h"

namespace calque {

/// Bytes that training will use, by owner.
struct MemoryEstimate {
  double parameters = 0;   // weights and gradients
  double optimizer = 0;    // moments, and the moving average
  double activations = 0;  // kept from forward to backward of one micro-batch
  double decoding = 0;     // of validation's beam search, where the activations lie else
  double gradients = 0;    // of activations, in flight
  double scratch = 0;      // of kernels
  double total() const {
    return parameters + optimizer + std::max(activations, decoding) + gradients + scratch;
  }
  /// "412 MB (weights and gradients 20 MB, optimizer 20 MB, activations ...)".
  std::string to_string() const;
};

/// What a model of `parameters` weights needs for micro-batches of `text` with up to
/// `train.batch_tokens` tokens a side; without decoding.
MemoryEstimate estimate_memory(const TransformerOptions& options, const TrainOptions& train,
                               int64_t parameters, int64_t target_vocab,
                               const ParallelCorpus& text);

/// What beam search needs at once to translate the sources of `text`.
double estimate_decoding(const TransformerOptions& options, const DecodeOptions& decode,
                         int64_t target_vocab, const ParallelCorpus& text);

}  // namespace calque
