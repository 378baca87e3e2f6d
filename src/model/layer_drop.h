#pragma once

#include "autograd/context.h"

namespace calque {

/// LayerDrop (Fan et al. 2020): whether a training pass leaves layer `index` out, so that its input
/// is its output. The encoder's layers count from 0, the decoder's go on from there. A pure
/// function of seed, micro-batch and layer; never at inference, where nothing is scaled either.
inline bool drops_layer(const Context& context, double rate, int64_t index) {
  const RandomKey key{context.seed, context.micro_batch, streams::kLayerDrop};
  return context.training && rate > 0 && random_uniform(key, static_cast<uint64_t>(index)) < rate;
}

}  // namespace calque
