#include "export/safetensors.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/stop_signal.h"
#include "checkpoint/checkpoint.h"
#include "config/visit.h"
#include "export/attention_kinds.h"
#include "export/new_folder.h"
#include "export/vocabulary_files.h"
#include "nn/norm.h"
#include "text/special_ids.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// One attention of a layer.
nlohmann::json attention(const kernels::AttentionOptions& options, int64_t heads) {
  return {{"key_value_heads", options.key_value_heads_of(heads)}};
}

/// Everything about the model that its weights do not tell; the names are those of the config.
nlohmann::json configuration(const Transformer& model) {
  const TransformerOptions& options = model.options();
  nlohmann::json json = {
      {"architecture", "transformer-encoder-decoder"},
      {"size", options.model},
      {"heads", options.heads},
      {"encoder_self_attention", attention(options.encoder_self_attention, options.heads)},
      {"decoder_self_attention", attention(options.decoder_self_attention, options.heads)},
      {"decoder_cross_attention", attention(options.decoder_cross_attention, options.heads)},
      {"hidden", options.hidden},
      {"encoder_layers", options.encoder_layers},
      {"decoder_layers", options.decoder_layers},
      {"norm", OneOf<NormPlace>(kNormPlaces).write(options.norm)},
      {"norm_kind", OneOf<NormKind>(kNormKinds).write(options.norm_kind)},
      {"activation", OneOf<kernels::Activation>(kActivations).write(options.activation)},
      {"positions", OneOf<Positions>(kPositions).write(options.positions)},
      {"tied_embeddings", OneOf<Tying>(kTyings).write(options.tied_embeddings)},
      {"embedding_scale", std::sqrt(static_cast<double>(options.model))},
      {"layer_norm_epsilon", Norm::kEpsilon},
      {"source_vocabulary_size", model.source_vocab()},
      {"target_vocabulary_size", model.target_vocab()},
      {"unknown_id", kUnknownId},
      {"begin_id", kBeginId},
      {"end_id", kEndId}};
  if (options.positions == Positions::kLearned) json["max_positions"] = options.max_positions;
  if (options.positions == Positions::kRelative) json["max_distance"] = options.max_distance;
  for (const auto& [key, value] : unusual_attention(options)) json["attention"][key] = value;
  return json;
}

void write_weights(const fs::path& path, const ParameterStore& store) {
  std::vector<TensorToWrite> tensors;
  append_tensors(store, "", tensors);
  SafetensorsWriter file(path, tensors, {{"format", "pt"}});  // "pt": asked for by other tools
  for (const Parameter& parameter : store.parameters()) {
    throw_if_stopped();
    file.write(store.value(parameter).values());
  }
  file.finish();
}

}  // namespace

void export_to_safetensors(const OpenedModel& opened, const fs::path& output) {
  const Transformer& model = *opened.model;
  write_new_folder(output, [&](const fs::path& folder) {
    write_weights(folder / kModelFile, model.parameters());
    write_synced(folder / "config.json", configuration(model).dump(2) + "\n");
    write_vocabulary_files(folder, opened.tokenizers);
  });
}

}  // namespace calque
