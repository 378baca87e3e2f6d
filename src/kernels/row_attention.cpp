#include "kernels/row_attention.h"

#include <algorithm>

#include "base/parallel.h"
#include "kernels/elementwise.h"
#include "kernels/row_block.h"
#include "kernels/small_gemm.h"

namespace calque::kernels {
namespace {

template <class T>
HeadRows<T> rows_of(const RowAttentionInputs<T>& inputs, const AttentionHead& head, int64_t heads) {
  HeadRows<T> rows{head.query_rows(inputs.query), head.key_rows(inputs.key),
                   head.key_rows(inputs.value)};
  if (inputs.energy != nullptr) rows.energy = inputs.energy + head.column;
  if (inputs.alibi) rows.slope = static_cast<T>(alibi_slope(head.index, heads));
  if (inputs.advantages != nullptr) rows.advantages = inputs.advantages + head.query_begin;
  if (inputs.positions != nullptr) rows.places.positions = inputs.positions + head.query_begin;
  if (inputs.centers.data != nullptr) {
    rows.places.centers = inputs.centers.row(head.query_begin) + head.index;
    rows.places.center_step = inputs.centers.stride;
  }
  return rows;
}

/// Adds rows to those of `to` that the numbers name.
template <class T>
void add_rows(ConstMatrixView<T> rows, const auto& number_of, MatrixView<T> to) {
  for (int64_t r = 0; r < rows.rows; ++r) {
    T* const sum = to.row(number_of(r));
    for (int64_t c = 0; c < rows.cols; ++c) sum[c] += rows.row(r)[c];
  }
}

/// A sentence and head: the blocks of its queries, one after the other.
template <class T>
struct HeadPass {
  const AttentionShape& shape;
  const RowAttentionInputs<T>& inputs;
  AttentionHead head;
  HeadRows<T> rows = rows_of(inputs, head, shape.heads);
  ScopePattern pattern{shape.options, head.index, head.queries, head.keys, shape.causal};

  /// Calls `body(queries and keys, block)` for each.
  template <class Body>
  void for_blocks(Arena& arena, const Body& body) const {
    for (int64_t i = 0; i < pattern.blocks(); ++i) {
      const QueryBlock queries = pattern.block(i, rows.places);
      if (queries.queries.count == 0) continue;
      body(queries,
           RowBlock<T>(shape, queries, rows, head.keys, static_cast<uint32_t>(head.key_begin),
                       static_cast<uint32_t>(head.index * kColumnsPerHead), arena));
    }
  }

  /// Where the threshold of a query is kept.
  int64_t threshold_at(int64_t query) const {
    return (head.query_begin + query) * shape.heads + head.index;
  }
};

template <class T>
struct Forward {
  const AttentionShape& shape;
  const RowAttentionInputs<T>& inputs;
  MatrixView<T> output;
  T* thresholds;
  T* probabilities;
  const int64_t* probability_begins;  // [sentences], where each one's weights begin

  void run(const AttentionHead& head, Arena& arena) const {
    const MatrixView<T> outputs = head.query_rows(output);
    const HeadPass<T> pass{shape, inputs, head};
    if (probabilities != nullptr) zero_rows(saved_weights(head));
    if (head.keys == 0) return zero_rows(outputs);
    pass.for_blocks(arena, [&](const QueryBlock& queries, const RowBlock<T>& block) {
      T* const limits = arena.allocate<T>(kBlock);
      T* const weights = block.weigh(limits, /*find=*/true);
      block.take(weights);
      if (probabilities != nullptr) save(queries, weights, saved_weights(head));
      block.drop(weights);
      const int64_t count = queries.queries.count;
      const MatrixView<T> sums(arena.allocate<T>(count * head.width), count, head.width);
      block.sum_values(weights, sums);
      for (int64_t r = 0; r < count; ++r) {
        const int64_t query = queries.queries.at(r);
        std::copy_n(sums.row(r), head.width, outputs.row(query));
        if (thresholds != nullptr) thresholds[pass.threshold_at(query)] = limits[r];
      }
    });
  }

  /// [queries, keys] of a sentence and head.
  MatrixView<T> saved_weights(const AttentionHead& head) const {
    return {
        probabilities + probability_begins[head.sentence] + head.index * head.queries * head.keys,
        head.queries, head.keys};
  }
  static void save(const QueryBlock& queries, const T* weights, MatrixView<T> to) {
    for (int64_t row = 0; row < queries.rows(); ++row) {
      for (int64_t r = 0; r < queries.queries.count; ++r) {
        to.row(queries.queries.at(r))[queries.key(row)] = weights[row * kBlock + r];
      }
    }
  }
};

template <class T>
struct Backward {
  const AttentionShape& shape;
  const RowAttentionInputs<T>& inputs;
  const T* thresholds;
  ConstMatrixView<T> doutput;
  const RowAttentionGradients<T>& to;
  MatrixView<T> denergy;  // [sentences, model], a part of each; null where not wanted

