#include "optim/moving_average.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/elementwise.h"

namespace calque {

MovingAverage::MovingAverage(double decay, std::span<const Real> values)
    : decay_(decay),
      count_(values.size()),
      block_(values.size_bytes()),
      values_(reinterpret_cast<Real*>(block_.data())) {
  CALQUE_CHECK(decay > 0 && decay < 1, "decay = {}", decay);
  kernels::copy<Real>(values, this->values());
}

void MovingAverage::update(std::span<const Real> values) {
  CALQUE_CHECK(values.size() == count_, "{} values, but {} averages", values.size(), count_);
  const auto n = static_cast<double>(updates_++);
  const double decay = std::min(decay_, (1 + n) / (10 + n));
  kernels::move_towards<Real>(values, static_cast<Real>(1 - decay), this->values());
}

void MovingAverage::exchange(std::span<Real> values) {
  CALQUE_CHECK(values.size() == count_, "{} values, but {} averages", values.size(), count_);
  std::ranges::swap_ranges(values, this->values());
}

}  // namespace calque
