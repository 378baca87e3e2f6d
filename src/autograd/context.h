#pragma once

#include "autograd/tape.h"
#include "autograd/var.h"
#include "kernels/dropout.h"
#include "kernels/prepared_weights.h"
#include "tensor/arena.h"
#include "tensor/workspace.h"

namespace calque {

/// What a forward pass works in. Given to every op and module first.
///   training:  a tape, and dropout with the run's seed and the number of the micro-batch
///   inference: no tape, no dropout, nothing saved for backward
struct Context {
  Arena& arena;          // values of this pass
  Workspace& workspace;  // scratch of the kernels
  Tape* tape = nullptr;  // null: no gradients are wanted
  bool training = false;  // dropout is on
  uint64_t seed = 0;
  uint32_t micro_batch = 0;  // counts the forward passes of a run
  int64_t update = 0;        // of the run, for what changes in its course
  // Of hard selection by REINFORCE (model/selection_advantages.h):
  double baseline = 0;               // what a target token is expected to cost
  const Real* advantages = nullptr;  // of the rows that attend; filled before backward
  kernels::PreparedWeights<Real>* weights = nullptr;  // null: weights may change at any time

  Context(Arena& a, Workspace& w) : arena(a), workspace(w) {}
  Context(Arena& a, Workspace& w, Tape& t, uint64_t run_seed, uint32_t run_micro_batch)
      : arena(a), workspace(w), tape(&t), training(true), seed(run_seed),
        micro_batch(run_micro_batch) {}

  /// Dropout at the site that owns `stream`; inactive unless training.
  kernels::Dropout dropout(double rate, uint32_t stream) const {
    return {training ? rate : 0.0, {seed, micro_batch, stream}};
  }

  /// The result of an op whose inputs are `inputs`: a Var with a gradient when there is a tape and
  /// some input wants one, else a constant.
  template <class... Vars>
  Var result(const Tensor& value, const Vars&... inputs) const {
    const bool wanted = tape != nullptr && (inputs.needs_gradient() || ...);
    return wanted ? tape->output(value) : Var(value);
  }
};

}  // namespace calque
