#pragma once

#include <vector>

#include "tensor/matrix_view.h"
#include "tensor/memory_block.h"
#include "tensor/real.h"

namespace calque {

/// Sinusoids of every position (kernels::sinusoidal_positions) up to the longest asked for.
class SinusoidTable {
 public:
  explicit SinusoidTable(int64_t width) : width_(width) {}
  /// At least `longest` rows: [rows, width]. They stay valid as long as the table lives.
  MatrixView<Real> rows(int64_t longest);

 private:
  int64_t width_;
  MatrixView<Real> rows_;
  std::vector<MemoryBlock> blocks_;  // each at least twice as long as the one before
};

}  // namespace calque
