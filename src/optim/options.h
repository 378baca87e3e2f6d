#pragma once

#include <cstdint>

namespace calque {

/// How the learning rate moves over the updates; formulas in optim/schedule.h.
enum class ScheduleKind { kInverseSqrt, kNoam, kLinear, kCosine, kConstant };

/// kAdam: weight decay, if any, is L2 (added to the gradient). kAdamW: decoupled (Loshchilov and
/// Hutter 2019).
enum class OptimizerKind { kAdam, kAdamW };

/// What turns gradients into updates.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdam;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double epsilon = 1e-9;
  double weight_decay = 0;
  double clip_norm = 0;  // bound of the gradient's global norm; 0: no clipping
  ScheduleKind schedule = ScheduleKind::kInverseSqrt;
  double learning_rate = 5e-4;  // the highest; of noam: the factor before the paper's formula
  int64_t warmup_steps = 4000;
};

}  // namespace calque
