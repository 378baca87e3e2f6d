#pragma once

#include <vector>

#include "base/profile.h"
#include "bench/machine.h"
#include "train/trainer.h"

namespace calque::bench {

/// Bytes at their most, by owner.
struct TrainingMemory {
  size_t parameters = 0;
  size_t parameter_gradients = 0;
  size_t optimizer = 0;
  size_t activations = 0;
  size_t activation_gradients = 0;
  size_t scratch = 0;
  size_t process = 0;  // peak resident set: all of it, the program, its libraries and the data too
};

/// Whole updates of the weights, timed.
struct TrainingBenchmark {
  std::vector<double> step_seconds;  // in the order of the steps
  int64_t source_tokens = 0;         // of all steps
  int64_t target_tokens = 0;
  double linear_flops = 0;           // model/linear_flops.h, of all steps
  std::vector<profile::Part> parts;  // of all steps
  TrainingMemory memory;
  GemmPeak peak_before;
  GemmPeak peak_after;

  double seconds() const;  // of all steps
  double median_step() const;
  double tokens_per_second() const;  // source and target
  const GemmPeak& peak() const;      // the better one
  /// Share of the GEMM peak: FLOPs of the linear layers / time / peak.
  double utilisation() const;
};

/// Makes `warm_up` updates, then `steps` that count; before and after, the GEMM peak of its
/// precision. A step is
/// Trainer::update: the batch, forward, backward, optimizer.
TrainingBenchmark benchmark_training(Trainer& trainer, const Transformer& model, int64_t warm_up,
                                     int64_t steps);

}  // namespace calque::bench
