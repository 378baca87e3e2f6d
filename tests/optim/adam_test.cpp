#include "optim/adam.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "support/catch.h"

namespace calque {
namespace {

/// Adam as the paper writes it, one element at a time, in double.
struct PlainAdam {
  OptimizerOptions options;
  std::vector<double> values, first, second;
  int64_t step = 0;

  void update(const std::vector<double>& gradients, double rate, double scale) {
    ++step;
    const bool decoupled = options.kind == OptimizerKind::kAdamW;
    for (size_t i = 0; i < values.size(); ++i) {
      double g = gradients[i] * scale;
      if (decoupled) values[i] -= rate * options.weight_decay * values[i];
      if (!decoupled) g += options.weight_decay * values[i];
      first[i] = options.beta1 * first[i] + (1 - options.beta1) * g;
      second[i] = options.beta2 * second[i] + (1 - options.beta2) * g * g;
      const double mean = first[i] / (1 - std::pow(options.beta1, static_cast<double>(step)));
      const double square = second[i] / (1 - std::pow(options.beta2, static_cast<double>(step)));
      values[i] -= rate * mean / (std::sqrt(square) + options.epsilon);
    }
  }
};

/// A store of `count` elements in two parameters.
struct Store {
  ParameterStore store;
  explicit Store(int64_t count) {
    store.declare("a", {count - 5}, Init::kZeros);
    store.declare("b", {5}, Init::kZeros);
    store.allocate(/*inference=*/false);
    for (size_t i = 0; i < store.values().size(); ++i) {
      store.values()[i] = static_cast<Real>(std::sin(static_cast<double>(i)));
    }
  }
};

TEST_CASE("the updates are those of the paper", "[optim]") {
  constexpr int64_t kCount = 1003;
  OptimizerOptions options;
  options.kind = GENERATE(OptimizerKind::kAdam, OptimizerKind::kAdamW);
  options.weight_decay = GENERATE(0.0, 0.1);
  Store run(kCount);
  ParameterStore& store = run.store;
  PlainAdam plain{options,
                  {store.values().begin(), store.values().end()},
                  std::vector<double>(kCount),
                  std::vector<double>(kCount)};
  Adam adam(options, kCount);
  for (int step = 1; step <= 20; ++step) {
    std::vector<double> gradients(kCount);
    for (size_t i = 0; i < gradients.size(); ++i) {
      gradients[i] = std::cos(static_cast<double>(i * 7 + static_cast<size_t>(step)));
      store.gradients()[i] = static_cast<Real>(gradients[i]);
    }
    adam.update(store, 0.01 / step, 0.125);
    plain.update(gradients, 0.01 / step, 0.125);
  }
  CHECK(adam.steps() == 20);
  for (size_t i = 0; i < kCount; ++i) {
    REQUIRE(store.values()[i] == Approx(plain.values[i]).margin(1e-5));
    REQUIRE(adam.first_moments()[i] == Approx(plain.first[i]).margin(1e-6));
    REQUIRE(adam.second_moments()[i] == Approx(plain.second[i]).margin(1e-6));
  }
}

TEST_CASE("an optimizer goes on from its moments and steps", "[optim]") {
  const OptimizerOptions options;
  Store one(100);
  Store two(100);
  const auto train = [](ParameterStore& store, Adam& adam, int steps) {
    for (int i = 0; i < steps; ++i) {
      std::ranges::copy(store.values(), store.gradients().begin());
      adam.update(store, 0.01, 1);
    }
  };
  Adam whole(options, 100);
  train(one.store, whole, 7);

  Adam before(options, 100);
  train(two.store, before, 3);
  Adam after(options, 100);
  std::ranges::copy(before.first_moments(), after.first_moments().begin());
  std::ranges::copy(before.second_moments(), after.second_moments().begin());
  after.set_steps(before.steps());
  train(two.store, after, 4);
  CHECK(std::ranges::equal(one.store.values(), two.store.values()));
}

TEST_CASE("an optimizer for another model is refused", "[optim]") {
  Store run(100);
  Adam adam(OptimizerOptions(), 99);
  CHECK_THROWS_AS(adam.update(run.store, 0.1, 1), InternalError);
}

}  // namespace
}  // namespace calque
