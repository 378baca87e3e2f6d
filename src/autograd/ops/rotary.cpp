#include "autograd/ops/rotary.h"

#include "base/profile.h"
#include "kernels/work.h"

namespace calque::ops {
namespace {

struct RotaryBackward {
  Var x, y;
  int64_t turned;
  ConstMatrixView<Real> table;
  std::span<const int32_t> positions;

  static void run(const RotaryBackward& op, Tape& tape, Workspace&) {
    const ProfileScope scope("rotary backward",
                             [&] { return kernels::work::pass<Real>(op.y.rows(), op.turned, 2); });
    if (const GradientTarget dx = tape.target_over(op.y, op.x)) {
      kernels::rotary<Real>(tape.gradient(op.y).matrix(), op.turned, op.table, op.positions,
                            kernels::Turn::kBack, dx.matrix(), dx.accumulate);
    }
  }
};

}  // namespace

Var rotary(Context& context, Var&& x, int64_t turned, ConstMatrixView<Real> table,
           std::span<const int32_t> positions) {
  const ProfileScope scope("rotary",
                           [&] { return kernels::work::pass<Real>(x.rows(), turned, 2); });
  kernels::rotary<Real>(x.matrix(), turned, table, positions, kernels::Turn::kForward, x.matrix(),
                        false);
  const Var y = context.result(x.value, x);
  if (y.needs_gradient()) {
    context.tape->record(y, RotaryBackward{x, y, turned, table, positions}, &RotaryBackward::run);
  }
  return y;
}

}  // namespace calque::ops
