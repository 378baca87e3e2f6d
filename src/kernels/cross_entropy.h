#pragma once

#include <cstdint>
#include <span>

#include "kernels/prepared_weights.h"
#include "tensor/matrix_view.h"
#include "tensor/workspace.h"

namespace calque::kernels {

/// Sums over the rows of a batch, in double.
struct CrossEntropySums {
  double loss = 0;                     // label-smoothed: what is minimised
  double negative_log_likelihood = 0;  // of the targets alone: what perplexity is made of
};

/// Rows of logits that `projection_cross_entropy` holds at a time for a model of this width.
int64_t cross_entropy_chunk_rows(int64_t model);

/// Elements of the scratch that `projection_cross_entropy` works in: a chunk of logits, and the
/// parts of its dx.
int64_t cross_entropy_scratch(int64_t tokens, int64_t model, int64_t vocab);

/// Output projection, softmax and label-smoothed cross-entropy in one pass over row chunks, with
/// the gradient at once; no [tokens, vocab] matrix is ever in memory.
///   logits = x weight^T;  p = softmax(logits)
///   loss(row) = (1 - smoothing) (-log p[target]) + smoothing mean over vocab of (-log p)
/// (as PyTorch's cross_entropy defines it: smoothing is spread over the whole vocabulary), and
///   dlogits = row_weight (p - (1 - smoothing) onehot(target) - smoothing / vocab)
///   dx = dlogits weight;  dweight = dlogits^T x
/// The vocabulary goes by in strips, whose sizes are a function of the shapes: sums over it are
/// added in a fixed order.
/// x: [tokens, model]; weight: [vocab, model]; targets: [tokens]; row_weights: [tokens] or empty
/// for all 1; dx: [tokens, model] and dweight: [vocab, model], assigned or added to, without data
/// when not wanted. `log_probabilities`: [tokens] or empty: log p[target] of each row. `prepared`:
/// keeps the weight's packed forms, or null. The sums hold row_weight times each row's value. Throws
/// InternalError for a target out of range.
template <class T>
CrossEntropySums projection_cross_entropy(ConstMatrixView<T> x, ConstMatrixView<T> weight,
                                          std::span<const int32_t> targets,
                                          std::span<const T> row_weights, double smoothing,
                                          MatrixView<T> dx, bool accumulate_x,
                                          MatrixView<T> dweight, bool accumulate_weight,
                                          std::span<T> log_probabilities, PreparedWeights<T>* prepared,
                                          Workspace& workspace);

}  // namespace calque::kernels
