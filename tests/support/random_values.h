#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "tensor/tensor.h"

namespace calque::test {

/// A tensor with memory of its own, filled with standard normal numbers that depend on `seed`.
class RandomTensor {
 public:
  RandomTensor(const Shape& shape, uint64_t seed, double scale = 1)
      : values_(static_cast<size_t>(shape.count())), shape_(shape) {
    for (size_t i = 0; i < values_.size(); ++i) {
      values_[i] = static_cast<Real>(scale * random_normal({seed, 0, 0}, i));
    }
  }
  Tensor tensor() { return {values_.data(), shape_}; }
  std::vector<Real>& values() { return values_; }

 private:
  std::vector<Real> values_;
  Shape shape_;
};

/// max |a - b| / max |b| over two vectors of one size; max |a| when b is all zero.
inline double relative_difference(std::span<const Real> a, std::span<const Real> b) {
  double difference = 0;
  double largest = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(d <= difference)) difference = d;  // also takes NaN
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
  }
  return largest > 0 ? difference / largest : difference;
}

}  // namespace calque::test