  void run(const AttentionHead& head, Arena& arena) const {
    start(to.query, to.accumulate_query, [&](auto x) { return head.query_rows(x); });
    if (head.index % head.group == 0) {  // the first of those that add to them
      start(to.key, to.accumulate_memory, [&](auto x) { return head.key_rows(x); });
      start(to.value, to.accumulate_memory, [&](auto x) { return head.key_rows(x); });
    }
    start(to.centers, to.accumulate_centers, [&](auto x) {
      return x.row_range(head.query_begin, head.queries).column_range(head.index, 1);
    });
    if (head.keys == 0) return;
    const HeadPass<T> pass{shape, inputs, head};
    Workspace::Scope scope(arena);
    T* const unwanted = scope.allocate<T>(head.width);
    std::fill_n(unwanted, head.width, T(0));
    T* const energy = denergy.data == nullptr ? unwanted : denergy.row(head.sentence) + head.column;
    pass.for_blocks(arena, [&](const QueryBlock& queries, const RowBlock<T>& block) {
      run_block(pass, queries, block, energy, arena);
    });
  }

  void run_block(const HeadPass<T>& pass, const QueryBlock& queries, const RowBlock<T>& block,
                 T* energy, Arena& arena) const {
    const AttentionHead& head = pass.head;
    const auto matrix = [&](int64_t count) {
      return MatrixView<T>(arena.allocate<T>(count * head.width), count, head.width);
    };
    const auto query_of = [&](int64_t r) { return queries.queries.at(r); };
    const auto key_of = [&](int64_t row) { return queries.key(row); };
    const int64_t count = queries.queries.count;
    const ConstMatrixView<T> dout = block.gather_queries(head.query_rows(doutput), T(1));
    const T* const weights = weigh(pass, queries, block, arena);
    const T* const taken = take(queries, block, weights);
    T* const dweights = block.allocate();
    block.multiply_values(dout, dweights);
    if (to.centers.data != nullptr) {
      for (int64_t r = 0; r < count; ++r) {
        to.centers.row(head.query_begin + query_of(r))[head.index] +=
            block.center_gradient(r, taken, dweights);
      }
    }
    const MatrixView<T> dkeys = matrix(queries.rows());
    if (to.value.data != nullptr) {
      small_gemm<T>(dkeys.rows, dkeys.cols, count, {taken, kBlock, 1}, dout.data, dout.stride,
                    dkeys.data, dkeys.stride, false);
      add_rows<T>(dkeys, key_of, head.key_rows(to.value));
    }
    const MatrixView<T> dqueries = matrix(count);
    block.differentiate(weights, dweights, dqueries, dkeys, energy);
    if (to.query.data != nullptr) add_rows<T>(dqueries, query_of, head.query_rows(to.query));
    if (to.key.data != nullptr) add_rows<T>(dkeys, key_of, head.key_rows(to.key));
  }

  /// The weights P of the forward pass.
  const T* weigh(const HeadPass<T>& pass, const QueryBlock& queries, const RowBlock<T>& block,
                 Arena& arena) const {
    T* const limits = arena.allocate<T>(kBlock);
    const int64_t count = queries.queries.count;
    for (int64_t r = 0; r < simd::padded<T>(count); ++r) {
      limits[r] = thresholds[pass.threshold_at(queries.queries.at(std::min(r, count - 1)))];
    }
    return block.weigh(limits, /*find=*/false);
  }

  /// What the forward pass multiplied values by.
  const T* take(const QueryBlock& queries, const RowBlock<T>& block, const T* weights) const {
    T* const taken = block.allocate();
    std::copy_n(weights, queries.rows() * kBlock, taken);
    block.take(taken);
    block.drop(taken);
    return taken;
  }

  /// Zeroes a target that is written to for the first time.
  template <class Rows>
  static void start(MatrixView<T> target, bool accumulate, const Rows& rows) {
    if (target.data != nullptr && !accumulate) zero_rows(rows(target));
  }
};

template <class T>
struct Step {
  const AttentionOptions& options;
  const RowAttentionInputs<T>& inputs;
  std::span<const int32_t> slots;
  int64_t slot_stride;
  MatrixView<T> output;

