#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace calque {
namespace {

/// How much of the way from the end of the warm-up to behind the last step is done: in [0, 1].
double progress(double warmup, double max_steps, double step) {
  const double end = max_steps + 1;
  return end > warmup ? std::min(1.0, (step - warmup) / (end - warmup)) : 1.0;
}

/// The rate as a share of options.learning_rate, after the warm-up.
double decay(ScheduleKind schedule, double warmup, double max_steps, double step) {
  switch (schedule) {
    case ScheduleKind::kInverseSqrt:
      return std::sqrt(std::max(warmup, 1.0) / step);
    case ScheduleKind::kLinear:
      return 1 - progress(warmup, max_steps, step);
    case ScheduleKind::kCosine:
      return (1 + std::cos(std::numbers::pi * progress(warmup, max_steps, step))) / 2;
    case ScheduleKind::kNoam:
    case ScheduleKind::kConstant:
      break;
  }
  return 1;
}

}  // namespace

double learning_rate(const OptimizerOptions& options, int64_t model, int64_t max_steps,
                     int64_t step) {
  CALQUE_CHECK(step >= 1, "step = {}", step);
  const auto now = static_cast<double>(step);
  const auto warmup = static_cast<double>(options.warmup_steps);
  if (options.schedule == ScheduleKind::kNoam) {
    const double ramp = warmup > 0 ? now * std::pow(warmup, -1.5) : 1.0;
    return options.learning_rate / std::sqrt(static_cast<double>(model)) *
           std::min(1 / std::sqrt(now), ramp);
  }
  if (now < warmup) return options.learning_rate * now / warmup;
  return options.learning_rate *
         decay(options.schedule, warmup, static_cast<double>(max_steps), now);
}

}  // namespace calque
