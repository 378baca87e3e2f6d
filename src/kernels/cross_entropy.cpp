#include "kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/elementwise.h"
#include "kernels/row_math.h"

namespace calque::kernels {

// Per row, the logits pass through memory about four times and, shared by the chunk, dweight twice:
// with 2 model rows the latter is a quarter of the former.
int64_t cross_entropy_chunk_rows(int64_t model) { return std::clamp<int64_t>(2 * model, 128, 512); }

namespace {

/// What a row adds to the sums.
struct RowLoss {
  double loss;
  double negative_log_likelihood;
};

template <class T>
struct Loss {
  double smoothing;
  bool with_gradient;

  /// The loss of one row of logits, which become dlogits where the gradient is wanted.
  RowLoss run_row(T* logits, int64_t vocab, int32_t target, T row_weight) const {
    const auto [highest, sum] = max_and_sum(logits, vocab);
    const double difference = static_cast<double>(logits[target] - highest);
    const double mean_difference = sum / static_cast<double>(vocab) - static_cast<double>(highest);
    const double exponentials = exp_row(logits, vocab, highest, logits);
    const double log_sum = std::log(exponentials);
    const double target_loss = log_sum - difference;
    const double mean_loss = log_sum - mean_difference;
    const RowLoss result{(1 - smoothing) * target_loss + smoothing * mean_loss, target_loss};
    if (with_gradient) {
      const T factor = static_cast<T>(static_cast<double>(row_weight) / exponentials);
      const T spread =
          static_cast<T>(static_cast<double>(row_weight) * smoothing / static_cast<double>(vocab));
      for (int64_t c = 0; c < vocab; ++c) logits[c] = logits[c] * factor - spread;
      logits[target] -= static_cast<T>(static_cast<double>(row_weight) * (1 - smoothing));
    }
    return result;
  }
};

template <class T>
void check_arguments(ConstMatrixView<T> x, ConstMatrixView<T> weight,
                     std::span<const int32_t> targets, std::span<const T> row_weights,
                     std::span<T> log_probabilities) {
  const size_t tokens = targets.size();
  CALQUE_CHECK(x.rows == static_cast<int64_t>(tokens) && x.cols == weight.cols,
               "{} targets, x [{}, {}], weight [{}, {}]", tokens, x.rows, x.cols, weight.rows,
               weight.cols);
  CALQUE_CHECK(row_weights.empty() || row_weights.size() == tokens, "{} row weights for {} rows",
               row_weights.size(), tokens);
  CALQUE_CHECK(log_probabilities.empty() || log_probabilities.size() == tokens,
               "room for {} log-probabilities of {} rows", log_probabilities.size(), tokens);
  for (size_t t = 0; t < tokens; ++t) {
    CALQUE_CHECK(targets[t] >= 0 && targets[t] < weight.rows, "target {} of row {}, vocab {}",
                 targets[t], t, weight.rows);
  }
}

}  // namespace

template <class T>
CrossEntropySums projection_cross_entropy(ConstMatrixView<T> x, ConstMatrixView<T> weight,
                                          std::span<const int32_t> targets,
                                          std::span<const T> row_weights, double smoothing,
                                          MatrixView<T> dx, bool accumulate_x,
                                          MatrixView<T> dweight, bool accumulate_weight,
                                          std::span<T> log_probabilities, PreparedWeights<T>* prepared,
                                          Workspace& workspace) {
  check_arguments(x, weight, targets, row_weights, log_probabilities);
  const int64_t vocab = weight.rows;
  const int64_t largest_chunk = std::min(cross_entropy_chunk_rows(x.cols), x.rows);
  Workspace::Scope scope(workspace.shared());
  T* const scratch = scope.allocate<T>(largest_chunk * vocab);
  RowLoss* const losses = scope.allocate<RowLoss>(largest_chunk);
  const Loss<T> loss{smoothing, dx.data != nullptr || dweight.data != nullptr};
  const RightOperand<T> to_logits = right_operand(prepared, GemmForm::kNT, weight);
  const RightOperand<T> to_dx = right_operand(prepared, GemmForm::kNN, weight);
  const auto row_weight = [&](int64_t t) { return row_weights.empty() ? T(1) : row_weights[t]; };
  if (x.rows == 0 && dweight.data != nullptr && !accumulate_weight) zero_rows(dweight);

  CrossEntropySums sums;
  for (int64_t begin = 0; begin < x.rows; begin += largest_chunk) {
    const int64_t rows = std::min(largest_chunk, x.rows - begin);
    const ConstMatrixView<T> chunk = x.row_range(begin, rows);
    const MatrixView<T> logits(scratch, rows, vocab);
    gemm<T>(chunk, to_logits, logits, false, workspace);
    parallel_rows(rows, vocab, [&](int64_t first, int64_t last, int) {
      for (int64_t r = first; r < last; ++r) {
        losses[r] = loss.run_row(logits.row(r), vocab, targets[begin + r], row_weight(begin + r));
      }
    });
    for (int64_t r = 0; r < rows; ++r) {
      const double w = static_cast<double>(row_weight(begin + r));
      sums.loss += w * losses[r].loss;
      sums.negative_log_likelihood += w * losses[r].negative_log_likelihood;
      if (!log_probabilities.empty()) {
        log_probabilities[begin + r] = static_cast<T>(-losses[r].negative_log_likelihood);
      }
    }
    if (dx.data != nullptr) {
      gemm<T>(logits, to_dx, dx.row_range(begin, rows), accumulate_x, workspace);
    }
    if (dweight.data != nullptr) {
      gemm<T>(logits, right_operand(prepared, GemmForm::kTN, chunk), dweight,
              accumulate_weight || begin > 0, workspace);
    }
  }
  return sums;
}

template CrossEntropySums projection_cross_entropy(ConstMatrixView<float>, ConstMatrixView<float>,
                                                   std::span<const int32_t>, std::span<const float>,
                                                   double, MatrixView<float>, bool,
                                                   MatrixView<float>, bool, std::span<float>,
                                                   PreparedWeights<float>*, Workspace&);
template CrossEntropySums projection_cross_entropy(ConstMatrixView<double>, ConstMatrixView<double>,
                                                   std::span<const int32_t>,
                                                   std::span<const double>, double,
                                                   MatrixView<double>, bool, MatrixView<double>,
                                                   bool, std::span<double>,
                                                   PreparedWeights<double>*, Workspace&);

}  // namespace calque::kernels
