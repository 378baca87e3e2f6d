#include "kernels/softmax.h"

#include <cstring>

#include "kernels/matrices.h"
#include "kernels/row_math.h"
#include "kernels/simd.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

TestMatrix<double> naive_log_softmax(const TestMatrix<double>& x) {
  TestMatrix<double> y(x.rows(), x.cols());
  for (int64_t r = 0; r < x.rows(); ++r) {
    double sum = 0;
    for (int64_t c = 0; c < x.cols(); ++c) sum += std::exp(x.at(r, c));
    for (int64_t c = 0; c < x.cols(); ++c) y.at(r, c) = x.at(r, c) - std::log(sum);
  }
  return y;
}

TEST_CASE("log_softmax equals its formula at every width", "[kernels]") {
  for (int64_t cols = 2; cols <= 70; ++cols) {
    const auto x = TestMatrix<double>::random(3, cols, 1, cols + 4);
    const TestMatrix<double> expected = naive_log_softmax(x);
    TestMatrix<double> wide = x;
    log_softmax<double>(wide);
    CHECK(relative_difference(wide, expected) < 1e-14);
    auto narrow = TestMatrix<float>::random(3, cols, 1);
    log_softmax<float>(narrow);
    CHECK(relative_difference(narrow, expected) < 1e-6);
  }
  auto single = TestMatrix<float>::random(3, 1, 1);
  log_softmax<float>(single);
  CHECK(single.values() == std::vector<float>(3, 0.0f));
}

TEST_CASE("log_softmax of a long row sums to one, and large logits do not overflow", "[kernels]") {
  auto x = TestMatrix<float>::random(2, 30001, 1);
  for (int64_t c = 0; c < x.cols(); ++c) x.at(1, c) += 3e4f;
  log_softmax<float>(x);
  for (int64_t r = 0; r < 2; ++r) {
    double sum = 0;
    for (int64_t c = 0; c < x.cols(); ++c) sum += std::exp(static_cast<double>(x.at(r, c)));
    CHECK(sum == Approx(1).epsilon(r == 0 ? 1e-6 : 2e-3));  // a float near 3e4 has steps of 0.002
  }
}

TEST_CASE("log_softmax gives the same bits with 1, 2 and 3 threads", "[kernels]") {
  std::vector<float> first;
  for (const int count : {1, 2, 3}) {
    const test::ThreadsScope set(count);
    auto x = TestMatrix<float>::random(40, 1301, 1);
    log_softmax<float>(x);
    if (count == 1) first = x.values();
    CHECK(x.values() == first);
  }
}

/// The largest error, in units in the last place, of `of` against `exact`, at the
/// numbers `at(share)` for shares from 0 to 1.
template <class At, class Of, class Exact>
double worst_error(const At& at, const Of& of, const Exact& exact) {
  double worst = 0;
  constexpr int64_t kPoints = 200000;
  for (int64_t i = 0; i < kPoints; i += simd::kLanes<float>) {
    float x[simd::kLanes<float>];
    for (int64_t lane = 0; lane < simd::kLanes<float>; ++lane) {
      x[lane] = at(static_cast<float>(i + lane) / static_cast<float>(kPoints));
    }
    const simd::Vec<float> y = of(simd::load(x));
    for (int64_t lane = 0; lane < simd::kLanes<float>; ++lane) {
      const double expected = exact(static_cast<double>(x[lane]));
      const auto near = static_cast<float>(expected);
      const double unit =
          static_cast<double>(std::nextafter(near, INFINITY)) - static_cast<double>(near);
      worst = std::max(worst, std::abs(static_cast<double>(y[lane]) - expected) / unit);
    }
  }
  return worst;
}

TEST_CASE("exp of float vectors is within two units in the last place", "[kernels]") {
  CHECK(worst_error([](float share) { return -87.0f + 175.0f * share; },
                    [](simd::Vec<float> x) { return simd::exp(x); },
                    [](double x) { return std::exp(x); }) < 2);
}

TEST_CASE("log of float vectors is within two units in the last place", "[kernels]") {
  const auto log = [](simd::Vec<float> x) { return simd::log(x); };
  const auto exact = [](double x) { return std::log(x); };
  CHECK(worst_error([](float share) { return 0.5f + share; }, log, exact) < 2);
  CHECK(worst_error([](float share) { return 1.0f + 70000.0f * share; }, log, exact) < 2);
  CHECK(worst_error([](float share) { return std::exp2(-126 + 253 * share); }, log, exact) < 2);
  CHECK(simd::log(simd::broadcast(1.0f))[0] == 0.0f);
}

TEST_CASE("exp of float vectors keeps 0, 1, infinity and NaN", "[kernels]") {
  const auto exp_of = [](float x) { return simd::exp(simd::broadcast(x))[0]; };
  CHECK(exp_of(0.0f) == 1.0f);
  CHECK(exp_of(-INFINITY) == 0.0f);
  CHECK(exp_of(-1e30f) == 0.0f);
  CHECK(exp_of(INFINITY) == INFINITY);
  CHECK(exp_of(1e30f) == INFINITY);
  CHECK(std::isnan(exp_of(NAN)));
}

TEST_CASE("row sums, maxima and dot products take every element once", "[kernels]") {
  for (int64_t count = 1; count <= 70; ++count) {
    const auto a = TestMatrix<float>::random(1, count, 1);
    const auto b = TestMatrix<float>::random(1, count, 2);
    const float* const x = a.values().data();
    double product = 0, exponentials = 0, sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      product += static_cast<double>(x[i]) * static_cast<double>(b.at(0, i));
      exponentials += std::exp(static_cast<double>(x[i]) - 2);
      sum += static_cast<double>(x[i]);
    }
    CHECK(row_max(x, count) == *std::max_element(x, x + count));
    CHECK(static_cast<double>(dot(x, b.values().data(), count)) == Approx(product).margin(1e-5));
    const auto both = max_and_sum(x, count);
    CHECK(both.highest == row_max(x, count));
    CHECK(both.sum == Approx(sum).margin(1e-5));
    CHECK(sum_of_exp(x, count, 2.0f) == Approx(exponentials).epsilon(1e-6));
    TestMatrix<float> y(1, count);
    CHECK(exp_row(x, count, 2.0f, y.view().data) == sum_of_exp(x, count, 2.0f));
  }
}

}  // namespace
}  // namespace calque::kernels
