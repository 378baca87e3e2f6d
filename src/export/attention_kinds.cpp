#include "export/attention_kinds.h"

#include "config/visit.h"

namespace calque {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

/// Without what has no effect beside the other choices, and without shared keys and values, which
/// others know.
kernels::AttentionOptions in_effect(kernels::AttentionOptions attention) {
  const kernels::AttentionOptions usual;
  attention.key_value_heads = usual.key_value_heads;
  if (attention.scope == usual.scope) attention.window = usual.window;
  if (attention.selection == usual.selection) {
    attention.temperature = usual.temperature;
    attention.last_temperature = usual.last_temperature;
    attention.temperature_steps = usual.temperature_steps;
  }
  return attention;
}

Values values_of(const TransformerOptions& options) {
  Values values;
  const auto collect = [&](const Field& field, const auto& value, const auto& kind) {
    values.emplace_back(field.key, kind.write(value));
  };
  const auto encoder = in_effect(options.encoder_self_attention);
  const auto decoder = in_effect(options.decoder_self_attention);
  const auto cross = in_effect(options.decoder_cross_attention);
  visit_self_attention("model.encoder.self_attention", encoder, collect);
  visit_self_attention("model.decoder.self_attention", decoder, collect);
  visit_cross_attention("model.decoder.cross_attention", cross, collect);
  return values;
}

}  // namespace

Values unusual_attention(const TransformerOptions& options) {
  Values unusual = values_of(options);
  const Values usual = values_of({});
  size_t i = 0;
  std::erase_if(unusual, [&](const auto& value) { return value == usual[i++]; });
  return unusual;
}

}  // namespace calque
