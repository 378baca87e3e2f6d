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
/// parts of its dx; of R-Drop: that for two passes, and the differences of their logits.
int64_t cross_entropy_scratch(int64_t tokens, int64_t model, int64_t vocab, bool r_drop = false);

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
/// keeps the weight's packed forms, or null. The sums hold row_weight times each row's value.
/// Throws InternalError for a target out of range.
template <class T>
CrossEntropySums projection_cross_entropy(ConstMatrixView<T> x, ConstMatrixView<T> weight,
                                          std::span<const int32_t> targets,
                                          std::span<const T> row_weights, double smoothing,
                                          MatrixView<T> dx, bool accumulate_x,
                                          MatrixView<T> dweight, bool accumulate_weight,
                                          std::span<T> log_probabilities,
                                          PreparedWeights<T>* prepared, Workspace& workspace);

/// A pass through the decoder: its output, [tokens, model], and where the gradient of that goes,
/// assigned or added to; without data when not wanted.
template <class T>
struct DecoderPass {
  ConstMatrixView<T> x;
  MatrixView<T> dx;
  bool accumulate_x = false;
};

/// R-Drop (Liang et al. 2021, "R-Drop: Regularized Dropout for Neural Networks"): two passes with
/// different dropout, which are also to agree. With p and q = softmax of their logits a and b,
///   loss(row) = (loss of p + loss of q) / 2 + r_drop / 4 (KL(p || q) + KL(q || p))
/// where the losses are those above; that is half of the paper's, as the gradient of a token then
/// keeps its size. With d = a - b, the two divergences together are
///   sum over vocab of (p - q) (log p - log q) = sum of p d - sum of q d
/// and their gradients
///   da: p (d - sum of p d) + p - q;  db: -q (d - sum of q d) + q - p.
/// Both passes go by in the same chunks and strips, and the differences with them.
/// `negative_log_likelihood` is the mean of both passes'. The rest is as above.
template <class T>
CrossEntropySums projection_r_drop(const DecoderPass<T>& first, const DecoderPass<T>& second,
                                   ConstMatrixView<T> weight, std::span<const int32_t> targets,
                                   double smoothing, double r_drop, MatrixView<T> dweight,
                                   bool accumulate_weight, PreparedWeights<T>* prepared,
                                   Workspace& workspace);

}  // namespace calque::kernels
