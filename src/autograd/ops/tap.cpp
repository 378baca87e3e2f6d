#include "autograd/ops/tap.h"

#include "base/profile.h"
#include "kernels/elementwise.h"
#include "kernels/work.h"

namespace calque::ops {
namespace {

struct TapBackward {
  Var x, y;
  Tensor gradient;

  static void run(const TapBackward& op, Tape& tape, Workspace&) {
    const ProfileScope scope("tap backward", [&] {
      return kernels::work::pass<Real>(op.y.rows(), op.y.cols(), op.gradient ? 2 : 0);
    });
    if (op.gradient) kernels::copy<Real>(tape.gradient(op.y).values(), op.gradient.values());
    tape.pass_gradient(op.y, op.x);
  }
};

Tensor sum(Context& context, const Tensor& x, const Tensor& addend) {
  const ProfileScope scope("tap", [&] { return kernels::work::pass<Real>(x.rows(), x.cols(), 3); });
  CALQUE_CHECK(addend.shape == x.shape, "{} + {}", x.shape.to_string(), addend.shape.to_string());
  const Tensor value = context.arena.tensor(x.shape);
  kernels::copy<Real>(x.values(), value.values());
  kernels::add_to<Real>(addend.values(), value.values());
  return value;
}

}  // namespace

Var tap(Context& context, const Var& x, const Tap& tap) {
  if (!tap) return x;
  const Tensor value = tap.addend ? sum(context, x.value, tap.addend) : x.value;
  if (tap.gradient) {
    CALQUE_CHECK(context.tape != nullptr, "a gradient is wanted, but nothing is recorded");
    CALQUE_CHECK(tap.gradient.shape == x.value.shape, "a gradient of shape {} for a tensor of {}",
                 tap.gradient.shape.to_string(), x.value.shape.to_string());
  }
  const Var y = tap.gradient ? context.tape->output(value) : context.result(value, x);
  if (y.needs_gradient()) {
    context.tape->record(y, TapBackward{x, y, tap.gradient}, &TapBackward::run);
  }
  return y;
}

}  // namespace calque::ops
