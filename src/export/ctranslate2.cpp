#include "export/ctranslate2.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/stop_signal.h"
#include "export/attention_kinds.h"
#include "export/new_folder.h"
#include "export/vocabulary_files.h"
#include "kernels/embedding.h"
#include "nn/norm.h"
#include "text/special_ids.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

// The layout of model.bin is that of python/ctranslate2/specs/model_spec.py and of
// src/models/model.cc: little-endian, as we are.
static_assert(std::endian::native == std::endian::little);
constexpr uint32_t kBinaryVersion = 6;
constexpr const char kSpecification[] = "TransformerSpec";
constexpr uint32_t kRevision = 7;

/// Bounds of the fields that hold them.
constexpr int64_t kMostHeads = std::numeric_limits<int16_t>::max();
constexpr uint64_t kMostBytes = std::numeric_limits<uint32_t>::max();

/// CTranslate2's numbers for the types of elements.
template <class T>
extern const uint8_t kType;  // of no other type than these
template <>
inline constexpr uint8_t kType<float> = 0;
template <>
inline constexpr uint8_t kType<int8_t> = 1;
template <>
inline constexpr uint8_t kType<int16_t> = 2;
template <>
inline constexpr uint8_t kType<int32_t> = 3;

/// CTranslate2's numbers for activations, and for what the gate of a gated kind goes through; its
/// GELU, as ours, is the exact one.
int8_t activation_number(kernels::Activation activation) {
  switch (activation) {
    case kernels::Activation::kRelu:
      return 0;
    case kernels::Activation::kSwish:
    case kernels::Activation::kSwiglu:
      return 2;
    case kernels::Activation::kGelu:
    case kernels::Activation::kGeglu:
      return 3;
    case kernels::Activation::kGlu:
      return 6;
  }
  CALQUE_CHECK(false, "activation {}", static_cast<int>(activation));
}

/// An array of numbers under a name; without dimensions it is a single one.
struct Variable {
  std::string name;
  uint8_t type = 0;
  std::vector<int64_t> dimensions;
  std::vector<std::span<const std::byte>> parts;  // its bytes, one behind the other
  std::vector<std::byte> own;                     // where they lie nowhere else

  uint64_t bytes() const {
    uint64_t sum = own.size();
    for (const auto& part : parts) sum += part.size();
    return sum;
  }
};

/// What stands in model.bin. Refers to the model's weights.
class ModelFile {
 public:
  explicit ModelFile(const Transformer& model) : model_(model) { collect(); }

  const std::vector<Variable>& variables() const { return variables_; }
  void write(const fs::path& path) const;

 private:
  const Transformer& model_;
  std::vector<Variable> variables_;
  std::vector<std::pair<std::string, std::string>> aliases_;  // another name, of which variable

  void collect();
  void collect_stack(const std::string& stack);
  void collect_positions();

  template <class T>
  void number(const std::string& name, T value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    variables_.push_back({name, kType<T>, {}, {}, {bytes.begin(), bytes.end()}});
  }
  /// The parameters of these names, stacked along their rows.
  void weights(const std::string& name, const std::vector<std::string>& parameters);
  /// `<name>/weight` and `<name>/bias` of these layers, stacked so.
  void linear(const std::string& name, std::vector<std::string> layers);
  /// How many heads of keys and values the attention `name` has, where they are fewer.
  void shared_heads(const std::string& name, const kernels::AttentionOptions& attention) {
    const int64_t heads = attention.key_value_heads_of(model_.options().heads);
    if (heads == model_.options().heads) return;
    number<int32_t>(name + "/num_heads_kv", static_cast<int32_t>(heads));
  }
  void norm(const std::string& name, const std::string& layer) {
    weights(name + "/gamma", {layer + ".weight"});
    if (model_.options().norm_kind == NormKind::kLayer) weights(name + "/beta", {layer + ".bias"});
  }
};

void ModelFile::weights(const std::string& name, const std::vector<std::string>& parameters) {
  Variable variable{name, kType<float>, {}, {}, {}};
  const ParameterStore& store = model_.parameters();
  for (const std::string& parameter_name : parameters) {
    const Parameter* const parameter = store.find(parameter_name);
    CALQUE_CHECK(parameter != nullptr, "the model has no {}", parameter_name);
    const Shape& shape = parameter->shape;
    if (variable.dimensions.empty()) {
      for (int i = 0; i < shape.rank(); ++i) variable.dimensions.push_back(shape[i]);
    } else {
      variable.dimensions.front() += shape[0];
    }
    variable.parts.push_back(std::as_bytes(store.value(*parameter).values()));
  }
  variables_.push_back(std::move(variable));
}

