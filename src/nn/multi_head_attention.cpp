#include "nn/multi_head_attention.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/linear.h"
#include "autograd/ops/rotary.h"
#include "autograd/ops/tanh.h"
#include "base/profile.h"
#include "kernels/row_attention.h"

namespace calque {

using kernels::AttentionScope;
using kernels::AttentionScore;
using kernels::AttentionSelection;

namespace {

/// From the first temperature to the last, geometrically.
double temperature_at(const kernels::AttentionOptions& options, int64_t update) {
  if (update >= options.temperature_steps) return options.last_temperature;
  const double share = static_cast<double>(update) / static_cast<double>(options.temperature_steps);
  return options.temperature * std::pow(options.last_temperature / options.temperature, share);
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(const Scope& scope, int64_t model, int64_t heads,
                                       double attention_dropout,
                                       const kernels::AttentionOptions& options,
                                       const SelfPositions& positions, double gain)
    : store_(scope.store()),
      model_(model),
      heads_(heads),
      key_model_(model / heads * options.key_value_heads_of(heads)),
      dropout_(attention_dropout),
      options_(options),
      dropout_stream_(scope.dropout_stream()),
      alibi_(positions.kind == Positions::kAlibi) {
  const auto weight = [&](const char* name, int64_t out, double spread = 1) {
    return scope.sub(name).declare("weight", {out, model}, Init::kXavierUniform, spread);
  };
  const auto bias = [&](const char* name, int64_t out) {
    return scope.sub(name).declare("bias", {out}, Init::kZeros);
  };
  // Scores without the root start as those with it (T5, Raffel et al. 2020).
  const bool unscaled =
      options.score == AttentionScore::kDot || options.score == AttentionScore::kGeneral;
  const double query_spread =
      unscaled ? std::sqrt(static_cast<double>(heads) / static_cast<double>(model)) : 1;
  query_weight_ = weight("query", model, query_spread);
  key_weight_ = weight("key", key_model_);
  value_weight_ = weight("value", key_model_, gain);
  query_bias_ = bias("query", model);
  key_bias_ = bias("key", key_model_);
  value_bias_ = bias("value", key_model_);
  output_weight_ = weight("output", model, gain);
  output_bias_ = bias("output", model);
  declare_kind(scope);
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

void MultiHeadAttention::declare_kind(const Scope& scope) {
  if (options_.score == AttentionScore::kGeneral) {
    general_weight_ =
        scope.sub("general").declare("weight", {model_, model_}, Init::kXavierUniform);
  }
  if (options_.score == AttentionScore::kAdditive) {
    const auto head = static_cast<double>(model_ / heads_);
    energy_weight_ =
        scope.sub("energy").declare("weight", {model_}, Init::kNormal, 1 / std::sqrt(head));
  }
  if (options_.scope == AttentionScope::kPredictive) {
    const Scope center = scope.sub("center");
    center_input_weight_ =
        center.sub("input").declare("weight", {model_, model_}, Init::kXavierUniform);
    center_output_weight_ =
        center.sub("output").declare("weight", {heads_, model_}, Init::kXavierUniform);
  }
  if (options_.selection == AttentionSelection::kHard) draw_stream_ = scope.dropout_stream();
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

Var MultiHeadAttention::project_query(Context& context, const Var& x) const {
  const Var query = project(context, x, query_weight_, query_weight_, query_bias_, query_bias_);
  return general_weight_ ? ops::linear(context, query, store_.var(context, general_weight_), Var())
                         : query;
}

template <class Positions>
Var MultiHeadAttention::turn(Context& context, Var x, int64_t columns,
                             const Positions& positions) const {
  if (!rotary_ || x.rows() == 0) return x;
  const std::span<const int32_t> of_rows = positions(context.arena);
  return ops::rotary(context, std::move(x), columns, rotary_->rows(std::ranges::max(of_rows) + 1),
                     of_rows);
}

template <class Positions>
ops::AttentionInputs MultiHeadAttention::self_inputs(Context& context, const Var& x,
                                                     const Positions& positions) const {
  ops::AttentionInputs inputs;
  if (general_weight_) {
    const Var query = turn(context, project_query(context, x), model_, positions);
    const Var memory = turn(context, project_memory(context, x), key_model_, positions);
    inputs = {query, 0, memory, 0, key_model_, model_, key_model_};
  } else {
    const Var projected =
        turn(context, project(context, x, query_weight_, value_weight_, query_bias_, value_bias_),
             model_ + key_model_, positions);
    inputs = {projected, 0, projected, model_, model_ + key_model_, model_, key_model_};
  }
  if (energy_weight_) inputs.energy = store_.var(context, energy_weight_);
  inputs.advantages = context.advantages;
  return inputs;
}

kernels::AttentionShape MultiHeadAttention::shape(const Context& context,
                                                  const SequenceLayout& queries,
                                                  const SequenceLayout& keys, bool causal) const {
  kernels::AttentionShape shape{
      queries, keys, heads_, causal, context.dropout(dropout_, dropout_stream_), options_};
  if (options_.selection == AttentionSelection::kHard && context.training) {
    shape.draw = {{context.seed, context.micro_batch, draw_stream_},
                  options_.reinforces() ? 1 : temperature_at(options_, context.update)};
  }
  return shape;
}

Var MultiHeadAttention::self(Context& context, const Var& x, const SequenceLayout& layout,
                             bool causal, Real* probabilities) const {
  const ops::AttentionInputs inputs =
      self_inputs(context, x, [&](Arena& arena) { return positions_of(arena, layout); });
  return output(context, ops::attention(context, inputs, shape(context, layout, layout, causal),
                                        distances(context), probabilities));
}

Var MultiHeadAttention::self_step(Context& context, const Var& x, KeyValueCache& cache,
                                  const CacheSlots& slots) const {
  const ops::AttentionInputs in =
      self_inputs(context, x, [&](Arena& arena) { return newest_positions(arena, slots); });
  const MatrixView<Real> query = in.query.matrix().column_range(in.query_column, model_);
  const MatrixView<Real> memory = in.memory.matrix();
  const MatrixView<Real> keys = cache.keys.matrix();
  const MatrixView<Real> values = cache.values.matrix();
  const Tensor attended = context.arena.tensor({x.rows(), model_});
  {
    const ProfileScope scope("attention");
    for (int64_t r = 0; r < memory.rows; ++r) {
      const int64_t slot = slots.new_slot(r);
      std::copy_n(memory.row(r) + in.key_column, key_model_, keys.row(slot));
      std::copy_n(memory.row(r) + in.value_column, key_model_, values.row(slot));
    }
    if (kernels::takes_whole_rows(options_)) {
      kernels::RowAttentionInputs<Real> inputs{query, keys, values, in.energy.value.data};
      inputs.alibi = alibi_;
      kernels::row_attention_step<Real>(options_, inputs, slots.ancestors, slots.stride,
                                        slots.lengths, heads_, attended.matrix(),
                                        context.workspace);
    } else {
      kernels::attention_step<Real>(query, keys, values, slots.ancestors, slots.stride,
                                    slots.lengths, heads_, options_.score, attended.matrix(),
                                    context.workspace, ops::terms(distances(context)));
    }
  }
  return output(context, Var(attended));
}

Var MultiHeadAttention::project_memory(Context& context, const Var& memory) const {
  return project(context, memory, key_weight_, value_weight_, key_bias_, value_bias_);
}

Var MultiHeadAttention::cross(Context& context, const Var& x, const SequenceLayout& queries,
                              const Var& projected, const SequenceLayout& keys, Real* probabilities,
                              const CacheSlots* slots) const {
  ops::AttentionInputs inputs{
      project_query(context, x), 0, projected, 0, key_model_, model_, key_model_};
  if (energy_weight_) inputs.energy = store_.var(context, energy_weight_);
  inputs.advantages = context.advantages;
  if (center_input_weight_) {
    const Var hidden = ops::linear(context, x, store_.var(context, center_input_weight_), Var());
    inputs.centers = ops::linear(context, ops::tanh(context, hidden),
                                 store_.var(context, center_output_weight_), Var());
  }
  if (slots != nullptr && options_.scope == AttentionScope::kMonotonic) {
    inputs.positions = newest_positions(context.arena, *slots).data();
  }
  return output(context,
                ops::attention(context, inputs, shape(context, queries, keys, /*causal=*/false), {},
                               probabilities));
}

}  // namespace calque
