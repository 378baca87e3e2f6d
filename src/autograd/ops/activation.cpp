#include "autograd/ops/activation.h"

#include "base/profile.h"
#include "kernels/work.h"

namespace calque::ops {
namespace {

struct ActivationBackward {
  Var u, y;
  kernels::Activation kind;
  kernels::Dropout dropout;

  static void run(const ActivationBackward& op, Tape& tape, Workspace&) {
    const ProfileScope scope("activation backward", [&] {
      return kernels::work::activation_backward<Real>(op.kind, op.y.rows(), op.y.cols());
    });
    if (const GradientTarget du = tape.target_over(op.y, op.u)) {
      kernels::activation_backward<Real>(op.kind, op.u.matrix(), op.dropout,
                                         tape.gradient(op.y).matrix(), du.matrix(), du.accumulate);
    }
  }
};

Tensor make_result(Context& context, const Var& u, kernels::Activation kind) {
  return context.arena.tensor({u.rows(), u.cols() / kernels::activation_inputs(kind)});
}

Var activation_into(const Tensor& value, Context& context, const Var& u, kernels::Activation kind,
                    const kernels::Dropout& dropout) {
  const ProfileScope scope("activation", [&] {
    return kernels::work::activation_forward<Real>(kind, value.rows(), value.cols());
  });
  kernels::activation_forward<Real>(kind, u.matrix(), dropout, value.matrix());
  const Var y = context.result(value, u);
  if (y.needs_gradient()) {
    context.tape->record(y, ActivationBackward{u, y, kind, dropout}, &ActivationBackward::run);
  }
  return y;
}

}  // namespace

Var activation(Context& context, const Var& u, kernels::Activation kind,
               const kernels::Dropout& dropout) {
  return activation_into(make_result(context, u, kind), context, u, kind, dropout);
}

Var activation(Context& context, Var&& u, kernels::Activation kind,
               const kernels::Dropout& dropout) {
  const bool over = kind == kernels::Activation::kRelu;
  return activation_into(over ? u.value : make_result(context, u, kind), context, u, kind, dropout);
}

}  // namespace calque::ops