  /// One hypothesis and head.
  void run_head(int64_t row, int64_t length, int64_t index, int64_t heads, Arena& arena) const {
    const int64_t width = inputs.query.cols / heads;
    const int64_t column = index * width;
    const int64_t key_column = index / (inputs.query.cols / inputs.key.cols) * width;
    HeadRows<T> rows{inputs.query.row_range(row, 1).column_range(column, width),
                     inputs.key.column_range(key_column, width),
                     inputs.value.column_range(key_column, width)};
    rows.slots = slots.data() + row * slot_stride;
    if (inputs.energy != nullptr) rows.energy = inputs.energy + column;
    if (inputs.alibi) rows.slope = static_cast<T>(alibi_slope(index, heads));
    rows.first_query = length - 1;
    const ScopePattern pattern(options, index, length, length, /*causal=*/true);
    const QueryBlock query = pattern.single(length - 1, rows.places);
    AttentionShape shape;
    shape.options = options;
    const RowBlock<T> block(shape, query, rows, length, 0, 0, arena);
    T* const weights = block.weigh(arena.allocate<T>(kBlock), /*find=*/true);
    block.take(weights);
    block.sum_values(weights, output.row_range(row, 1).column_range(column, width));
  }
};

/// Calls `body(head, worker's arena)` for every sentence and head, on all threads; on one, and in
/// their order, for the heads that share keys and values.
template <class T, class Body>
void for_heads(const AttentionShape& shape, const RowAttentionInputs<T>& inputs,
               Workspace& workspace, const Body& body) {
  const int64_t model = inputs.query.cols;
  const int64_t group = model / inputs.key.cols;
  parallel_for(shape.queries.sentences() * shape.heads / group, [&](int64_t task, int worker) {
    for (int64_t head = task * group; head < (task + 1) * group; ++head) {
      body(AttentionHead(shape, head, model, inputs.key.cols), workspace.worker(worker));
    }
  });
}

}  // namespace

template <class T>
void row_attention_forward(const AttentionShape& shape, const RowAttentionInputs<T>& inputs,
                           MatrixView<T> output, T* thresholds, T* probabilities,
                           Workspace& workspace) {
  check_attention(shape, inputs.query.rows, inputs.key.rows, inputs.query.cols, inputs.key.cols);
  Workspace::Scope scope(workspace.shared());
  int64_t* const begins = scope.allocate<int64_t>(shape.queries.sentences());
  place_probabilities(shape, begins);
  const Forward<T> pass{shape, inputs, output, thresholds, probabilities, begins};
  for_heads(shape, inputs, workspace,
            [&](const AttentionHead& head, Arena& arena) { pass.run(head, arena); });
}

template <class T>
void row_attention_backward(const AttentionShape& shape, const RowAttentionInputs<T>& inputs,
                            const T* thresholds, ConstMatrixView<T> doutput,
                            const RowAttentionGradients<T>& gradients, Workspace& workspace) {
  const int64_t model = inputs.query.cols;
  check_attention(shape, inputs.query.rows, inputs.key.rows, model, inputs.key.cols);
  CALQUE_CHECK(!shape.draw.active() || !shape.options.reinforces() || inputs.advantages != nullptr,
               "REINFORCE without advantages");
  const int64_t sentences = shape.queries.sentences();
  Workspace::Scope scope(workspace.shared());
  MatrixView<T> energy;
  if (gradients.energy != nullptr) {
    energy = {scope.allocate<T>(sentences * model), sentences, model};
    zero_rows(energy);
  }
  const Backward<T> pass{shape, inputs, thresholds, doutput, gradients, energy};
  for_heads(shape, inputs, workspace,
            [&](const AttentionHead& head, Arena& arena) { pass.run(head, arena); });
  if (gradients.energy == nullptr) return;
  if (!gradients.accumulate_energy) std::fill_n(gradients.energy, model, T(0));
  for (int64_t s = 0; s < sentences; ++s) {
    for (int64_t c = 0; c < model; ++c) gradients.energy[c] += energy.row(s)[c];
  }
}

template <class T>
void row_attention_step(const AttentionOptions& options, const RowAttentionInputs<T>& inputs,
                        std::span<const int32_t> slots, int64_t slot_stride,
                        std::span<const int32_t> lengths, int64_t heads, MatrixView<T> output,
                        Workspace& workspace) {
  const int64_t rows = inputs.query.rows;
  if (rows == 0) return;
  const int64_t longest =
      check_steps(rows, inputs.query.cols, inputs.key.cols, heads, slots, slot_stride, lengths);
  const Step<T> step{options, inputs, slots, slot_stride, output};
  parallel_rows(rows, 2 * longest * inputs.query.cols, [&](int64_t begin, int64_t end, int worker) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t length = lengths[static_cast<size_t>(row)];
      for (int64_t h = 0; h < heads; ++h) {
        step.run_head(row, length, h, heads, workspace.worker(worker));
      }
    }
  });
}

#define CALQUE_INSTANTIATE(T)                                                                   \
  template void row_attention_forward(const AttentionShape&, const RowAttentionInputs<T>&,      \
                                      MatrixView<T>, T*, T*, Workspace&);                       \
  template void row_attention_backward(const AttentionShape&, const RowAttentionInputs<T>&,     \
                                       const T*, ConstMatrixView<T>,                            \
                                       const RowAttentionGradients<T>&, Workspace&);            \
  template void row_attention_step(const AttentionOptions&, const RowAttentionInputs<T>&,       \
                                   std::span<const int32_t>, int64_t, std::span<const int32_t>, \
                                   int64_t, MatrixView<T>, Workspace&);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
