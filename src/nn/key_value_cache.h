#pragma once

#include <cstdint>
#include <span>

#include "tensor/arena.h"

namespace calque {

/// The keys and values that one self-attention layer has computed while decoding: preallocated
/// slots, [slots, width] each, written in place and never moved.
struct KeyValueCache {
  Tensor keys;
  Tensor values;

  KeyValueCache() = default;
  KeyValueCache(Arena& arena, int64_t slots, int64_t width)
      : keys(arena.tensor({slots, width})), values(arena.tensor({slots, width})) {}
};

/// Which slots the hypotheses of one decoding step use. Row r of the step is one hypothesis; the
/// ancestor table says which slot holds each of its positions, so reordering beams moves no keys.
struct CacheSlots {
  std::span<const int32_t> ancestors;  // [rows, stride]: slot of position p of row r
  int64_t stride = 0;
  std::span<const int32_t> lengths;  // [rows]: positions so far, this step's included: the last one

  int64_t rows() const { return std::ssize(lengths); }
  int32_t new_slot(int64_t row) const {
    return ancestors[static_cast<size_t>(row * stride + lengths[static_cast<size_t>(row)] - 1)];
  }
};

}  // namespace calque
