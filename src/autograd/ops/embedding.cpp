#include "autograd/ops/embedding.h"

#include "base/profile.h"
#include "kernels/embedding.h"

namespace calque::ops {
namespace {

struct EmbeddingBackward {
  Var weight, position_table, y;
  Ids ids;
  std::span<const int32_t> positions;
  Real scale;
  kernels::Dropout dropout;

  static void run(const EmbeddingBackward& op, Tape& tape, Workspace&) {
    const ProfileScope scope("embedding");
    const MatrixView<Real> dy = tape.gradient(op.y).matrix();
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
  const ProfileScope scope("embedding");
  const Tensor value =
      context.arena.tensor({static_cast<int64_t>(ids.size()), weight.cols()});
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
