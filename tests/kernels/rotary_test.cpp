#include "kernels/rotary.h"

#include <cmath>
#include <complex>
#include <numeric>

#include "base/error.h"
#include "kernels/embedding.h"
#include "kernels/matrices.h"
#include "support/catch.h"

namespace calque::kernels {
namespace {

constexpr int64_t kHead = 6;

template <class T>
TestMatrix<T> sinusoids(int64_t longest) {
  TestMatrix<T> table(longest, kHead);
  sinusoidal_positions<T>(table.view());
  return table;
}

TEST_CASE("rotary positions multiply pairs, as complex numbers, by e^(i angle)", "[kernels]") {
  const std::vector<int32_t> positions{0, 5, 299, 1};
  const auto x = TestMatrix<double>::random(4, 20, 1, 23);
  TestMatrix<double> y(4, 20);
  rotary<double>(x, 12, sinusoids<double>(300), positions, Turn::kForward, y, false);
  TestMatrix<double> expected(4, 20);
  for (int64_t t = 0; t < 4; ++t) {
    for (int64_t c = 0; c < 12; c += 2) {
      const double angle = positions[static_cast<size_t>(t)] /
                           std::pow(10000.0, static_cast<double>(c % kHead) / kHead);
      const auto turned = std::complex(x.at(t, c), x.at(t, c + 1)) * std::polar(1.0, angle);
      expected.at(t, c) = turned.real();
      expected.at(t, c + 1) = turned.imag();
    }
    for (int64_t c = 12; c < 20; ++c) expected.at(t, c) = x.at(t, c);
  }
  CHECK(relative_difference(y, expected) < 1e-13);

  const auto narrow = TestMatrix<float>::random(4, 20, 1, 23);
  TestMatrix<float> narrow_y(4, 20);
  rotary<float>(narrow, 12, sinusoids<float>(300), positions, Turn::kForward, narrow_y, false);
  CHECK(relative_difference(narrow_y, expected) < 1e-6);
}

TEST_CASE("turned back, numbers are what they were, in place and added to others", "[kernels]") {
  const std::vector<int32_t> positions{3, 0, 17};
  const auto table = sinusoids<double>(18);
  const auto x = TestMatrix<double>::random(3, 14, 1);
  auto y = TestMatrix<double>::random(3, 14, 1);
  rotary<double>(y, 12, table, positions, Turn::kForward, y, false);
  CHECK(relative_difference(y, x) > 0.1);
  rotary<double>(y, 12, table, positions, Turn::kBack, y, false);
  CHECK(relative_difference(y, x) < 1e-14);
  rotary<double>(x, 12, table, positions, Turn::kForward, y, true);
  rotary<double>(x, 12, table, positions, Turn::kForward, y, true);
  TestMatrix<double> turned(3, 14);
  rotary<double>(x, 12, table, positions, Turn::kForward, turned, false);
  for (int64_t r = 0; r < 3; ++r) {
    for (int64_t c = 0; c < 14; ++c) turned.at(r, c) = 2 * turned.at(r, c) + x.at(r, c);
  }
  CHECK(relative_difference(y, turned) < 1e-14);
}

TEST_CASE("the product of a turned query and a turned key depends on their distance alone",
          "[kernels]") {
  const auto query = TestMatrix<double>::random(1, kHead, 1);
  const auto key = TestMatrix<double>::random(1, kHead, 2);
  const auto table = sinusoids<double>(100);
  const auto score = [&](int32_t i, int32_t j) {
    TestMatrix<double> q(1, kHead), k(1, kHead);
    rotary<double>(query, kHead, table, std::vector{i}, Turn::kForward, q, false);
    rotary<double>(key, kHead, table, std::vector{j}, Turn::kForward, k, false);
    return std::inner_product(q.view().data, q.view().data + kHead, k.view().data, 0.0);
  };
  CHECK(score(5, 3) == Approx(score(99, 97)).epsilon(1e-10));
  CHECK(score(3, 5) == Approx(score(0, 2)).epsilon(1e-10));
  CHECK(score(5, 3) != Approx(score(3, 5)).epsilon(1e-3));
}

TEST_CASE("rotary positions refuse what does not fit", "[kernels]") {
  const auto table = sinusoids<float>(4);
  const std::vector<int32_t> positions{0, 3};
  TestMatrix<float> x(2, 12);
  const auto turn = [&](int64_t turned, const std::vector<int32_t>& at) {
    rotary<float>(x, turned, table, at, Turn::kForward, x, false);
  };
  CHECK_NOTHROW(turn(12, positions));
  CHECK_THROWS_AS(turn(9, positions), InternalError);
  CHECK_THROWS_AS(turn(18, positions), InternalError);
  CHECK_THROWS_AS(turn(12, {0, 4}), InternalError);
  CHECK_THROWS_AS(turn(12, {0}), InternalError);
}

}  // namespace
}  // namespace calque::kernels
