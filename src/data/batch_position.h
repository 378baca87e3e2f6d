#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace calque {

/// Which batch of a run. The default stands before the first batch.
struct BatchPosition {
  int64_t epoch = 0;
  int64_t window = 0;  // of the epoch
  int64_t batch = -1;  // of the window, in the order of training

  auto operator<=>(const BatchPosition&) const = default;
  /// "epoch 0, window 3, batch 17".
  std::string to_string() const;
};

}  // namespace calque