void ModelFile::linear(const std::string& name, std::vector<std::string> layers) {
  std::vector<std::string> biases = layers;
  for (std::string& layer : layers) layer += ".weight";
  for (std::string& layer : biases) layer += ".bias";
  weights(name + "/weight", layers);
  weights(name + "/bias", biases);
}

void ModelFile::collect_stack(const std::string& stack) {
  const TransformerOptions& options = model_.options();
  const bool decoder = stack == "decoder";
  number<int16_t>(stack + "/num_heads", static_cast<int16_t>(options.heads));
  number<int8_t>(stack + "/pre_norm", options.norm == NormPlace::kPre ? 1 : 0);
  number<int8_t>(stack + "/activation", activation_number(options.activation));
  number<int8_t>(stack + "/scale_embeddings", 1);  // times sqrt(model)
  if (options.norm == NormPlace::kPre) norm(stack + "/layer_norm", stack + ".norm");
  const int64_t layers = decoder ? options.decoder_layers : options.encoder_layers;
  for (int64_t i = 0; i < layers; ++i) {
    const std::string ours = fmt::format("{}.layers.{}.", stack, i);
    const std::string theirs = fmt::format("{}/layer_{}/", stack, i);
    const std::string self = ours + "self_attention";
    linear(theirs + "self_attention/linear_0", {self + ".query", self + ".key", self + ".value"});
    linear(theirs + "self_attention/linear_1", {self + ".output"});
    shared_heads(theirs + "self_attention",
                 decoder ? options.decoder_self_attention : options.encoder_self_attention);
    if (options.positions == Positions::kRotary) {
      number<int32_t>(theirs + "self_attention/rotary_dim",
                      static_cast<int32_t>(options.model / options.heads));
      number<int8_t>(theirs + "self_attention/rotary_interleave", 1);  // pairs are neighbours
    }
    if (options.positions == Positions::kRelative) {
      for (const std::string part : {"key", "value"}) {
        weights(fmt::format("{}self_attention/relative_position_{}s", theirs, part),
                {fmt::format("{}.relative_{}.weight", self, part)});
      }
    }
    norm(theirs + "self_attention/layer_norm", self + "_norm");
    if (decoder) {
      const std::string cross = ours + "cross_attention";
      linear(theirs + "attention/linear_0", {cross + ".query"});
      linear(theirs + "attention/linear_1", {cross + ".key", cross + ".value"});
      linear(theirs + "attention/linear_2", {cross + ".output"});
      shared_heads(theirs + "attention", options.decoder_cross_attention);
      norm(theirs + "attention/layer_norm", cross + "_norm");
    }
    if (kernels::activation_inputs(options.activation) == 1) {
      linear(theirs + "ffn/linear_0", {ours + "feed_forward.input"});
    } else {
      linear(theirs + "ffn/linear_0", {ours + "feed_forward.gate"});
      linear(theirs + "ffn/linear_0_noact", {ours + "feed_forward.input"});
    }
    linear(theirs + "ffn/linear_1", {ours + "feed_forward.output"});
    norm(theirs + "ffn/layer_norm", ours + "feed_forward_norm");
  }
}

void ModelFile::collect_positions() {
  constexpr const char kEncoder[] = "encoder/position_encodings/encodings";
  constexpr const char kDecoder[] = "decoder/position_encodings/encodings";
  const TransformerOptions& options = model_.options();
  if (options.positions == Positions::kLearned) {
    weights(kEncoder, {"source_positions.weight"});
    weights(kDecoder, {"target_positions.weight"});
    return;
  }
  if (options.positions == Positions::kRotary || options.positions == Positions::kRelative) return;
  // CTranslate2 makes sinusoids of its own where it finds no table, in another order and from 1: so
  // no positions are a table of zeros.
  Variable table{kDecoder, kType<float>, {kExportedPositions, options.model}, {}, {}};
  table.own.resize(static_cast<size_t>(kExportedPositions * options.model) * sizeof(Real));
  if (options.positions == Positions::kSinusoidal) {
    kernels::sinusoidal_positions<Real>(
        {reinterpret_cast<Real*>(table.own.data()), kExportedPositions, options.model});
  }
  variables_.push_back(std::move(table));
  aliases_.emplace_back(kEncoder, kDecoder);
}

