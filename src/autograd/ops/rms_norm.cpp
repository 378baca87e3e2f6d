#include "autograd/ops/rms_norm.h"

#include "base/profile.h"
#include "kernels/rms_norm.h"
#include "kernels/work.h"

namespace calque::ops {
namespace {

struct RmsNormBackward {
  Var x, gain, y;
  const Real* rrms;

  static void run(const RmsNormBackward& op, Tape& tape, Workspace& workspace) {
    const ProfileScope scope("rms norm backward", [&] {
      return kernels::work::pass<Real>(op.x.rows(), op.x.cols(), 3);
    });
    const GradientTarget dx = tape.target(op.x);
    const GradientTarget dgain = tape.target(op.gain);
    kernels::rms_norm_backward<Real>(tape.gradient(op.y).matrix(), op.x.matrix(),
                                     op.gain.value.data, op.rrms, dx.matrix(), dx.accumulate,
                                     dgain.tensor.data, dgain.accumulate, workspace);
  }
};

}  // namespace

Var rms_norm(Context& context, const Var& x, const Var& gain, double epsilon) {
  const int64_t tokens = x.rows();
  const int64_t model = x.cols();
  const ProfileScope scope("rms norm", [&] { return kernels::work::pass<Real>(tokens, model, 2); });
  CHECK_SHAPE(gain.value, {model});
  const Tensor value = context.arena.tensor({tokens, model});
  const Var y = context.result(value, x, gain);
  Real* rrms = nullptr;
  if (y.needs_gradient()) {
    rrms = context.arena.allocate<Real>(tokens);
    context.tape->record(y, RmsNormBackward{x, gain, y, rrms}, &RmsNormBackward::run);
  }
  kernels::rms_norm_forward<Real>(x.matrix(), gain.value.data, epsilon, value.matrix(), rrms);
  return y;
}

}  // namespace calque::ops
