#include "data/batch_position.h"

#include <fmt/format.h>

namespace calque {

std::string BatchPosition::to_string() const {
  return fmt::format("epoch {}, pair {}", epoch, pairs);
}

}  // namespace calque
