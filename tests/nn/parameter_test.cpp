#include "nn/parameter.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "nn/init.h"
#include "support/catch.h"

namespace calque {
namespace {

/// Two weights and two biases, as a layer declares them.
struct Store {
  ParameterStore store;
  uint32_t next_stream = 0;
  ParameterId first_weight, second_weight, first_bias, second_bias;

  explicit Store(bool inference = false) {
    const Scope scope = Scope(store, next_stream).sub("layers").sub(3);
    first_weight = scope.sub("first").declare("weight", {2, 5}, Init::kXavierUniform);
    second_weight = scope.sub("second").declare("weight", {4, 5}, Init::kNormal, 0.5);
    first_bias = scope.sub("first").declare("bias", {2}, Init::kOnes);
    second_bias = scope.sub("second").declare("bias", {4}, Init::kZeros);
    store.allocate(inference);
  }
};

/// What a forward pass needs.
struct Machine {
  Arena arena;
  Workspace workspace{1};
  Tape tape{arena, workspace};
  Context training{arena, workspace, tape, 1, 0};
  Context inference{arena, workspace};
};

TEST_CASE("parameters lie one behind the other in the order of their declaration", "[nn]") {
  Store s;
  const std::vector<Parameter>& parameters = s.store.parameters();
  REQUIRE(parameters.size() == 4);
  CHECK(parameters[0].name == "layers.3.first.weight");
  CHECK(parameters[1].name == "layers.3.second.weight");
  CHECK(parameters[2].name == "layers.3.first.bias");
  CHECK(parameters[3].name == "layers.3.second.bias");
  int64_t offset = 0;
  for (const Parameter& parameter : parameters) {
    CHECK(parameter.offset == offset);
    CHECK(s.store.value(parameter).data == s.store.values().data() + offset);
    CHECK(s.store.gradient(parameter).data == s.store.gradients().data() + offset);
    CHECK(s.store.value(parameter).shape == parameter.shape);
    offset += parameter.shape.count();
  }
  CHECK(s.store.count() == offset);
  CHECK(s.store.find("layers.3.second.bias") == &parameters[3]);
  CHECK(s.store.find("layers.3.third.bias") == nullptr);
}

TEST_CASE("a name used twice and a late declaration are refused", "[nn]") {
  ParameterStore store;
  store.declare("weight", {2, 2}, Init::kZeros);
  CHECK_THROWS_WITH(store.declare("weight", {3}, Init::kZeros),
                    ContainsSubstring("two parameters are called weight"));
  store.allocate(/*inference=*/false);
  CHECK_THROWS_WITH(store.declare("bias", {3}, Init::kZeros),
                    ContainsSubstring("bias is declared after the memory was made"));
}

TEST_CASE("dropout sites get streams one after the other", "[nn]") {
  ParameterStore store;
  uint32_t next = 0;
  const Scope scope(store, next);
  CHECK(scope.dropout_stream() == 0);
  CHECK(scope.sub("a").sub(1).dropout_stream() == 1);
  CHECK(scope.sub("b").dropout_stream() == 2);
}

TEST_CASE("parameters declared one behind the other are one stacked view", "[nn]") {
  Store s;
  Machine m;
  const Var weights = s.store.var(m.training, s.first_weight, s.second_weight);
  CHECK(weights.value.shape == Shape{6, 5});
  CHECK(weights.value.data == s.store.values().data());
  CHECK(weights.needs_gradient());
  const Var biases = s.store.var(m.training, s.first_bias, s.second_bias);
  CHECK(biases.value.shape == Shape{6});
  CHECK(biases.value.data == s.store.values().data() + 30);
  const Var alone = s.store.var(m.training, s.second_weight);
  CHECK(alone.value.shape == Shape{4, 5});
  CHECK(m.tape.target(alone).tensor.data == s.store.gradients().data() + 10);
}

TEST_CASE("without a tape parameters are constants, and inference has no gradients", "[nn]") {
  Store s(/*inference=*/true);
  Machine m;
  CHECK_FALSE(s.store.var(m.inference, s.first_weight).needs_gradient());
  CHECK_FALSE(s.store.var(m.training, s.first_weight).needs_gradient());
  CHECK_THROWS_AS(s.store.gradient(s.store.parameters()[0]), InternalError);
}

TEST_CASE("only a store's own weights are discarded", "[nn]") {
  Store s(/*inference=*/true);
  Machine m;
  const std::vector<Real> other(10);
  CHECK_THROWS_AS(s.store.discard({other.data(), 2, 5}), InternalError);
  const Var weight = s.store.var(m.inference, s.first_weight);
  CHECK_THROWS_AS(s.store.discard(weight.matrix().column_range(1, 2)), InternalError);
  s.store.discard(weight.matrix());
  for (Real& value : s.store.values()) value = 1;
  CHECK(weight.matrix().row(1)[4] == 1);
}

TEST_CASE("the first pass of an update assigns gradients, the others add", "[nn]") {
  Store s;
  Machine m;
  std::fill(s.store.gradients().begin(), s.store.gradients().end(), Real(NAN));
  s.store.start_gradients();
  const auto write = [&] {
    const GradientTarget target =
        m.tape.target(s.store.var(m.training, s.first_weight, s.second_weight));
    for (Real& value : target.tensor.values()) value = target.accumulate ? value + 1 : 1;
    return target.accumulate;
  };
  CHECK_FALSE(write());
  CHECK(write());
  s.store.finish_gradients();
  for (size_t i = 0; i < s.store.gradients().size(); ++i) {
    CHECK(s.store.gradients()[i] == (i < 30 ? 2 : 0));  // what nobody wrote is zero
  }
  CHECK(write());  // until the next update starts
  s.store.start_gradients();
  CHECK_FALSE(write());
}

TEST_CASE("initial values depend on the seed and the parameter's place alone", "[nn]") {
  Store a;
  Store b;
  a.store.initialize(5);
  b.store.initialize(5);
  CHECK(std::equal(a.store.values().begin(), a.store.values().end(), b.store.values().begin()));
  b.store.initialize(6);
  CHECK_FALSE(
      std::equal(a.store.values().begin(), a.store.values().end(), b.store.values().begin()));

  // A further parameter behind the others changes none of them, whatever it is.
  ParameterStore longer;
  for (const Parameter& p : a.store.parameters()) {
    longer.declare(p.name, p.shape, p.init, p.deviation);
  }
  longer.declare("last", {7, 7}, Init::kNormal);
  longer.allocate(/*inference=*/true);
  longer.initialize(5);
  CHECK(std::equal(a.store.values().begin(), a.store.values().end(), longer.values().begin()));
}

TEST_CASE("initial values have the distribution asked for", "[nn]") {
  constexpr int64_t kOut = 300;
  constexpr int64_t kIn = 100;
  std::vector<Real> values(kOut * kIn);
  const Tensor tensor{values.data(), {kOut, kIn}};
  const auto largest = [&] {
    Real result = 0;
    for (const Real value : values) result = std::max(result, std::abs(value));
    return static_cast<double>(result);
  };
  const auto moments = [&] {
    double sum = 0;
    double squares = 0;
    for (const Real value : values) {
      sum += static_cast<double>(value);
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    const auto count = static_cast<double>(values.size());
    return std::pair(sum / count, std::sqrt(squares / count));
  };

  fill_initial_values(Init::kXavierUniform, 1, {3, 0, 0}, tensor);
  const double bound = std::sqrt(6.0 / (kOut + kIn));
  CHECK(largest() <= bound);
  CHECK(largest() > 0.999 * bound);
  CHECK(std::abs(moments().first) < 0.01 * bound);
  CHECK(moments().second == Approx(bound / std::sqrt(3.0)).epsilon(0.01));

  fill_initial_values(Init::kNormal, 0.25, {3, 0, 0}, tensor);
  CHECK(std::abs(moments().first) < 0.005);
  CHECK(moments().second == Approx(0.25).epsilon(0.02));
  CHECK(largest() > 0.75);  // beyond three standard deviations

  fill_initial_values(Init::kOnes, 1, {3, 0, 0}, tensor);
  CHECK(std::all_of(values.begin(), values.end(), [](Real v) { return v == 1; }));
  fill_initial_values(Init::kZeros, 1, {3, 0, 0}, tensor);
  CHECK(std::all_of(values.begin(), values.end(), [](Real v) { return v == 0; }));
}

}  // namespace
}  // namespace calque
