#include "train/progress_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace calque {

ProgressMeter::ProgressMeter(int64_t first_step, int64_t max_steps, double max_minutes)
    : first_step_(first_step), max_steps_(max_steps), max_seconds_(60 * max_minutes) {}

void ProgressMeter::add(const UpdateResult& update) {
  sums_.loss += update.loss;
  sums_.negative_log_likelihood += update.negative_log_likelihood;
  sums_.source_tokens += update.source_tokens;
  sums_.target_tokens += update.target_tokens;
  sums_.gradient_norm += update.gradient_norm;
  sums_.learning_rate = update.learning_rate;
  ++updates_;
}

void ProgressMeter::restart() {
  all_running_seconds_ += seconds();
  running_seconds_ = 0;
  watch_.restart();
  sums_ = {};
  updates_ = 0;
}

void ProgressMeter::go_back(int64_t step) {
  restart();
  first_step_ = step;
  all_running_seconds_ = 0;
}

double ProgressMeter::tokens_per_second() const {
  return static_cast<double>(sums_.source_tokens + sums_.target_tokens) / std::max(seconds(), 1e-9);
}

double ProgressMeter::remaining_seconds(int64_t step) const {
  const double per_step = (all_running_seconds_ + seconds()) /
                          static_cast<double>(std::max<int64_t>(step - first_step_, 1));
  const double by_steps = per_step * static_cast<double>(max_steps_ - step);
  return max_seconds_ > 0 ? std::min(by_steps, std::max(max_seconds_ - total_.seconds(), 0.0))
                          : by_steps;
}

std::string ProgressMeter::line(int64_t step, double epoch, int64_t skipped) const {
  const auto tokens = static_cast<double>(std::max<int64_t>(sums_.target_tokens, 1));
  return fmt::format(
      "step {}/{}  epoch {:.2f}  loss {:.3f}  ppl {:.2f}  lr {:.2e}  {} tokens/s  ETA {}{}",
      format_count(step), format_count(max_steps_), epoch, sums_.loss / tokens,
      std::exp(sums_.negative_log_likelihood / tokens), sums_.learning_rate,
      format_count(std::llround(tokens_per_second())), format_duration(remaining_seconds(step)),
      skipped > 0 ? fmt::format("  {} skipped", format_count(skipped)) : "");
}

nlohmann::json ProgressMeter::metrics(int64_t step, double epoch, int64_t skipped) const {
  const auto tokens = static_cast<double>(std::max<int64_t>(sums_.target_tokens, 1));
  return {
      {"step", step},
      {"epoch", epoch},
      {"loss", sums_.loss / tokens},
      {"perplexity", std::exp(sums_.negative_log_likelihood / tokens)},
      {"learning_rate", sums_.learning_rate},
      {"gradient_norm", sums_.gradient_norm / static_cast<double>(std::max<int64_t>(updates_, 1))},
      {"tokens_per_second", tokens_per_second()},
      {"skipped", skipped}};
}

}  // namespace calque
