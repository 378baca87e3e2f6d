#include "nn/multi_head_attention.h"

#include <algorithm>

#include "autograd/ops/attention.h"
#include "autograd/ops/linear.h"
#include "base/profile.h"

namespace calque {

MultiHeadAttention::MultiHeadAttention(const Scope& scope, int64_t model, int64_t heads,
                                       double attention_dropout)
    : store_(scope.store()),
      model_(model),
      heads_(heads),
      dropout_(attention_dropout),
      dropout_stream_(scope.dropout_stream()) {
  const auto weight = [&](const char* name) {
    return scope.sub(name).declare("weight", {model, model}, Init::kXavierUniform);
  };
  const auto bias = [&](const char* name) {
    return scope.sub(name).declare("bias", {model}, Init::kZeros);
  };
  query_weight_ = weight("query");
  key_weight_ = weight("key");
  value_weight_ = weight("value");
  query_bias_ = bias("query");
  key_bias_ = bias("key");
  value_bias_ = bias("value");
  output_weight_ = weight("output");
  output_bias_ = bias("output");
}

Var MultiHeadAttention::project(Context& context, const Var& x, ParameterId first_weight,
                                ParameterId last_weight, ParameterId first_bias,
                                ParameterId last_bias) const {
  return ops::linear(context, x, store_.var(context, first_weight, last_weight),
                     store_.var(context, first_bias, last_bias));
}

Var MultiHeadAttention::output(Context& context, const Var& heads) const {
  return project(context, heads, output_weight_, output_weight_, output_bias_, output_bias_);
}

Var MultiHeadAttention::self(Context& context, const Var& x, const SequenceLayout& layout,
                             bool causal, Real* probabilities) const {
  const Var projected =
      project(context, x, query_weight_, value_weight_, query_bias_, value_bias_);
  const ops::AttentionInputs inputs{projected, 0, projected, model_, 2 * model_, model_};
  const kernels::AttentionShape shape{layout, layout, heads_, causal,
                                      context.dropout(dropout_, dropout_stream_)};
  return output(context, ops::attention(context, inputs, shape, probabilities));
}

Var MultiHeadAttention::self_step(Context& context, const Var& x, KeyValueCache& cache,
                                  const CacheSlots& slots) const {
  const Var projected =
      project(context, x, query_weight_, value_weight_, query_bias_, value_bias_);
  const MatrixView<Real> rows = projected.matrix();
  const Tensor attended = context.arena.tensor({x.rows(), model_});
  {
    const ProfileScope scope("attention");
    for (int64_t r = 0; r < rows.rows; ++r) {
      const int64_t slot = slots.new_slot(r);
      std::copy_n(rows.row(r) + model_, model_, cache.keys.matrix().row(slot));
      std::copy_n(rows.row(r) + 2 * model_, model_, cache.values.matrix().row(slot));
    }
    kernels::attention_step<Real>(rows.column_range(0, model_), cache.keys.matrix(),
                                  cache.values.matrix(), slots.ancestors, slots.stride,
                                  slots.lengths, heads_, attended.matrix(), context.workspace);
  }
  return output(context, Var(attended));
}

Var MultiHeadAttention::project_memory(Context& context, const Var& memory) const {
  return project(context, memory, key_weight_, value_weight_, key_bias_, value_bias_);
}

Var MultiHeadAttention::cross(Context& context, const Var& x, const SequenceLayout& queries,
                              const Var& projected, const SequenceLayout& keys,
                              Real* probabilities) const {
  const Var query = project(context, x, query_weight_, query_weight_, query_bias_, query_bias_);
  const ops::AttentionInputs inputs{query, 0, projected, 0, model_, model_};
  const kernels::AttentionShape shape{queries, keys, heads_, false,
                                      context.dropout(dropout_, dropout_stream_)};
  return output(context, ops::attention(context, inputs, shape, probabilities));
}

}  // namespace calque
