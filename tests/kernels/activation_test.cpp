#include "kernels/activation.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "base/error.h"
#include "kernels/matrices.h"
#include "kernels/weighted_sum.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

constexpr Activation kPlainKinds[] = {Activation::kRelu, Activation::kGelu, Activation::kSwish};
constexpr Activation kGatedKinds[] = {Activation::kGlu, Activation::kGeglu, Activation::kSwiglu};
constexpr Activation kKinds[] = {Activation::kRelu, Activation::kGelu,  Activation::kSwish,
                                 Activation::kGlu,  Activation::kGeglu, Activation::kSwiglu};
const Dropout kDropout{0.2, {42, 3, 1}};

/// Of one number of u; of gated kinds, what the gate goes through.
double formula(Activation kind, double u) {
  switch (kind) {
    case Activation::kRelu:
      return std::max(0.0, u);
    case Activation::kGelu:
    case Activation::kGeglu:
      return 0.5 * u * (1 + std::erf(u / std::sqrt(2.0)));
    case Activation::kSwish:
    case Activation::kSwiglu:
      return u / (1 + std::exp(-u));
    case Activation::kGlu:
      return 1 / (1 + std::exp(-u));
  }
  return 0;
}

/// One row of u from -12 to 12.
template <class T>
TestMatrix<T> sweep(int64_t count) {
  TestMatrix<T> u(1, count);
  for (int64_t i = 0; i < count; ++i) {
    u.at(0, i) = static_cast<T>(static_cast<float>(24.0 * static_cast<double>(i) / count - 12));
  }
  return u;
}

}  // namespace

TEMPLATE_TEST_CASE("activations follow their formulas over the whole line", "[kernels]", float,
                   double) {
  constexpr int64_t kCount = 20001;
  const auto u = sweep<TestType>(kCount);
  const double tolerance = sizeof(TestType) == 4 ? 4e-7 : 1e-14;
  for (const Activation kind : kPlainKinds) {
    TestMatrix<TestType> y(1, kCount);
    activation_forward<TestType>(kind, u, {}, y);
    double worst = 0;
    for (int64_t i = 0; i < kCount; ++i) {
      const double expected = formula(kind, u.at(0, i));
      worst = std::max(worst, std::abs(y.at(0, i) - expected) / std::max(1.0, std::abs(expected)));
    }
    CHECK(worst < tolerance);
  }
}

TEMPLATE_TEST_CASE("gated kinds multiply the input by a function of the gate over the whole line",
                   "[kernels]", float, double) {
  constexpr int64_t kCount = 20001;
  const auto gate = sweep<TestType>(kCount);
  const auto input = TestMatrix<TestType>::random(1, kCount, 1);
  TestMatrix<TestType> u(1, 2 * kCount);
  std::ranges::copy(gate.values(), u.view().data);
  std::ranges::copy(input.values(), u.view().data + kCount);
  const double tolerance = sizeof(TestType) == 4 ? 4e-7 : 1e-14;
  for (const Activation kind : kGatedKinds) {
    TestMatrix<TestType> y(1, kCount);
    activation_forward<TestType>(kind, u, {}, y);
    double worst = 0;
    for (int64_t i = 0; i < kCount; ++i) {
      const double expected = formula(kind, gate.at(0, i)) * input.at(0, i);
      worst = std::max(worst, std::abs(y.at(0, i) - expected) / std::max(1.0, std::abs(expected)));
    }
    CHECK(worst < tolerance);
  }
}

TEST_CASE("float slopes are those of double", "[kernels]") {
  constexpr int64_t kCount = 5003;
  const auto u = sweep<float>(kCount);
  const auto wide = sweep<double>(kCount);
  TestMatrix<float> ones(1, kCount);
  TestMatrix<double> wide_ones(1, kCount);
  for (int64_t i = 0; i < kCount; ++i) ones.at(0, i) = wide_ones.at(0, i) = 1;
  for (const Activation kind : kPlainKinds) {
    TestMatrix<float> du(1, kCount);
    TestMatrix<double> expected(1, kCount);
    activation_backward<float>(kind, u, {}, ones, du, false);
    activation_backward<double>(kind, wide, {}, wide_ones, expected, false);
    CHECK(relative_difference(du, expected) < 5e-7);
  }
}

TEST_CASE("float activations with dropout are those of double at every width", "[kernels]") {
  for (const Activation kind : kKinds) {
    for (int64_t cols = 1; cols <= 70; ++cols) {
      const int64_t inputs = activation_inputs(kind) * cols;
      const auto u = TestMatrix<float>::random(3, inputs, 1, inputs + 2);
      const auto dy = TestMatrix<float>::random(3, cols, 2, cols + 1);
      auto du = TestMatrix<float>::random(3, inputs, 3, inputs + 3);
      TestMatrix<float> y(3, cols);
      activation_forward<float>(kind, u, kDropout, y);
      activation_backward<float>(kind, u, kDropout, dy, du, true);
      const auto wide_u = TestMatrix<double>::random(3, inputs, 1);
      const auto wide_dy = TestMatrix<double>::random(3, cols, 2);
      auto wide_du = TestMatrix<double>::random(3, inputs, 3);
      TestMatrix<double> wide_y(3, cols);
      activation_forward<double>(kind, wide_u, kDropout, wide_y);
      activation_backward<double>(kind, wide_u, kDropout, wide_dy, wide_du, true);
      REQUIRE(relative_difference(y, wide_y) < 1e-6);
      REQUIRE(relative_difference(du, wide_du) < 1e-6);
    }
  }
}

