#pragma once

#include "nn/key_value_cache.h"
#include "nn/parameter.h"
#include "tensor/sequence_layout.h"

namespace calque {

/// Multi-head attention (Vaswani et al. 2017, section 3.2.2): query, key and value are projected,
/// each head attends in its own `head` = model / heads columns, and the heads' outputs are projected
/// back. All weights [model, model], with biases. The weights of query, key and value are declared
/// one behind the other, so one product serves them all.
class MultiHeadAttention {
 public:
  MultiHeadAttention(const Scope& scope, int64_t model, int64_t heads, double attention_dropout);

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
  /// 2 model], computed once for all decoding steps.
  Var project_memory(Context& context, const Var& memory) const;

  /// Cross-attention: sentence s of `queries` attends to sentence s of `keys`, rows of `projected`.
  /// x: [query rows, model] -> the same shape. `probabilities`: as of `self`.
  Var cross(Context& context, const Var& x, const SequenceLayout& queries, const Var& projected,
            const SequenceLayout& keys, Real* probabilities = nullptr) const;

 private:
  ParameterStore& store_;
  int64_t model_;
  int64_t heads_;
  double dropout_;
  uint32_t dropout_stream_;
  ParameterId query_weight_, key_weight_, value_weight_;
  ParameterId query_bias_, key_bias_, value_bias_;
  ParameterId output_weight_, output_bias_;

  /// x W^T + b with the stacked weights of `first` .. `last`.
  Var project(Context& context, const Var& x, ParameterId first_weight, ParameterId last_weight,
              ParameterId first_bias, ParameterId last_bias) const;
  Var output(Context& context, const Var& heads) const;
};

}  // namespace calque
