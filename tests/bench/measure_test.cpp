#include "bench/measure.h"

#include <cmath>
#include <set>
#include <thread>

#include "bench/machine.h"
#include "support/catch.h"

using namespace calque;
using namespace calque::bench;

TEST_CASE("the fastest of several runs counts, and one run is enough", "[bench]") {
  int calls = 0;
  const double seconds = fastest_seconds(
      0.05, [&] { std::this_thread::sleep_for(std::chrono::milliseconds(++calls == 2 ? 1 : 20)); });
  CHECK(calls >= 3);
  CHECK((seconds >= 0.001 && seconds < 0.02));
  int long_calls = 0;
  fastest_seconds(0.001, [&] {
    ++long_calls;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  CHECK(long_calls == 1);
}

TEST_CASE("quantiles lie between the values that they are of", "[bench]") {
  const std::vector<double> values = {4, 1, 3, 2};
  CHECK(quantile(values, 0) == 1);
  CHECK(quantile(values, 0.5) == 2.5);
  CHECK(quantile(values, 0.95) == Approx(3.85));
  CHECK(quantile(values, 1) == 4);
  CHECK(quantile({7}, 0.95) == 7);
  CHECK(quantile({}, 0.5) == 0);
}

TEST_CASE("what is measured on is random and never 0", "[bench]") {
  const RandomMatrix matrix(37, 19);
  std::set<float> different;
  double sum = 0;
  for (const float value : matrix.values()) {
    REQUIRE(value != 0);
    REQUIRE(std::abs(value) < 1);
    different.insert(value);
    sum += value;
  }
  CHECK(different.size() > 690);
  CHECK(std::abs(sum / 703) < 0.1);
}

TEST_CASE("measuring an engine leaves the engine in use as it was", "[bench]") {
  const kernels::GemmEngine before = kernels::gemm_engine();
  for (const Multiplier& multiplier : multipliers()) {
    CHECK(gemm_speed(multiplier, kernels::GemmForm::kTN, 16, 32, 48, 0.001) > 0);
    CHECK(kernels::gemm_engine() == before);
  }
}
