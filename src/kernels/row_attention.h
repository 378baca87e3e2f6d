#pragma once

#include "kernels/attention.h"

namespace calque::kernels {

// Attention of the kinds that take_whole_rows of scores. For each sentence and head, with S, P and
// the weights of a query over the keys that it sees:
//   S = score(query, key)                kernels/attention_score.h
//   P = normalizer(S)                    kernels/attention_normalizer.h
//   output = sum of dropout(select(P) gaussian) value
// kernels/attention_scope.h says which keys are seen, kernels/attention_selection.h what hard
// selection is; `gaussian` is exp(-2 (key - center)^2 / window^2) of AttentionScope::kPredictive
// (Luong et al. 2015, eq. 10), else 1. A block of queries is computed with all keys that any of
// them sees, gathered: scratch is a few times [those keys, kBlock], and memory grows with the
// length alone. A task is a sentence and head. Kept for backward is one number of each query and
// head, the threshold that makes its scores weights.

/// What is read, beside an AttentionShape. query: [query rows, model]; key, value: [key rows, key
/// model], perhaps strided, of fewer heads where key model is less, as in attention_forward.
template <class T>
struct RowAttentionInputs {
  ConstMatrixView<T> query, key, value;
  const T* energy = nullptr;        // [model], of AttentionScore::kAdditive
  ConstMatrixView<T> centers = {};  // [query rows, heads], logits, of AttentionScope::kPredictive
  const int32_t* positions = nullptr;  // [query rows], where not each query's number (kMonotonic)
  const T* advantages = nullptr;       // [query rows], of REINFORCE; read in backward
  bool alibi = false;                  // scores fall with the distance, as of DistanceTerms
};

/// Where gradients go: assigned, or added where `accumulate` is set. Those without data are not
/// wanted.
template <class T>
struct RowAttentionGradients {
  MatrixView<T> query, key, value;
  T* energy = nullptr;
  MatrixView<T> centers = {};
  bool accumulate_query = false;
  bool accumulate_memory = false;  // key and value
  bool accumulate_energy = false;
  bool accumulate_centers = false;
};

/// output: [query rows, model]. `thresholds`: [query rows, heads], null in inference.
/// `probabilities`: null, or where the weights before dropout go, as in attention_forward.
template <class T>
void row_attention_forward(const AttentionShape& shape, const RowAttentionInputs<T>& inputs,
                           MatrixView<T> output, T* thresholds, T* probabilities,
                           Workspace& workspace);

/// Weights W are computed again, dropout and noise drawn again. With dW = doutput value^T and F the
/// factors by which dropout and the Gaussian made W of P:
///   dvalue = W^T doutput;  dS = J (dW F), with the normaliser's Jacobian J;
///   dcenter = sum of dW F P (key - center) 4 / window^2;
/// query, key and energy from dS by the score. Of hard selection P stands for W in
/// all but dvalue and dcenter; by REINFORCE, dS = J of weight advantage / P for the key taken,
/// else 0.
template <class T>
void row_attention_backward(const AttentionShape& shape, const RowAttentionInputs<T>& inputs,
                            const T* thresholds, ConstMatrixView<T> doutput,
                            const RowAttentionGradients<T>& gradients, Workspace& workspace);

/// One step of causal self-attention with a cache, as attention_step; inputs.key and value: [slots,
/// key model].
template <class T>
void row_attention_step(const AttentionOptions& options, const RowAttentionInputs<T>& inputs,
                        std::span<const int32_t> slots, int64_t slot_stride,
                        std::span<const int32_t> lengths, int64_t heads, MatrixView<T> output,
                        Workspace& workspace);

}  // namespace calque::kernels
