#include "autograd/ops/attention.h"

#include <initializer_list>

#include "base/profile.h"
#include "kernels/elementwise.h"
#include "kernels/row_attention.h"
#include "kernels/work.h"

namespace calque::ops {
namespace {

/// The column ranges of query, key and value in their matrices.
struct Views {
  MatrixView<Real> query, key, value;
};

Views views(const AttentionInputs& in, MatrixView<Real> query, MatrixView<Real> memory) {
  Views v;
  if (query.data != nullptr) v.query = query.column_range(in.query_column, in.model);
  if (memory.data != nullptr) {
    v.key = memory.column_range(in.key_column, in.key_model);
    v.value = memory.column_range(in.value_column, in.key_model);
  }
  return v;
}

/// A range of columns.
struct Part {
  int64_t begin, width;
};

/// Whether the parts cover `columns` exactly once. If not, the gradient starts from zeros and every
/// part is added.
bool parts_tile(std::initializer_list<Part> parts, int64_t columns) {
  int64_t covered = 0;
  for (const Part& part : parts) {
    for (const Part& other : parts) {
      const bool apart =
          part.begin + part.width <= other.begin || other.begin + other.width <= part.begin;
      if (&part != &other && !apart) return false;
    }
    covered += part.width;
  }
  return covered == columns;
}

kernels::RowAttentionInputs<Real> row_inputs(const AttentionInputs& in, bool alibi) {
  const Views input = views(in, in.query.matrix(), in.memory.matrix());
  kernels::RowAttentionInputs<Real> rows{input.query, input.key, input.value};
  if (in.energy) rows.energy = in.energy.value.data;
  if (in.centers) rows.centers = in.centers.matrix();
  rows.positions = in.positions;
  rows.advantages = in.advantages;
  rows.alibi = alibi;
  return rows;
}

MatrixView<Real> matrix_of(const Var& table) { return table ? table.matrix() : MatrixView<Real>(); }

struct AttentionBackward {
  AttentionInputs in;
  Var y;
  kernels::AttentionShape shape;
  AttentionDistances distances;
  const Real* log_sums;  // or thresholds

  /// The gradient of one input matrix, zeroed where the parts written do not cover it exactly.
  static GradientTarget prepare(const GradientTarget& target, bool tiled) {
    if (!target || target.accumulate || tiled) return target;
    kernels::fill<Real>(target.tensor.values(), 0);
    return {target.tensor, true};
  }

  static void run(const AttentionBackward& op, Tape& tape, Workspace& workspace) {
    const ProfileScope scope("attention backward", [&] {
      return kernels::work::attention_backward<Real>(op.shape, op.in.model, op.in.key_model);
    });
    const AttentionInputs& in = op.in;
    const bool same = in.query.needs_gradient() && in.query.slot == in.memory.slot;
    const bool all_rows =
        op.shape.queries.tokens == in.query.rows() && op.shape.keys.tokens == in.memory.rows();
    const Part query{in.query_column, in.model};
    const Part key{in.key_column, in.key_model};
    const Part value{in.value_column, in.key_model};
    GradientTarget dquery;
    GradientTarget dmemory;
    if (same) {
      const bool tiled = parts_tile({query, key, value}, in.query.cols());
      dquery = dmemory = prepare(tape.target(in.query), tiled && all_rows);
    } else {
      dquery = prepare(tape.target(in.query), parts_tile({query}, in.query.cols()) && all_rows);
      dmemory =
          prepare(tape.target(in.memory), parts_tile({key, value}, in.memory.cols()) && all_rows);
    }
    const Views gradient = views(in, dquery.matrix(), dmemory.matrix());
    if (kernels::takes_whole_rows(op.shape.options)) {
      kernels::RowAttentionGradients<Real> to{gradient.query, gradient.key, gradient.value};
      to.accumulate_query = dquery.accumulate;
      to.accumulate_memory = dmemory.accumulate;
      const GradientTarget denergy = tape.target(in.energy);
      const GradientTarget dcenters = prepare(tape.target(in.centers), all_rows);
      if (denergy) to.energy = denergy.tensor.data;
      to.centers = dcenters.matrix();
      to.accumulate_energy = denergy.accumulate;
      to.accumulate_centers = dcenters.accumulate;
      return kernels::row_attention_backward<Real>(op.shape, row_inputs(in, op.distances.alibi),
                                                   op.log_sums, tape.gradient(op.y).matrix(), to,
                                                   workspace);
    }
    const GradientTarget dkeys = tape.target(op.distances.keys);
    const GradientTarget dvalues = tape.target(op.distances.values);
    const Views input = views(in, in.query.matrix(), in.memory.matrix());
    kernels::attention_backward<Real>(
        op.shape, input.query, input.key, input.value, op.y.matrix(), op.log_sums,
        tape.gradient(op.y).matrix(), gradient.query, dquery.accumulate, gradient.key,
        dmemory.accumulate, gradient.value, dmemory.accumulate, workspace, terms(op.distances),
        {dkeys.matrix(), dvalues.matrix(), dkeys.accumulate, dvalues.accumulate});
  }
};

}  // namespace

kernels::DistanceTerms<Real> terms(const AttentionDistances& distances) {
  return {distances.alibi, matrix_of(distances.keys), matrix_of(distances.values)};
}

Var attention(Context& context, const AttentionInputs& inputs, const kernels::AttentionShape& shape,
              const AttentionDistances& distances, Real* probabilities) {
  const ProfileScope scope("attention", [&] {
    return kernels::work::attention_forward<Real>(shape, inputs.model, inputs.key_model);
  });
  const int64_t rows = inputs.query.rows();
  const Tensor value = context.arena.tensor({rows, inputs.model});
  const Var y = context.result(value, inputs.query, inputs.memory, inputs.energy, inputs.centers,
                               distances.keys, distances.values);
  Real* log_sums = nullptr;
  if (y.needs_gradient()) {
    log_sums = context.arena.allocate<Real>(rows * shape.heads);
    context.tape->record(y, AttentionBackward{inputs, y, shape, distances, log_sums},
                         &AttentionBackward::run);
  }
  if (kernels::takes_whole_rows(shape.options)) {
    kernels::row_attention_forward<Real>(shape, row_inputs(inputs, distances.alibi), value.matrix(),
                                         log_sums, probabilities, context.workspace);
    return y;
  }
  const Views input = views(inputs, inputs.query.matrix(), inputs.memory.matrix());
  kernels::attention_forward<Real>(shape, input.query, input.key, input.value, value.matrix(),
                                   log_sums, probabilities, context.workspace, terms(distances));
  return y;
}

}  // namespace calque::ops
