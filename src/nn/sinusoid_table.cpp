#include "nn/sinusoid_table.h"

#include <algorithm>
#include <bit>

#include "kernels/embedding.h"

namespace calque {

MatrixView<Real> SinusoidTable::rows(int64_t longest) {
  if (longest > rows_.rows) {
    constexpr int64_t kFewest = 256;
    const auto count = static_cast<int64_t>(
        std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(longest, kFewest))));
    blocks_.emplace_back(static_cast<size_t>(count * width_) * sizeof(Real));
    rows_ = {reinterpret_cast<Real*>(blocks_.back().data()), count, width_};
    kernels::sinusoidal_positions<Real>(rows_);
  }
  return rows_;
}

}  // namespace calque
