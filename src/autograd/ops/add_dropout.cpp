#include "autograd/ops/add_dropout.h"

#include "base/profile.h"
#include "kernels/work.h"

namespace calque::ops {
namespace {

struct AddDropoutBackward {
  Var x, f, y;
  kernels::Dropout dropout;

  static void run(const AddDropoutBackward& op, Tape& tape, Workspace&) {
    const ProfileScope scope("residual backward", [&] {
      return kernels::work::pass<Real>(op.y.rows(), op.y.cols(), op.dropout.active() ? 2 : 0);
    });
    if (!op.dropout.active()) {
      tape.pass_gradient(op.y, op.f);
    } else if (const GradientTarget df = tape.target(op.f)) {
      kernels::apply_dropout<Real>(tape.gradient(op.y).matrix(), op.dropout, df.matrix(),
                                   df.accumulate);
    }
    tape.pass_gradient(op.y, op.x);
  }
};

Var add_dropout_into(const Tensor& value, Context& context, const Var& x, const Var& f,
                     const kernels::Dropout& dropout) {
  const ProfileScope scope("residual",
                           [&] { return kernels::work::pass<Real>(x.rows(), x.cols(), 3); });
  CALQUE_CHECK(x.value.shape == f.value.shape, "{} + {}", x.value.shape.to_string(),
               f.value.shape.to_string());
  kernels::add_dropout<Real>(x.matrix(), f.matrix(), dropout, value.matrix());
  const Var y = context.result(value, x, f);
  if (y.needs_gradient()) {
    context.tape->record(y, AddDropoutBackward{x, f, y, dropout}, &AddDropoutBackward::run);
  }
  return y;
}

}  // namespace

Var add_dropout(Context& context, const Var& x, const Var& f, const kernels::Dropout& dropout) {
  return add_dropout_into(context.arena.tensor(x.value.shape), context, x, f, dropout);
}

Var add_dropout(Context& context, const Var& x, Var&& f, const kernels::Dropout& dropout) {
  return add_dropout_into(f.value, context, x, f, dropout);
}

}  // namespace calque::ops
