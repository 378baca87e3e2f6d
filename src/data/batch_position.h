#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace calque {

/// Which batch of a run, told by where it ends. The default stands before the first batch.
struct BatchPosition {
  int64_t epoch = 0;
  int64_t pairs = 0;  // that the epoch has given, with this batch

  auto operator<=>(const BatchPosition&) const = default;
  /// "epoch 0, pair 4250".
  std::string to_string() const;
};

}  // namespace calque
