#include "autograd/ops/projection_cross_entropy.h"

#include "base/profile.h"
#include "kernels/work.h"

namespace calque::ops {

kernels::CrossEntropySums projection_cross_entropy(Context& context, const Var& x,
                                                   const Var& weight, Ids targets, double smoothing,
                                                   std::span<const Real> row_weights,
                                                   std::span<Real> log_probabilities) {
  const int64_t vocab = weight.rows();
  const ProfileScope scope("projection, cross entropy", [&] {
    return kernels::work::projection_cross_entropy<Real>(x.rows(), vocab, x.cols(),
                                                         context.tape != nullptr);
  });
  CHECK_SHAPE(weight.value, {vocab, x.cols()});
  GradientTarget dx;
  GradientTarget dweight;
  if (context.tape != nullptr) {
    dx = context.tape->target(x);
    dweight = context.tape->target(weight);
  }
  return kernels::projection_cross_entropy<Real>(
      x.matrix(), weight.matrix(), targets, row_weights, smoothing, dx.matrix(), dx.accumulate,
      dweight.matrix(), dweight.accumulate, log_probabilities, context.weights, context.workspace);
}

kernels::CrossEntropySums projection_r_drop(Context& context, const Var& first, const Var& second,
                                            const Var& weight, Ids targets, double smoothing,
                                            double r_drop) {
  const int64_t vocab = weight.rows();
  const ProfileScope scope("projection, R-Drop", [&] {
    return kernels::work::projection_cross_entropy<Real>(2 * first.rows(), vocab, first.cols(),
                                                         context.tape != nullptr);
  });
  CHECK_SHAPE(weight.value, {vocab, first.cols()});
  const auto target = [&](const Var& var) {
    return context.tape != nullptr ? context.tape->target(var) : GradientTarget();
  };
  const GradientTarget dfirst = target(first);
  const GradientTarget dsecond = target(second);
  const GradientTarget dweight = target(weight);
  return kernels::projection_r_drop<Real>(
      {first.matrix(), dfirst.matrix(), dfirst.accumulate},
      {second.matrix(), dsecond.matrix(), dsecond.accumulate}, weight.matrix(), targets, smoothing,
      r_drop, dweight.matrix(), dweight.accumulate, context.weights, context.workspace);
}

}  // namespace calque::ops
