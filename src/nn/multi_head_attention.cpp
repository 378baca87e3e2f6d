#include "nn/multi_head_attention.h"

#include <algorithm>

#include "autograd/ops/linear.h"
#include "autograd/ops/rotary.h"
#include "base/profile.h"

namespace calque {

MultiHeadAttention::MultiHeadAttention(const Scope& scope, int64_t model, int64_t heads,
                                       double attention_dropout,
                                       const kernels::AttentionOptions& options,
                                       const SelfPositions& positions, double gain)
    : store_(scope.store()),
      model_(model),
      heads_(heads),
      key_model_(model / heads * options.key_value_heads_of(heads)),
      dropout_(attention_dropout),
      dropout_stream_(scope.dropout_stream()),
      alibi_(positions.kind == Positions::kAlibi) {
  const auto weight = [&](const char* name, int64_t out, double spread = 1) {
    return scope.sub(name).declare("weight", {out, model}, Init::kXavierUniform, spread);
  };
  const auto bias = [&](const char* name, int64_t out) {
    return scope.sub(name).declare("bias", {out}, Init::kZeros);
  };
  query_weight_ = weight("query", model);
  key_weight_ = weight("key", key_model_);
  value_weight_ = weight("value", key_model_, gain);
  query_bias_ = bias("query", model);
  key_bias_ = bias("key", key_model_);
  value_bias_ = bias("value", key_model_);
  output_weight_ = weight("output", model, gain);
  output_bias_ = bias("output", model);
  if (positions.kind == Positions::kRotary) rotary_.emplace(model / heads);
  if (positions.kind == Positions::kRelative) {
    const Shape shape{2 * positions.max_distance + 1, model / heads};
    const auto table = [&](const char* name) {
      return scope.sub(name).declare("weight", shape, Init::kXavierUniform);
    };
    relative_key_ = table("relative_key");
    relative_value_ = table("relative_value");
  }
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

ops::AttentionDistances MultiHeadAttention::distances(Context& context) const {
  if (!relative_key_) return {.alibi = alibi_};
  return {alibi_, store_.var(context, relative_key_), store_.var(context, relative_value_)};
}

template <class Positions>
Var MultiHeadAttention::project_self(Context& context, const Var& x,
                                     const Positions& positions) const {
  Var projected = project(context, x, query_weight_, value_weight_, query_bias_, value_bias_);
  if (!rotary_ || x.rows() == 0) return projected;
  const std::span<const int32_t> of_rows = positions(context.arena);
  return ops::rotary(context, std::move(projected), model_ + key_model_,
                     rotary_->rows(std::ranges::max(of_rows) + 1), of_rows);
}

Var MultiHeadAttention::self(Context& context, const Var& x, const SequenceLayout& layout,
                             bool causal) const {
  const Var projected =
      project_self(context, x, [&](Arena& arena) { return positions_of(arena, layout); });
  const ops::AttentionInputs inputs{projected,           0,      projected, model_,
                                    model_ + key_model_, model_, key_model_};
  const kernels::AttentionShape shape{layout, layout, heads_, causal,
                                      context.dropout(dropout_, dropout_stream_)};
  return output(context, ops::attention(context, inputs, shape, distances(context)));
}

Var MultiHeadAttention::self_step(Context& context, const Var& x, KeyValueCache& cache,
                                  const CacheSlots& slots) const {
  const Var projected =
      project_self(context, x, [&](Arena& arena) { return newest_positions(arena, slots); });
  const MatrixView<Real> rows = projected.matrix();
  const Tensor attended = context.arena.tensor({x.rows(), model_});
  {
    const ProfileScope scope("attention");
    for (int64_t r = 0; r < rows.rows; ++r) {
      const int64_t slot = slots.new_slot(r);
      const Real* const key = rows.row(r) + model_;
      std::copy_n(key, key_model_, cache.keys.matrix().row(slot));
      std::copy_n(key + key_model_, key_model_, cache.values.matrix().row(slot));
    }
    kernels::attention_step<Real>(rows.column_range(0, model_), cache.keys.matrix(),
                                  cache.values.matrix(), slots.ancestors, slots.stride,
                                  slots.lengths, heads_, attended.matrix(), context.workspace,
                                  ops::terms(distances(context)));
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
  const ops::AttentionInputs inputs{query, 0, projected, 0, key_model_, model_, key_model_};
  const kernels::AttentionShape shape{queries, keys, heads_, false,
                                      context.dropout(dropout_, dropout_stream_)};
  return output(context, ops::attention(context, inputs, shape, {}, probabilities));
}

}  // namespace calque
