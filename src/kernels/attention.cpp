#include "kernels/attention.h"

#include <cmath>

#include "base/parallel.h"
#include "kernels/attention_head.h"
#include "kernels/elementwise.h"
#include "kernels/row_math.h"

namespace calque::kernels {
namespace {

template <class T>
T score_scale(int64_t head) {
  return T(1) / std::sqrt(static_cast<T>(head));
}

template <class T>
struct Forward {
  const AttentionShape& shape;
  ConstMatrixView<T> query, key, value;
  MatrixView<T> output;
  T* log_sums;
  T* probabilities;
  const int64_t* probability_begins;  // [sentences], where each one's weights begin

  void run_task(const AttentionTask& task, Arena& arena) const {
    Workspace::Scope scope(arena);
    const int64_t stride = simd::padded<T>(task.keys);
    T* const keys = scope.allocate<T>(task.head * stride);
    T* const weights = scope.allocate<T>(std::min(kQueryBlock, task.queries) * stride);
    T* const factors = scope.allocate<T>(stride);
    const ConstMatrixView<T> q = task.query_rows(query);
    const ConstMatrixView<T> v = task.key_rows(value);
    const MatrixView<T> out = task.query_rows(output);
    pack_transposed<T>(task.key_rows(key), score_scale<T>(task.head), keys);
    for_query_blocks(task, shape.causal, [&](const QueryBlock& block) {
      small_gemm(block.rows, simd::padded<T>(block.keys), task.head,
                 strided(q.row_range(block.begin, block.rows)), keys, stride, weights, stride,
                 false);
      for (int64_t r = 0; r < block.rows; ++r) {
        softmax_row(task, block, r, weights + r * stride, factors);
      }
      small_gemm<T>(block.rows, task.head, block.keys, {weights, stride, 1}, v.data, v.stride,
                    out.row(block.begin), out.stride, false);
    });
  }

  /// Scores of the block's row `r` become weights, in place.
  void softmax_row(const AttentionTask& task, const QueryBlock& block, int64_t r, T* row,
                   T* factors) const {
    const int64_t visible = block.visible(shape.causal, r);
    const int64_t in_sentence = block.begin + r;
    const T highest = row_max(row, visible);
    const double sum = exp_row(row, visible, highest, row);
    const T inverse = static_cast<T>(1 / sum);
    for (int64_t j = 0; j < visible; ++j) row[j] *= inverse;
    std::fill(row + visible, row + block.keys, T(0));
    if (log_sums != nullptr) {
      log_sums[(task.query_begin + in_sentence) * shape.heads + task.head_index] =
          highest + static_cast<T>(std::log(sum));
    }
    if (probabilities != nullptr) {
      T* const saved = probabilities + probability_begins[task.sentence] +
                       (task.head_index * task.queries + in_sentence) * task.keys;
      std::copy_n(row, visible, saved);
      std::fill(saved + visible, saved + task.keys, T(0));
    }
    if (shape.dropout.active()) {
      weight_factors(shape, task, task.query_begin + in_sentence, visible, factors);
      for (int64_t j = 0; j < visible; ++j) row[j] *= factors[j];
    }
  }
};

template <class T>
struct Backward {
  const AttentionShape& shape;
  ConstMatrixView<T> query, key, value, output;
  const T* log_sums;
  ConstMatrixView<T> doutput;
  MatrixView<T> dquery, dkey, dvalue;
  bool accumulate_query, accumulate_key, accumulate_value;

  void run_task(const AttentionTask& task, Arena& arena) const {
    Workspace::Scope scope(arena);
    const int64_t stride = simd::padded<T>(task.keys);
    const int64_t block_rows = std::min(kQueryBlock, task.queries);
    T* const keys = scope.allocate<T>(task.head * stride);
    T* const values = scope.allocate<T>(task.head * stride);
    T* const weights = scope.allocate<T>(block_rows * stride);
    T* const dscores = scope.allocate<T>(block_rows * stride);
    T* const factors = scope.allocate<T>(stride);
    pack_transposed<T>(task.key_rows(key), score_scale<T>(task.head), keys);
    pack_transposed<T>(task.key_rows(value), T(1), values);
    std::fill_n(factors, task.keys, T(1));
    if (task.queries == 0) clear_keys(task);
    const ConstMatrixView<T> q = task.query_rows(query);
    const ConstMatrixView<T> dout = task.query_rows(doutput);
    for_query_blocks(task, shape.causal, [&](const QueryBlock& block) {
      const int64_t width = simd::padded<T>(block.keys);
      small_gemm(block.rows, width, task.head, strided(q.row_range(block.begin, block.rows)), keys,
                 stride, weights, stride, false);
      small_gemm(block.rows, width, task.head, strided(dout.row_range(block.begin, block.rows)),
                 values, stride, dscores, stride, false);
      for (int64_t r = 0; r < block.rows; ++r) {
        score_gradient_row(task, block, r, weights + r * stride, dscores + r * stride, factors);
      }
      if (dquery.data != nullptr) {
        const ConstMatrixView<T> k = task.key_rows(key);
        const MatrixView<T> target = task.query_rows(dquery);
        small_gemm<T>(block.rows, task.head, block.keys, {dscores, stride, 1}, k.data, k.stride,
                      target.row(block.begin), target.stride, accumulate_query);
      }
      add_to_keys(task, block, {dscores, 1, stride}, q, dkey, accumulate_key);
      add_to_keys(task, block, {weights, 1, stride}, dout, dvalue, accumulate_value);
    });
  }

