#pragma once

#include <vector>

#include "autograd/var.h"
#include "nn/key_value_cache.h"

namespace calque {

/// What decoding keeps from step to step, one entry a layer: the self-attention's keys and values of
/// every slot, and the memory's keys and values, computed once. Memory lies in the arena of whoever
/// started decoding.
struct DecoderCache {
  struct Layer {
    KeyValueCache self;
    Var memory;  // [source tokens, 2 model]
  };
  std::vector<Layer> layers;
};

}  // namespace calque
