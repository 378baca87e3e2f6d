#include "nn/init.h"

#include <cmath>

#include "base/parallel.h"

namespace calque {
namespace {

template <class Draw>
void fill_with(const Tensor& value, const Draw& draw) {
  parallel_rows(value.count(), 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      value.data[i] = static_cast<Real>(draw(static_cast<uint64_t>(i)));
    }
  });
}

}  // namespace

void fill_initial_values(Init init, double spread, const RandomKey& key, const Tensor& value) {
  switch (init) {
    case Init::kZeros:
      return fill_with(value, [](uint64_t) { return 0.0; });
    case Init::kOnes:
      return fill_with(value, [](uint64_t) { return 1.0; });
    case Init::kNormal:
      return fill_with(value, [&](uint64_t i) { return spread * random_normal(key, i); });
    case Init::kXavierUniform: {
      const auto fan_sum = static_cast<double>(value.rows() + value.cols());
      const double bound = spread * std::sqrt(6 / fan_sum);
      return fill_with(value, [&](uint64_t i) { return bound * (2 * random_uniform(key, i) - 1); });
    }
  }
}

}  // namespace calque
