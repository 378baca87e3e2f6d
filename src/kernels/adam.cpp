#include "kernels/adam.h"

#include <cmath>

#include "base/error.h"
#include "base/parallel.h"

namespace calque::kernels {
namespace {

/// The factors of one update, prepared in double.
template <class T>
struct Factors {
  explicit Factors(const AdamStep& s)
      : gradient(static_cast<T>(s.gradient_scale)),
        l2(static_cast<T>(s.decoupled ? 0 : s.weight_decay)),
        shrink(static_cast<T>(s.decoupled ? 1 - s.learning_rate * s.weight_decay : 1)),
        beta1(static_cast<T>(s.beta1)),
        rest1(static_cast<T>(1 - s.beta1)),
        beta2(static_cast<T>(s.beta2)),
        rest2(static_cast<T>(1 - s.beta2)),
        rate(
            static_cast<T>(s.learning_rate / (1 - std::pow(s.beta1, static_cast<double>(s.step))))),
        correction(
            static_cast<T>(1 / std::sqrt(1 - std::pow(s.beta2, static_cast<double>(s.step))))),
        epsilon(static_cast<T>(s.epsilon)) {}

  T gradient, l2, shrink, beta1, rest1, beta2, rest2, rate, correction, epsilon;
};

template <class T>
void update_range(const Factors<T>& f, int64_t count, const T* __restrict gradients,
                  T* __restrict values, T* __restrict first, T* __restrict second) {
  for (int64_t i = 0; i < count; ++i) {
    const T gradient = gradients[i] * f.gradient + f.l2 * values[i];
    const T m = f.beta1 * first[i] + f.rest1 * gradient;
    const T v = f.beta2 * second[i] + f.rest2 * gradient * gradient;
    first[i] = m;
    second[i] = v;
    values[i] = values[i] * f.shrink - f.rate * m / (std::sqrt(v) * f.correction + f.epsilon);
  }
}

}  // namespace

template <class T>
void adam_update(const AdamStep& step, std::span<const T> gradients, std::span<T> values,
                 std::span<T> first_moments, std::span<T> second_moments) {
  const size_t size = values.size();
  CALQUE_CHECK(step.step >= 1, "step {}", step.step);
  CALQUE_CHECK(
      gradients.size() == size && first_moments.size() == size && second_moments.size() == size,
      "{} values, {} gradients, {} and {} moments", size, gradients.size(), first_moments.size(),
      second_moments.size());
  const Factors<T> factors(step);
  parallel_rows(static_cast<int64_t>(size), 1, [&](int64_t begin, int64_t end, int) {
    update_range(factors, end - begin, gradients.data() + begin, values.data() + begin,
                 first_moments.data() + begin, second_moments.data() + begin);
  });
}

#define CALQUE_INSTANTIATE(T)                                                                \
  template void adam_update(const AdamStep&, std::span<const T>, std::span<T>, std::span<T>, \
                            std::span<T>);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
