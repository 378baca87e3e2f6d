#include "bench/training_bench.h"

#include <numeric>

#include "base/stopwatch.h"
#include "bench/measure.h"
#include "model/linear_flops.h"

namespace calque::bench {
namespace {

TrainingMemory memory_of(const Trainer& trainer, const Transformer& model) {
  const size_t parameters = model.parameters().values().size_bytes();
  return {parameters,
          parameters,
          trainer.learner().optimizer_bytes(),
          trainer.learner().activation_bytes(),
          trainer.learner().gradient_bytes(),
          trainer.learner().scratch_bytes(),
          peak_resident_bytes()};
}

}  // namespace

double TrainingBenchmark::seconds() const {
  return std::accumulate(step_seconds.begin(), step_seconds.end(), 0.0);
}

double TrainingBenchmark::median_step() const { return quantile(step_seconds, 0.5); }

double TrainingBenchmark::tokens_per_second() const {
  return static_cast<double>(source_tokens + target_tokens) / seconds();
}

const GemmPeak& TrainingBenchmark::peak() const {
  return peak_after.flops > peak_before.flops ? peak_after : peak_before;
}

double TrainingBenchmark::utilisation() const { return linear_flops / seconds() / peak().flops; }

TrainingBenchmark benchmark_training(Trainer& trainer, const Transformer& model, int64_t warm_up,
                                     int64_t steps) {
  TrainingBenchmark result;
  const kernels::Precision precision = trainer.precision();
  result.peak_before = gemm_peak(precision);
  for (int64_t i = 0; i < warm_up; ++i) trainer.update();
  profile::enable(true);
  profile::reset();
  for (int64_t i = 0; i < steps; ++i) {
    const Stopwatch watch;
    const UpdateResult update = trainer.update();
    result.step_seconds.push_back(watch.seconds());
    result.source_tokens += update.source_tokens;
    result.target_tokens += update.target_tokens;
    result.linear_flops +=
        trainer.passes() * linear_layer_flops(model.options(), model.target_vocab(),
                                              update.source_tokens, update.target_tokens);
  }
  profile::enable(false);
  result.parts = profile::parts();
  result.memory = memory_of(trainer, model);
  result.peak_after = gemm_peak(precision);
  return result;
}

}  // namespace calque::bench
