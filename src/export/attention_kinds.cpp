#include "export/attention_kinds.h"

#include <algorithm>

#include "config/rules.h"
#include "config/visit.h"

namespace calque {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

Values values_of(const TransformerOptions& options) {
  Values values;
  const auto collect = [&](const Field& field, const auto& value, const auto& kind) {
    values.emplace_back(field.key, kind.write(value));
  };
  visit_self_attention("model.encoder.self_attention", options.encoder_self_attention, collect);
  visit_self_attention("model.decoder.self_attention", options.decoder_self_attention, collect);
  visit_cross_attention("model.decoder.cross_attention", options.decoder_cross_attention, collect);
  return values;
}

}  // namespace

Values unusual_attention(const TransformerOptions& options) {
  const Values usual = values_of({});
  const std::vector<IdleSetting> idle = settings_without_effect(options);
  Values unusual = values_of(options);
  size_t i = 0;
  std::erase_if(unusual, [&](const auto& value) {
    const std::string& key = value.first;
    const auto is_key = [&](const IdleSetting& setting) { return setting.key == key; };
    return value == usual[i++] || key.ends_with(".key_value_heads") ||
           std::ranges::any_of(idle, is_key);
  });
  return unusual;
}

}  // namespace calque
