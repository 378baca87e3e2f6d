#pragma once

#include <vector>

#include "autograd/var.h"
#include "nn/key_value_cache.h"

namespace calque {

/// What decoding keeps from step to step, one entry a layer: the self-attention's keys and values
/// of every slot, and the keys and values of each source token, computed once. It lies in the arena
/// of whoever made it.
struct DecoderCache {
  struct Layer {
    KeyValueCache self;
    Tensor memory;  // [source rows, 2 key model]
  };
  std::vector<Layer> layers;
};

}  // namespace calque
