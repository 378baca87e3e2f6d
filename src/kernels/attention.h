#pragma once

#include <cstdint>
#include <span>

#include "kernels/attention_options.h"
#include "kernels/dropout.h"
#include "tensor/matrix_view.h"
#include "tensor/sequence_layout.h"
#include "tensor/workspace.h"

namespace calque::kernels {

/// How hard selection draws a key in training: by the numbers of `key`, and straight-through as the
/// highest (score + Gumbel noise) / temperature (Jang et al. 2017); by REINFORCE the temperature is
/// 1.
struct HardDraw {
  RandomKey key;
  double temperature = 0;
  bool active() const { return temperature > 0; }
};

/// What both passes of attention need to know. Sentence s of `queries` attends to sentence s of
/// `keys`: nothing else is ever touched, so there is no mask.
struct AttentionShape {
  SequenceLayout queries;  // rows of query and output
  SequenceLayout keys;     // rows of key and value
  int64_t heads = 1;
  /// Query i of a sentence sees its keys 0..i only. Query and key lengths must be equal then.
  bool causal = false;
  /// On the attention weights (dropout_tile). Logical index: row = row of the key, column = head *
  /// 65536 + query (so a sentence has at most 65536 queries while it is active).
  Dropout dropout;
  AttentionOptions options = {};
  /// Of hard selection while training; without, the highest score is taken.
  HardDraw draw = {};
};

/// What the distance of a query and a key of a sentence adds to self-attention.
template <class T>
struct DistanceTerms {
  /// ALiBi (Press et al. 2022): the scaled score of query i and key j is less by slope |i - j|, see
  /// alibi_slope.
  bool alibi = false;
  /// Relative positions (Shaw et al. 2018, eq. 3 and 4): row min(max(j - i, -k), k) + k of `keys`
  /// is added to key j, that of `values` to value j, as query i sees them, the same in every head.
  /// [2 k + 1, head] each; both without data: none.
  ConstMatrixView<T> keys{}, values{};
};

/// Where the gradients of those tables go, [2 k + 1, head]; a table without data is not wanted.
template <class T>
struct DistanceGradients {
  MatrixView<T> keys{}, values{};
  bool accumulate_keys = false, accumulate_values = false;
};

/// How steeply ALiBi lowers the scores of a head, `index` of `heads`: 2^(-8 (index + 1) / heads)
/// for a power of two of heads; of others the slopes of the next lower power of two, then every
/// other slope of the next higher one, as the authors do.
double alibi_slope(int64_t index, int64_t heads);

/// Scaled dot-product attention (Vaswani et al. 2017, eq. 1), for each sentence and head:
///   output = dropout(softmax(query key^T / sqrt(head))) value
/// or without the root, as the options' score has it: the kinds that do not take_whole_rows.
/// query, output: [query rows, model]; key, value: [key rows, key model]; each head owns `head` =
/// model / heads neighbouring columns. Where key model is less than model, it has fewer heads: each
/// serves as many neighbouring query heads (grouped-query attention, Ainslie et al. 2023), and its
/// gradients are those heads', summed in their order. Views may be strided: column ranges of one
/// matrix. `log_sums`: [query rows, heads], the log of the softmax's denominator of each
/// scaled-score row, for backward; null in inference. `probabilities`: null, or where the weights
/// before dropout go: per sentence in order, [heads, queries, keys] contiguous (0 where causal
/// forbids). Rows outside the layouts are not written. A sentence with no key gives zeros.
/// `distances`: of self-attention.
template <class T>
void attention_forward(const AttentionShape& shape, ConstMatrixView<T> query,
                       ConstMatrixView<T> key, ConstMatrixView<T> value, MatrixView<T> output,
                       T* log_sums, T* probabilities, Workspace& workspace,
                       const DistanceTerms<T>& distances = {});

/// Recomputes probabilities P = exp(scores - log_sums) and dropout D, then with dP = D(doutput
/// value^T):
///   dvalue = D(P)^T doutput;  dscores = P (dP - rowsum(P dP));
///   dquery = dscores key / sqrt(head);  dkey = dscores^T query / sqrt(head).
/// (rowsum(P dP) = rowsum(doutput output), so `output` of the forward pass is taken.)
/// Assigns, or adds with `accumulate`; a target without data is not wanted. Targets are views like
/// the inputs; the column ranges of different targets must not overlap.
template <class T>
void attention_backward(const AttentionShape& shape, ConstMatrixView<T> query,
                        ConstMatrixView<T> key, ConstMatrixView<T> value, ConstMatrixView<T> output,
                        const T* log_sums, ConstMatrixView<T> doutput, MatrixView<T> dquery,
                        bool accumulate_query, MatrixView<T> dkey, bool accumulate_key,
                        MatrixView<T> dvalue, bool accumulate_value, Workspace& workspace,
                        const DistanceTerms<T>& distances = {},
                        const DistanceGradients<T>& ddistances = {});

/// One step of causal self-attention with a cache, for `rows` hypotheses at once:
///   output[r] = softmax(query[r] K_r^T / sqrt(head)) V_r
/// where K_r and V_r are the `lengths[r]` keys and values of hypothesis r, gathered from the cache:
/// the one at position p is row `slots[r * slot_stride + p]` of `keys` and `values`. query, output:
/// [rows, model]; keys, values: [slots, key model], as in attention_forward. `score`: with the root
/// or without.
template <class T>
void attention_step(ConstMatrixView<T> query, ConstMatrixView<T> keys, ConstMatrixView<T> values,
                    std::span<const int32_t> slots, int64_t slot_stride,
                    std::span<const int32_t> lengths, int64_t heads, AttentionScore score,
                    MatrixView<T> output, Workspace& workspace,
                    const DistanceTerms<T>& distances = {});

}  // namespace calque::kernels
