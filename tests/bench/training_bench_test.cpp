#include "bench/training_bench.h"

#include "support/catch.h"

using namespace calque::bench;

TEST_CASE("a training's figures follow from its steps", "[bench]") {
  TrainingBenchmark training;
  training.step_seconds = {0.5, 0.1, 0.2, 0.2};
  training.source_tokens = 300;
  training.target_tokens = 200;
  training.linear_flops = 60;
  training.peak_before.flops = 80;
  training.peak_after.flops = 120;
  CHECK(training.seconds() == Approx(1.0));
  CHECK(training.median_step() == Approx(0.2));
  CHECK(training.tokens_per_second() == Approx(500.0));
  CHECK(training.utilisation() == Approx(0.5));  // of the better peak
  training.peak_before.flops = 240;
  CHECK(training.utilisation() == Approx(0.25));
  training.step_seconds.pop_back();
  CHECK(training.median_step() == Approx(0.2));
}