  /// In place: scores become the weights after dropout, their gradient that of the raw scores.
  void score_gradient_row(const AttentionTask& task, const QueryBlock& block, int64_t r, T* weights,
                          T* dscores, T* factors) const {
    const int64_t visible = block.visible(shape.causal, r);
    const int64_t row = task.query_begin + block.begin + r;
    exp_row(weights, visible, log_sums[row * shape.heads + task.head_index], weights);
    const T mean = dot(doutput.row(row) + task.column, output.row(row) + task.column, task.head);
    const T scale = score_scale<T>(task.head);
    if (shape.dropout.active()) weight_factors(shape, task, row, visible, factors);
    for (int64_t j = 0; j < visible; ++j) {
      dscores[j] = weights[j] * (factors[j] * dscores[j] - mean) * scale;
      weights[j] *= factors[j];
    }
    std::fill(weights + visible, weights + block.keys, T(0));
    std::fill(dscores + visible, dscores + block.keys, T(0));
  }

  /// target[key] += sum over the block's queries of coefficient(key, query) rows[query]. The first
  /// block that sees a key assigns, unless `accumulate`.
  void add_to_keys(const AttentionTask& task, const QueryBlock& block,
                   StridedMatrix<T> coefficients, ConstMatrixView<T> rows, MatrixView<T> target,
                   bool accumulate) const {
    if (target.data == nullptr) return;
    const int64_t assigned = shape.causal || block.begin == 0 ? block.begin : block.keys;
    const MatrixView<T> out = task.key_rows(target);
    const T* const right = rows.row(block.begin);
    small_gemm(assigned, task.head, block.rows, coefficients, right, rows.stride, out.data,
               out.stride, true);
    coefficients.data += assigned * coefficients.row_step;
    small_gemm(block.keys - assigned, task.head, block.rows, coefficients, right, rows.stride,
               out.row(assigned), out.stride, accumulate);
  }

  /// Keys that no query looks at have gradient 0.
  void clear_keys(const AttentionTask& task) const {
    const auto clear = [&](MatrixView<T> target, bool accumulate) {
      if (target.data == nullptr || accumulate) return;
      zero_rows(task.key_rows(target));
    };
    clear(dkey, accumulate_key);
    clear(dvalue, accumulate_value);
  }
};

/// Runs `pass.run_task` for every sentence and head.
template <class Pass>
void run_pass(const AttentionShape& shape, int64_t model, const Pass& pass, Workspace& workspace) {
  parallel_for(shape.queries.sentences() * shape.heads, [&](int64_t task, int worker) {
    pass.run_task(AttentionTask(shape, task, model), workspace.worker(worker));
  });
}

}  // namespace

template <class T>
void attention_forward(const AttentionShape& shape, ConstMatrixView<T> query,
                       ConstMatrixView<T> key, ConstMatrixView<T> value, MatrixView<T> output,
                       T* log_sums, T* probabilities, Workspace& workspace) {
  check_attention(shape, query.rows, key.rows, query.cols);
  Workspace::Scope scope(workspace.shared());
  int64_t* const begins = scope.allocate<int64_t>(shape.queries.sentences());
  int64_t begin = 0;
  for (int64_t s = 0; s < shape.queries.sentences(); ++s) {
    begins[s] = begin;
    begin += shape.heads * shape.queries.lengths[s] * shape.keys.lengths[s];
  }
  run_pass(shape, query.cols,
           Forward<T>{shape, query, key, value, output, log_sums, probabilities, begins},
           workspace);
}

template <class T>
void attention_backward(const AttentionShape& shape, ConstMatrixView<T> query,
                        ConstMatrixView<T> key, ConstMatrixView<T> value, ConstMatrixView<T> output,
                        const T* log_sums, ConstMatrixView<T> doutput, MatrixView<T> dquery,
                        bool accumulate_query, MatrixView<T> dkey, bool accumulate_key,
                        MatrixView<T> dvalue, bool accumulate_value, Workspace& workspace) {
  check_attention(shape, query.rows, key.rows, query.cols);
  run_pass(shape, query.cols,
           Backward<T>{shape, query, key, value, output, log_sums, doutput, dquery, dkey, dvalue,
                       accumulate_query, accumulate_key, accumulate_value},
           workspace);
}

template void attention_forward(const AttentionShape&, ConstMatrixView<float>,
                                ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>,
                                float*, float*, Workspace&);
template void attention_forward(const AttentionShape&, ConstMatrixView<double>,
                                ConstMatrixView<double>, ConstMatrixView<double>,
                                MatrixView<double>, double*, double*, Workspace&);
template void attention_backward(const AttentionShape&, ConstMatrixView<float>,
                                 ConstMatrixView<float>, ConstMatrixView<float>,
                                 ConstMatrixView<float>, const float*, ConstMatrixView<float>,
                                 MatrixView<float>, bool, MatrixView<float>, bool,
                                 MatrixView<float>, bool, Workspace&);
template void attention_backward(const AttentionShape&, ConstMatrixView<double>,
                                 ConstMatrixView<double>, ConstMatrixView<double>,
                                 ConstMatrixView<double>, const double*, ConstMatrixView<double>,
                                 MatrixView<double>, bool, MatrixView<double>, bool,
                                 MatrixView<double>, bool, Workspace&);

}  // namespace calque::kernels
