#pragma once

#include "base/random.h"

namespace calque {

/// Random numbers one after another: those at (key, row, 0), then (key, row, 1), ...
class RandomSequence {
 public:
  RandomSequence(const RandomKey& key, uint32_t row) : key_(key), row_(row) {}

  /// Uniform in [0, 1), 32 bits.
  double uniform();

 private:
  RandomKey key_;
  uint32_t row_;
  uint32_t drawn_ = 0;
  std::array<uint32_t, 4> words_{};
};

/// The streams of a sentence's sequences.
namespace streams {
inline constexpr uint32_t kSourcePieces = 0xFFFFFF10u;
inline constexpr uint32_t kTargetPieces = 0xFFFFFF11u;
}  // namespace streams

}  // namespace calque
