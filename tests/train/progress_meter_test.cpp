#include "train/progress_meter.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/catch.h"

using calque::ProgressMeter;
using calque::UpdateResult;

namespace {

/// An update of 60 + 40 tokens: loss 2 and negative log-likelihood log(5) per target token.
UpdateResult update() { return {80, 40 * std::log(5.0), 60, 40, 1.5, 4.2e-3}; }

void sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

}  // namespace

TEST_CASE("a progress line gives means per target token since the last restart", "[train]") {
  ProgressMeter meter(1000, 8000, 0);
  meter.add({999, 999, 1, 1, 99, 1});
  meter.restart();
  meter.add(update());
  meter.add(update());
  CHECK_THAT(
      meter.line(1200, 12.34, 0),
      ContainsSubstring("step 1,200/8,000  epoch 12.34  loss 2.000  ppl 5.00  lr 4.20e-03  "));
  CHECK_THAT(meter.line(1200, 12.34, 0), ContainsSubstring(" tokens/s  ETA "));
  CHECK_THAT(meter.line(1200, 12.34, 0), !ContainsSubstring("skipped"));
  CHECK_THAT(meter.line(1200, 12.34, 1003), ContainsSubstring("  1,003 skipped"));
  const nlohmann::json metrics = meter.metrics(1200, 12.34, 3);
  CHECK(metrics["skipped"] == 3);
  CHECK(metrics["step"] == 1200);
  CHECK(metrics["epoch"] == 12.34);
  CHECK(metrics["loss"] == Approx(2));
  CHECK(metrics["perplexity"] == Approx(5));
  CHECK(metrics["gradient_norm"] == Approx(1.5));
  CHECK(metrics["learning_rate"] == Approx(4.2e-3));
}

TEST_CASE("tokens per second count source and target, and no time of a pause", "[train]") {
  ProgressMeter meter(0, 100, 0);
  sleep(0.01);
  meter.add(update());
  meter.pause();
  sleep(0.3);
  meter.pause();  // as saving does inside of validating
  const double rate = meter.metrics(1, 0, 0)["tokens_per_second"];
  CHECK(rate > 100 / 0.3);
  CHECK(rate <= 100 / 0.01);
  meter.resume();
  CHECK(meter.metrics(1, 0, 0)["tokens_per_second"] <= rate);
  CHECK(meter.metrics(1, 0, 0)["tokens_per_second"] > 100 / 0.3);
}

TEST_CASE("the time that is left goes by steps of this call, or by the clock", "[train]") {
  ProgressMeter by_steps(500, 1000, 0);
  sleep(0.02);
  by_steps.add(update());
  by_steps.pause();
  // One update took 20 ms or more, and 499 are left: 10 s or more.
  CHECK(by_steps.line(501, 0, 0).find(" ms") == std::string::npos);
  CHECK_THAT(by_steps.line(1000, 0, 0), ContainsSubstring("ETA 0 ms"));

  ProgressMeter by_clock(0, 1'000'000'000, 2);
  sleep(0.01);
  by_clock.add(update());
  CHECK_THAT(by_clock.line(1, 0, 0),
             ContainsSubstring("ETA 2 min 00 s") || ContainsSubstring("ETA 1 min 59 s"));
}
