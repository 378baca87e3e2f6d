#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/stopwatch.h"
#include "tensor/matrix_view.h"
#include "tensor/memory_block.h"

namespace calque::bench {

/// Seconds of the fastest call of `body`, which is called until `budget` seconds are over and at
/// least once: what the machine can do, with the least of what disturbs it.
template <class Body>
double fastest_seconds(double budget, const Body& body) {
  double fastest = std::numeric_limits<double>::infinity();
  const Stopwatch all;
  do {
    const Stopwatch watch;
    body();
    fastest = std::min(fastest, watch.seconds());
  } while (all.seconds() < budget);
  return fastest;
}

/// The value below which `share` of the values lie, interpolated between neighbours; 0.5: the
/// median. 0 where there are none.
double quantile(std::vector<double> values, double share);

/// The most memory that this process has had in RAM, everything counted.
size_t peak_resident_bytes();

/// Memory full of random numbers, uniform in (-1, 1) and never 0: no kernel gets easy numbers.
class RandomMatrix {
 public:
  RandomMatrix(int64_t rows, int64_t cols);

  MatrixView<float> view() const { return {data(), rows_, cols_}; }
  float* data() const { return reinterpret_cast<float*>(block_.data()); }
  std::span<float> values() const { return {data(), static_cast<size_t>(rows_ * cols_)}; }

 private:
  int64_t rows_;
  int64_t cols_;
  MemoryBlock block_;
};

}  // namespace calque::bench