void ModelFile::collect() {
  constexpr const char kSource[] = "encoder/embeddings_0/weight";
  constexpr const char kTarget[] = "decoder/embeddings/weight";
  constexpr const char kProjection[] = "decoder/projection/weight";
  const Tying tying = model_.options().tied_embeddings;
  if (tying == Tying::kAll) {
    weights(kTarget, {"embedding.weight"});
    aliases_.emplace_back(kSource, kTarget);
  } else {
    weights(kTarget, {"target_embedding.weight"});
    weights(kSource, {"source_embedding.weight"});
  }
  if (tying == Tying::kNone) {
    weights(kProjection, {"output_projection.weight"});
  } else {
    aliases_.emplace_back(kProjection, kTarget);
  }
  collect_positions();
  collect_stack("encoder");
  collect_stack("decoder");
  std::ranges::sort(variables_, {}, &Variable::name);
  std::ranges::sort(aliases_);
}

void ModelFile::write(const fs::path& path) const {
  FileWriter file(path);
  const auto write_number = [&]<class T>(T value) { file.write(&value, sizeof(T)); };
  const auto write_string = [&](const std::string& text) {  // with the zero behind it
    write_number(static_cast<uint16_t>(text.size() + 1));
    file.write(text.c_str(), text.size() + 1);
  };
  write_number(kBinaryVersion);
  write_string(kSpecification);
  write_number(kRevision);
  write_number(static_cast<uint32_t>(variables_.size()));
  for (const Variable& variable : variables_) {
    throw_if_stopped();
    write_string(variable.name);
    write_number(static_cast<uint8_t>(variable.dimensions.size()));
    for (const int64_t size : variable.dimensions) write_number(static_cast<uint32_t>(size));
    write_number(variable.type);
    write_number(static_cast<uint32_t>(variable.bytes()));
    file.write(variable.own.data(), variable.own.size());
    for (const auto& part : variable.parts) file.write(part.data(), part.size());
  }
  write_number(static_cast<uint32_t>(aliases_.size()));
  for (const auto& [alias, name] : aliases_) {
    write_string(alias);
    write_string(name);
  }
  file.finish();
}

/// Throws when CTranslate2's format has no room for something.
void check_fits(const OpenedModel& opened, const ModelFile& file) {
  std::vector<std::string> reasons;
  const int64_t heads = opened.model->options().heads;
  if (heads > kMostHeads) {
    reasons.push_back(fmt::format("model.heads is {}, but it holds {} at most", heads, kMostHeads));
  }
  for (const auto& [key, value] : unusual_attention(opened.model->options())) {
    reasons.push_back(fmt::format("{} is {}, which its attention has not", key, value));
  }
  if (opened.model->options().positions == Positions::kAlibi) {
    reasons.emplace_back("model.positions is alibi, but its encoder knows no such positions");
  }
  if (opened.model->options().norm == NormPlace::kDeep) {
    reasons.emplace_back("model.norm is deep, but its residual connections are not scaled");
  }
  for (const Variable& variable : file.variables()) {
    if (variable.bytes() <= kMostBytes) continue;
    reasons.push_back(fmt::format("{} has {} bytes, but one array may have {} at most",
                                  variable.name, variable.bytes(), kMostBytes));
  }
  const Tokenizer& source = opened.tokenizers.source();
  const Tokenizer& target = opened.tokenizers.target();
  for (const int32_t id : {kUnknownId, kBeginId, kEndId}) {
    if (source.piece(id) == target.piece(id)) continue;
    reasons.push_back(
        fmt::format("piece {} is {} in the source vocabulary and {} in the target's, but special "
                    "pieces have one name there; train with vocabularies that agree",
                    id, source.piece(id), target.piece(id)));
  }
  if (reasons.empty()) return;
  throw UserError(
      fmt::format("{} cannot be exported for CTranslate2:\n  {}\nThe other format, "
                  "--format safetensors, has no such bounds",
                  opened.checkpoint.string(), fmt::join(reasons, "\n  ")));
}

nlohmann::json configuration(const Tokenizer& tokenizer) {
  return {{"unk_token", tokenizer.piece(kUnknownId)},
          {"bos_token", tokenizer.piece(kBeginId)},
          {"eos_token", tokenizer.piece(kEndId)},
          {"decoder_start_token", tokenizer.piece(kBeginId)},
          {"add_source_bos", false},
          {"add_source_eos", true},
          {"layer_norm_epsilon", Norm::kEpsilon},
          {"multi_query_attention", false}};
}

}  // namespace

void export_to_ctranslate2(const OpenedModel& opened, const fs::path& output) {
  const ModelFile file(*opened.model);
  check_fits(opened, file);
  write_new_folder(output, [&](const fs::path& folder) {
    file.write(folder / "model.bin");
    write_synced(folder / "config.json", configuration(opened.tokenizers.target()).dump(2) + "\n");
    write_vocabulary_files(folder, opened.tokenizers);
  });
}

}  // namespace calque
