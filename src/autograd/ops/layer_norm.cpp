#include "autograd/ops/layer_norm.h"

#include "base/profile.h"
#include "kernels/layer_norm.h"
#include "kernels/work.h"

namespace calque::ops {
namespace {

struct LayerNormBackward {
  Var x, gain, bias, y;
  const Real* mean;
  const Real* rstd;

  static void run(const LayerNormBackward& op, Tape& tape, Workspace& workspace) {
    const ProfileScope scope("layer norm backward", [&] {
      return kernels::work::pass<Real>(op.x.rows(), op.x.cols(), 3);
    });
    const GradientTarget dx = tape.target(op.x);
    const GradientTarget dgain = tape.target(op.gain);
    const GradientTarget dbias = tape.target(op.bias);
    kernels::layer_norm_backward<Real>(
        tape.gradient(op.y).matrix(), op.x.matrix(), op.gain.value.data, op.mean, op.rstd,
        dx.matrix(), dx.accumulate, dgain.tensor.data, dgain.accumulate, dbias.tensor.data,
        dbias.accumulate, workspace);
  }
};

}  // namespace

Var layer_norm(Context& context, const Var& x, const Var& gain, const Var& bias, double epsilon) {
  const int64_t tokens = x.rows();
  const int64_t model = x.cols();
  const ProfileScope scope("layer norm",
                           [&] { return kernels::work::pass<Real>(tokens, model, 2); });
  CHECK_SHAPE(gain.value, {model});
  CHECK_SHAPE(bias.value, {model});
  const Tensor value = context.arena.tensor({tokens, model});
  const Var y = context.result(value, x, gain, bias);
  Real* mean = nullptr;
  Real* rstd = nullptr;
  if (y.needs_gradient()) {
    mean = context.arena.allocate<Real>(tokens);
    rstd = context.arena.allocate<Real>(tokens);
    context.tape->record(y, LayerNormBackward{x, gain, bias, y, mean, rstd},
                         &LayerNormBackward::run);
  }
  kernels::layer_norm_forward<Real>(x.matrix(), gain.value.data, bias.value.data, epsilon,
                                    value.matrix(), mean, rstd);
  return y;
}

}  // namespace calque::ops
