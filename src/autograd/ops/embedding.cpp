#include "autograd/ops/embedding.h"

#include "base/profile.h"
#include "kernels/embedding.h"
#include "kernels/work.h"

namespace calque::ops {
namespace {

struct EmbeddingBackward {
  Var weight, position_table, y;
  Ids ids;
  std::span<const int32_t> positions;
  Real scale;
  kernels::Dropout dropout;

  static void run(const EmbeddingBackward& op, Tape& tape, Workspace&) {
    const MatrixView<Real> dy = tape.gradient(op.y).matrix();
    const ProfileScope scope("embedding backward",
                             [&] { return kernels::work::pass<Real>(dy.rows, dy.cols, 3); });
    if (const GradientTarget dweight = tape.target(op.weight)) {
      kernels::embedding_backward<Real>(dy, op.ids, op.scale, op.dropout, dweight.matrix(),
                                        dweight.accumulate);
    }
    if (const GradientTarget dpositions = tape.target(op.position_table)) {
      kernels::embedding_backward<Real>(dy, op.positions, 1, op.dropout, dpositions.matrix(),
                                        dpositions.accumulate);
    }
  }
};

}  // namespace

Var embedding(Context& context, const Var& weight, Ids ids, double scale,
              const Var& position_table, std::span<const int32_t> positions,
              const kernels::Dropout& dropout) {
  const auto tokens = static_cast<int64_t>(ids.size());
  const ProfileScope scope(
      "embedding", [&] { return kernels::work::pass<Real>(tokens, weight.cols(), 2); });
  const Tensor value = context.arena.tensor({tokens, weight.cols()});
  const MatrixView<Real> table = position_table ? position_table.matrix() : MatrixView<Real>();
  kernels::embedding_forward<Real>(weight.matrix(), ids, static_cast<Real>(scale), table, positions,
                                   dropout, value.matrix());
  const Var y = context.result(value, weight, position_table);
  if (y.needs_gradient()) {
    context.tape->record(y,
                         EmbeddingBackward{weight, position_table, y, ids, positions,
                                           static_cast<Real>(scale), dropout},
                         &EmbeddingBackward::run);
  }
  return y;
}

}  // namespace calque::ops
