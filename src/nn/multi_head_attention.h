#pragma once

#include <optional>

#include "autograd/ops/attention.h"
#include "kernels/attention_options.h"
#include "nn/key_value_cache.h"
#include "nn/positional_encoding.h"
#include "tensor/sequence_layout.h"

namespace calque {

/// Multi-head attention (Vaswani et al. 2017, section 3.2.2): query, key and value are projected,
/// each head attends in its own `head` = model / heads columns, and the heads' outputs are
/// projected back. The weights are [model, model], of key and value [key model, model] with key
/// model = key_value_heads head, all with biases. The weights of query, key and value are declared
/// one behind the other, so one product serves them all. Some kinds have weights more: the general
/// score a matrix that the query goes through, `general.weight` [model, model]; the additive score
/// `energy.weight` [model]; predictive scope `center.input.weight` [model, model] and
/// `center.output.weight` [heads, model], which make the logits of centers, output tanh(input x).
///
/// Self-attention may know of positions: with kRotary queries and keys are turned by theirs
/// (ops::rotary), with kAlibi their distance lowers the scores, and with kRelative it chooses rows
/// of `relative_key` and `relative_value`, [2 max_distance + 1, head] (kernels::DistanceTerms).
class MultiHeadAttention {
 public:
  /// `gain`: of the initial weights of value and output.
  MultiHeadAttention(const Scope& scope, int64_t model, int64_t heads, double attention_dropout,
                     const kernels::AttentionOptions& options = {},
                     const SelfPositions& positions = {}, double gain = 1);

  /// Width of a row of keys, and of one of values: key model.
  int64_t key_model() const { return key_model_; }

  /// Self-attention: the rows of a sentence attend to each other; `causal`: to themselves and those
  /// before. x: [tokens, model] -> the same shape. `probabilities`: null, or where the weights go
  /// (see kernels::attention_forward).
  Var self(Context& context, const Var& x, const SequenceLayout& layout, bool causal,
           Real* probabilities = nullptr) const;

  /// Self-attention of one decoding step: row r of x is the newest token of hypothesis r. Its key
  /// and value are written to the cache; it attends to all of its positions. x: [rows, model].
  Var self_step(Context& context, const Var& x, KeyValueCache& cache,
                const CacheSlots& slots) const;

  /// Keys and values of what cross-attention looks at: [memory rows, model] -> [memory rows,
  /// 2 key model], computed once for all decoding steps.
  Var project_memory(Context& context, const Var& memory) const;

  /// Cross-attention: sentence s of `queries` attends to sentence s of `keys`, rows of `projected`.
  /// x: [query rows, model] -> the same shape. `probabilities`: as of `self`. `slots`: null, or of
  /// a decoding step, whose row r is a hypothesis.
  Var cross(Context& context, const Var& x, const SequenceLayout& queries, const Var& projected,
            const SequenceLayout& keys, Real* probabilities = nullptr,
            const CacheSlots* slots = nullptr) const;

 private:
  ParameterStore& store_;
  int64_t model_;
  int64_t heads_;
  int64_t key_model_;
  double dropout_;
  kernels::AttentionOptions options_;
  uint32_t dropout_stream_;
  uint32_t draw_stream_ = 0;  // of hard selection
  ParameterId query_weight_, key_weight_, value_weight_;
  ParameterId query_bias_, key_bias_, value_bias_;
  ParameterId output_weight_, output_bias_;
  ParameterId general_weight_, energy_weight_;
  ParameterId center_input_weight_, center_output_weight_;
  // What self-attention knows of positions, or nothing of it.
  mutable std::optional<SinusoidTable> rotary_;  // of width head; grows
  bool alibi_;
  ParameterId relative_key_, relative_value_;

  /// The weights that the kind has beside the others.
  void declare_kind(const Scope& scope);
  /// x W^T + b with the stacked weights of `first` .. `last`.
  Var project(Context& context, const Var& x, ParameterId first_weight, ParameterId last_weight,
              ParameterId first_bias, ParameterId last_bias) const;
  Var output(Context& context, const Var& heads) const;
  ops::AttentionDistances distances(Context& context) const;
  Var project_query(Context& context, const Var& x) const;
  /// The first `columns` of x, queries or keys, turned by rotary positions where those are.
  template <class Positions>
  Var turn(Context& context, Var x, int64_t columns, const Positions& positions) const;
  /// What self-attention of rows at `positions(arena)` takes.
  template <class Positions>
  ops::AttentionInputs self_inputs(Context& context, const Var& x,
                                   const Positions& positions) const;
  kernels::AttentionShape shape(const Context& context, const SequenceLayout& queries,
                                const SequenceLayout& keys, bool causal) const;
};

}  // namespace calque
