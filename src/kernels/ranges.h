#pragma once

#include <cstdint>

namespace calque::kernels {

/// How many pieces of `step` cover `size`.
constexpr int64_t pieces(int64_t size, int64_t step) { return (size + step - 1) / step; }

/// `size` things in `count` even ranges.
struct Ranges {
  int64_t size, count;
  int64_t begin(int64_t range) const { return size * range / count; }
};

}  // namespace calque::kernels