TEST_CASE("activation gradients are those of central differences", "[kernels]") {
  for (const Activation kind : kKinds) {
    const int64_t inputs = activation_inputs(kind) * 19;
    auto u = TestMatrix<double>::random(4, inputs, 1);
    const auto dy = TestMatrix<double>::random(4, 19, 2);
    TestMatrix<double> y(4, 19);
    TestMatrix<double> du(4, inputs);
    activation_backward<double>(kind, u, kDropout, dy, du, false);
    const auto numeric = numeric_gradient(u, [&] {
      activation_forward<double>(kind, u, kDropout, y);
      return weighted_sum(y, dy);
    });
    CHECK(relative_difference(du, numeric) < 1e-7);
  }
}

TEMPLATE_TEST_CASE("activations keep NaN and bear large inputs", "[kernels]", float, double) {
  constexpr auto kNan = std::numeric_limits<TestType>::quiet_NaN();
  TestMatrix<TestType> u(1, 3);
  u.at(0, 0) = kNan;
  u.at(0, 1) = 1000;
  u.at(0, 2) = -1000;
  for (const Activation kind : kPlainKinds) {
    TestMatrix<TestType> y(1, 3);
    activation_forward<TestType>(kind, u, {}, y);
    CHECK(std::isnan(y.at(0, 0)));
    CHECK(y.at(0, 1) == 1000);
    CHECK(y.at(0, 2) == 0);
  }
}

TEMPLATE_TEST_CASE("a gate may be large, and NaN goes through it both ways", "[kernels]", float,
                   double) {
  constexpr auto kNan = std::numeric_limits<TestType>::quiet_NaN();
  TestMatrix<TestType> u(1, 8);  // 4 gates, 4 inputs
  const TestType values[] = {kNan, 1000, -1000, 1, 3, 3, 3, kNan};
  std::ranges::copy(values, u.view().data);
  for (const Activation kind : kGatedKinds) {
    TestMatrix<TestType> y(1, 4);
    activation_forward<TestType>(kind, u, {}, y);
    CHECK(std::isnan(y.at(0, 0)));
    CHECK(y.at(0, 1) == (kind == Activation::kGlu ? 3 : 3000));
    CHECK(y.at(0, 2) == 0);
    CHECK(std::isnan(y.at(0, 3)));
    TestMatrix<TestType> du(1, 8);
    TestMatrix<TestType> dy(1, 4);
    for (int64_t i = 0; i < 4; ++i) dy.at(0, i) = i == 1 ? kNan : 1;
    activation_backward<TestType>(kind, u, {}, dy, du, false);
    for (const int64_t i : {0, 1, 3}) CHECK(std::isnan(du.at(0, i)));
    for (const int64_t i : {0, 1}) CHECK(std::isnan(du.at(0, 4 + i)));
    CHECK(du.at(0, 2) == 0);
    CHECK(du.at(0, 6) == 0);
  }
}

TEST_CASE("activations have the same bits with any number of threads", "[kernels]") {
  const auto u = TestMatrix<float>::random(200, 300, 1);
  const auto run = [&](int count) {
    const test::ThreadsScope scope(count);
    TestMatrix<float> y(200, 300);
    activation_forward<float>(Activation::kGelu, u, kDropout, y);
    activation_backward<float>(Activation::kSwish, u, kDropout, u, y, true);
    TestMatrix<float> gated(200, 150);
    activation_forward<float>(Activation::kGeglu, u, kDropout, gated);
    activation_backward<float>(Activation::kSwiglu, u, kDropout, gated, y, true);
    return y.values();
  };
  const auto one = run(1);
  CHECK(run(2) == one);
  CHECK(run(3) == one);
}

TEST_CASE("activations refuse shapes that differ", "[kernels]") {
  TestMatrix<float> u(2, 3);
  TestMatrix<float> y(3, 2);
  CHECK_THROWS_AS(activation_forward<float>(Activation::kRelu, u, {}, y), InternalError);
  CHECK_THROWS_AS(activation_backward<float>(Activation::kRelu, u, {}, y, u, false), InternalError);
  CHECK_THROWS_AS(activation_forward<float>(Activation::kGlu, u, {}, u), InternalError);
  CHECK_THROWS_AS(activation_backward<float>(Activation::kGlu, u, {}, u, u, false), InternalError);
}

}  // namespace calque::kernels
