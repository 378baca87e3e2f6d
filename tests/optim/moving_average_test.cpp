#include "optim/moving_average.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "support/catch.h"

namespace calque {
namespace {

TEST_CASE("a moving average follows its formula", "[optim]") {
  std::vector<Real> values = {1, -2};
  MovingAverage average(0.5, values);
  CHECK(std::ranges::equal(average.values(), values));
  double expected = 1;
  for (int n = 0; n < 30; ++n) {
    values[0] = static_cast<Real>(n * n % 7);
    const double decay = std::min(0.5, (1.0 + n) / (10.0 + n));
    expected = decay * expected + (1 - decay) * values[0];
    average.update(values);
    REQUIRE(average.values()[0] == Approx(expected).epsilon(1e-5));
    REQUIRE(average.values()[1] == -2);
  }
  CHECK(average.updates() == 30);
}

TEST_CASE("exchanging twice changes nothing", "[optim]") {
  std::vector<Real> values = {1, 2, 3};
  MovingAverage average(0.9, values);
  values = {4, 5, 6};
  average.exchange(values);
  CHECK(values == std::vector<Real>{1, 2, 3});
  CHECK(std::ranges::equal(average.values(), std::vector<Real>{4, 5, 6}));
  average.exchange(values);
  CHECK(values == std::vector<Real>{4, 5, 6});
}

TEST_CASE("a moving average goes on from its values and updates", "[optim]") {
  const std::vector<Real> start = {0};
  const std::vector<Real> values = {1};
  MovingAverage whole(0.99, start);
  for (int i = 0; i < 5; ++i) whole.update(values);
  MovingAverage before(0.99, start);
  for (int i = 0; i < 2; ++i) before.update(values);
  MovingAverage after(0.99, before.values());
  after.set_updates(before.updates());
  for (int i = 0; i < 3; ++i) after.update(values);
  CHECK(whole.values()[0] == after.values()[0]);
}

TEST_CASE("a decay outside of (0, 1) and another size are refused", "[optim]") {
  const std::vector<Real> values = {1, 2};
  CHECK_THROWS_AS(MovingAverage(1, values), InternalError);
  CHECK_THROWS_AS(MovingAverage(0, values), InternalError);
  MovingAverage average(0.9, values);
  CHECK_THROWS_AS(average.update(std::vector<Real>{1}), InternalError);
}

}  // namespace
}  // namespace calque
