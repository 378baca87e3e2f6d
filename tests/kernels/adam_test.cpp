#include "kernels/adam.h"

#include "base/error.h"
#include "kernels/matrices.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

template <class T>
struct State {
  TestMatrix<T> values, first, second;
  explicit State(int64_t count)
      : values(TestMatrix<T>::random(1, count, 1)), first(1, count), second(1, count) {}

  void update(const AdamStep& step, const TestMatrix<T>& gradients) {
    const auto span = [](TestMatrix<T>& m) {
      return std::span<T>(m.view().data, static_cast<size_t>(m.cols()));
    };
    adam_update<T>(step, gradients.values(), span(values), span(first), span(second));
  }
};

/// One update as torch.optim.Adam and AdamW write it, one element at a time.
void reference_update(const AdamStep& s, double gradient, double& value, double& m, double& v) {
  gradient *= s.gradient_scale;
  if (s.decoupled) {
    value *= 1 - s.learning_rate * s.weight_decay;
  } else {
    gradient += s.weight_decay * value;
  }
  m += (1 - s.beta1) * (gradient - m);
  v = s.beta2 * v + (1 - s.beta2) * gradient * gradient;
  const double step_size = s.learning_rate / (1 - std::pow(s.beta1, s.step));
  const double root_correction = std::sqrt(1 - std::pow(s.beta2, s.step));
  value -= step_size * m / (std::sqrt(v) / root_correction + s.epsilon);
}

/// Five updates, against the reference; the worst difference of values and moments.
template <class T>
double worst_difference(AdamStep step, int64_t count) {
  State<T> state(count);
  auto values = TestMatrix<double>::random(1, count, 1);
  TestMatrix<double> first(1, count);
  TestMatrix<double> second(1, count);
  for (step.step = 1; step.step <= 5; ++step.step) {
    const auto seed = static_cast<uint64_t>(10 + step.step);
    const auto gradients = TestMatrix<T>::random(1, count, seed);
    state.update(step, gradients);
    for (int64_t i = 0; i < count; ++i) {
      reference_update(step, gradients.at(0, i), values.at(0, i), first.at(0, i), second.at(0, i));
    }
  }
  return std::max({relative_difference(state.values, values),
                   relative_difference(state.first, first),
                   relative_difference(state.second, second)});
}

}  // namespace

TEMPLATE_TEST_CASE("adam is torch.optim.Adam, with L2 or decoupled decay", "[kernels]", float,
                   double) {
  const double tolerance = sizeof(TestType) == 4 ? 1e-6 : 1e-13;
  for (const int64_t count : {1, 7, 16, 70, 20000}) {
    for (const double decay : {0.0, 0.1}) {
      for (const bool decoupled : {false, true}) {
        AdamStep step;
        step.weight_decay = decay;
        step.decoupled = decoupled;
        step.gradient_scale = 0.125;
        CHECK(worst_difference<TestType>(step, count) < tolerance);
      }
    }
  }
}

TEST_CASE("the first update moves every value by the learning rate", "[kernels]") {
  State<double> state(3);
  const auto start = state.values;
  auto gradients = TestMatrix<double>::random(1, 3, 2);
  gradients.at(0, 0) = 5;
  gradients.at(0, 1) = -1e-3;
  gradients.at(0, 2) = 0;
  AdamStep step;
  step.learning_rate = 0.01;
  step.beta1 = 0.9;
  step.beta2 = 0.999;
  state.update(step, gradients);
  CHECK(state.values.at(0, 0) == Approx(start.at(0, 0) - 0.01));
  CHECK(state.values.at(0, 1) == Approx(start.at(0, 1) + 0.01));
  CHECK(state.values.at(0, 2) == start.at(0, 2));
}

TEST_CASE("adam has the same bits with any number of threads", "[kernels]") {
  const auto gradients = TestMatrix<float>::random(1, 60000, 5);
  const auto run = [&](int count) {
    const test::ThreadsScope scope(count);
    State<float> state(60000);
    state.update({}, gradients);
    return state.values.values();
  };
  const auto one = run(1);
  CHECK(run(2) == one);
  CHECK(run(3) == one);
}

TEST_CASE("adam refuses spans of two sizes and a step before the first", "[kernels]") {
  State<float> state(3);
  CHECK_THROWS_AS(state.update({}, TestMatrix<float>(1, 4)), InternalError);
  AdamStep step;
  step.step = 0;
  CHECK_THROWS_AS(state.update(step, TestMatrix<float>(1, 3)), InternalError);
}

}  // namespace calque::kernels
