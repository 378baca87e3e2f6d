#include "autograd/ops/scale.h"

#include "base/profile.h"
#include "kernels/elementwise.h"
#include "kernels/work.h"

namespace calque::ops {
namespace {

struct ScaleBackward {
  Var x, y;
  Real factor;

  static void run(const ScaleBackward& op, Tape& tape, Workspace&) {
    const ProfileScope scope(
        "scale backward", [&] { return kernels::work::pass<Real>(op.y.rows(), op.y.cols(), 2); });
    if (const GradientTarget dx = tape.target_over(op.y, op.x)) {
      kernels::scale<Real>(tape.gradient(op.y).values(), op.factor, dx.tensor.values(),
                           dx.accumulate);
    }
  }
};

}  // namespace

Var scale(Context& context, const Var& x, double factor) {
  const ProfileScope scope("scale",
                           [&] { return kernels::work::pass<Real>(x.rows(), x.cols(), 2); });
  const Tensor value = context.arena.tensor(x.value.shape);
  kernels::scale<Real>(x.value.values(), static_cast<Real>(factor), value.values(), false);
  const Var y = context.result(value, x);
  if (y.needs_gradient()) {
    context.tape->record(y, ScaleBackward{x, y, static_cast<Real>(factor)}, &ScaleBackward::run);
  }
  return y;
}

}  // namespace calque::ops
