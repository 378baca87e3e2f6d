#pragma once

#include <cstdint>

#include "optim/options.h"

namespace calque {

/// The learning rate of update `step` (counts from 1) out of `max_steps`, for a model of width
/// `model`: a pure function, so there is nothing to save. With peak = options.learning_rate,
/// w = options.warmup_steps and t = (step - w) / (max_steps + 1 - w), at most 1, so that a rate
/// that falls to 0 gets there right behind the last update:
///
///   kInverseSqrt  peak step / w until step w, then peak sqrt(w / step) (as fairseq's inverse_sqrt
///                 with an initial rate of 0; for w = 0: peak / sqrt(step))
///   kNoam         peak model^-0.5 min(step^-0.5, step w^-1.5) (Vaswani et al. 2017, section 5.3;
///                 for w = 0: peak model^-0.5 step^-0.5)
///   kLinear       peak step / w until step w, then peak (1 - t)
///   kCosine       peak step / w until step w, then peak (1 + cos(pi t)) / 2 (Loshchilov and
///                 Hutter 2017, without restarts)
///   kConstant     peak step / w until step w, then peak
double learning_rate(const OptimizerOptions& options, int64_t model, int64_t max_steps,
                     int64_t step);

}  // namespace calque
