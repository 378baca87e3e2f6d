#include "autograd/ops/tanh.h"

#include "kernels/tanh.h"

namespace calque::ops {
namespace {

struct TanhBackward {
  Var x, y;

  static void run(const TanhBackward& op, Tape& tape, Workspace&) {
    const GradientTarget dx = tape.target_over(op.y, op.x);
    if (!dx) return;
    kernels::tanh_backward<Real>(op.y.value.data, tape.gradient(op.y).data, op.y.value.count(),
                                 dx.tensor.data, dx.accumulate);
  }
};

}  // namespace

Var tanh(Context& context, const Var& x) {
  const Tensor value = context.arena.tensor(x.value.shape);
  const Var y = context.result(value, x);
  if (y.needs_gradient()) context.tape->record(y, TanhBackward{x, y}, &TanhBackward::run);
  kernels::tanh_forward<Real>(x.value.data, x.value.count(), value.data);
  return y;
}

}  // namespace calque::ops
