#include "optim/schedule.h"

#include <cmath>

#include "base/error.h"
#include "support/catch.h"

namespace calque {
namespace {

double rate(ScheduleKind kind, int64_t warmup, int64_t step) {
  OptimizerOptions options;
  options.schedule = kind;
  options.learning_rate = 2;
  options.warmup_steps = warmup;
  return learning_rate(options, /*model=*/256, /*max_steps=*/499, step);
}

TEST_CASE("every schedule but noam warms up in a line to its peak", "[optim]") {
  const ScheduleKind kind = GENERATE(ScheduleKind::kInverseSqrt, ScheduleKind::kLinear,
                                     ScheduleKind::kCosine, ScheduleKind::kConstant);
  CHECK(rate(kind, 100, 1) == Approx(0.02));
  CHECK(rate(kind, 100, 50) == Approx(1));
  CHECK(rate(kind, 100, 100) == Approx(2));
  CHECK(rate(kind, 100, 101) <= 2);
}

TEST_CASE("the schedules have their closed values after the warm-up", "[optim]") {
  CHECK(rate(ScheduleKind::kInverseSqrt, 100, 400) == Approx(1));
  CHECK(rate(ScheduleKind::kInverseSqrt, 100, 10000) == Approx(0.2));
  CHECK(rate(ScheduleKind::kLinear, 100, 300) == Approx(1));
  CHECK(rate(ScheduleKind::kLinear, 100, 500) == 0);
  CHECK(rate(ScheduleKind::kLinear, 100, 600) == 0);
  CHECK(rate(ScheduleKind::kCosine, 100, 200) == Approx(1 + std::sqrt(0.5)));
  CHECK(rate(ScheduleKind::kCosine, 100, 300) == Approx(1));
  CHECK(rate(ScheduleKind::kCosine, 100, 500) == Approx(0).margin(1e-15));
  CHECK(rate(ScheduleKind::kConstant, 100, 12345) == 2);
}

TEST_CASE("noam is the formula of the paper", "[optim]") {
  CHECK(rate(ScheduleKind::kNoam, 100, 1) == Approx(2.0 / 16 / 1000));
  CHECK(rate(ScheduleKind::kNoam, 100, 100) == Approx(2.0 / 16 / 10));
  CHECK(rate(ScheduleKind::kNoam, 100, 400) == Approx(2.0 / 16 / 20));
  CHECK(rate(ScheduleKind::kNoam, 0, 4) == Approx(2.0 / 16 / 2));
}

TEST_CASE("the last update still learns, the rate behind it is zero", "[optim]") {
  for (const ScheduleKind kind : {ScheduleKind::kLinear, ScheduleKind::kCosine}) {
    CHECK(rate(kind, 100, 499) > 0);
    CHECK(rate(kind, 100, 500) == Approx(0).margin(1e-15));
  }
  CHECK(rate(ScheduleKind::kLinear, 100, 499) == Approx(2.0 / 400));
}

TEST_CASE("no warm-up starts at the peak", "[optim]") {
  CHECK(rate(ScheduleKind::kInverseSqrt, 0, 1) == 2);
  CHECK(rate(ScheduleKind::kInverseSqrt, 0, 16) == Approx(0.5));
  CHECK(rate(ScheduleKind::kLinear, 0, 1) == Approx(2 * (1 - 1.0 / 500)));
  CHECK(rate(ScheduleKind::kCosine, 0, 250) == Approx(1));
  CHECK(rate(ScheduleKind::kConstant, 0, 1) == 2);
}

TEST_CASE("a warm-up that never ends is no division by zero", "[optim]") {
  CHECK(rate(ScheduleKind::kLinear, 500, 499) == Approx(2 * 0.998));
  CHECK(rate(ScheduleKind::kLinear, 500, 500) == 0);
  CHECK(rate(ScheduleKind::kCosine, 700, 350) == Approx(1));
  CHECK_THROWS_AS(rate(ScheduleKind::kConstant, 0, 0), InternalError);
}

}  // namespace
}  // namespace calque
