#include "autograd/ops/linear.h"

#include "kernels/gemm.h"
#include "kernels/reduce.h"

namespace calque::ops {
namespace {

using kernels::GemmForm;

kernels::RightOperand<Real> right_operand(kernels::PreparedWeights<Real>* prepared, GemmForm form,
                                          const Var& weight) {
  return kernels::right_operand<Real>(prepared, form, weight.matrix());
}

struct LinearBackward {
  Var x, weight, bias, y;
  kernels::PreparedWeights<Real>* prepared;

  static void run(const LinearBackward& op, Tape& tape, Workspace& workspace) {
    const MatrixView<Real> dy = tape.gradient(op.y).matrix();
    if (const GradientTarget dx = tape.target(op.x)) {
      kernels::gemm<Real>(dy, right_operand(op.prepared, GemmForm::kNN, op.weight), dx.matrix(),
                          dx.accumulate, workspace);
    }
    const GradientTarget dweight = tape.target(op.weight);
    const GradientTarget dbias = tape.target(op.bias);
    if (dweight) {
      kernels::weight_gradient<Real>(dy, op.x.matrix(), dweight.matrix(), dweight.accumulate,
                                     dbias.tensor.data, dbias.accumulate, workspace,
                                     kernels::precision(op.prepared));
    } else if (dbias) {
      kernels::column_sums<Real>(dy, dbias.tensor.data, dbias.accumulate, workspace);
    }
  }
};

}  // namespace

Var linear(Context& context, const Var& x, const Var& weight, const Var& bias) {
  const int64_t tokens = x.rows();
  const int64_t in = x.cols();
  const int64_t out = weight.rows();
  CHECK_SHAPE(weight.value, {out, in});
  if (bias) CHECK_SHAPE(bias.value, {out});
  const Tensor value = context.arena.tensor({tokens, out});
  kernels::gemm<Real>(x.matrix(), right_operand(context.weights, GemmForm::kNT, weight),
                      value.matrix(), false, context.workspace, bias ? bias.value.data : nullptr);
  const Var y = context.result(value, x, weight, bias);
  if (y.needs_gradient()) {
    context.tape->record(y, LinearBackward{x, weight, bias, y, context.weights},
                         &LinearBackward::run);
  }
  return y;
}

}  // namespace calque::ops
