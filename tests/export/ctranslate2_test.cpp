#include "export/ctranslate2.h"

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/file.h"
#include "export/exported_model.h"
#include "kernels/embedding.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/sentencepiece_message.h"

namespace calque {
namespace {

using nlohmann::json;
using test::listing;
using test::model_to_export;
using test::sample_tokenizer;
using test::sample_tokenizers;
using test::TemporaryFolder;
using test::user_error;

/// A model.bin, read as src/models/model.cc of CTranslate2 reads it.
struct ModelBinary {
  struct Variable {
    std::vector<uint32_t> dimensions;
    int type;
    std::string bytes;

    std::vector<float> floats() const {
      std::vector<float> values(bytes.size() / sizeof(float));
      std::memcpy(values.data(), bytes.data(), bytes.size());
      return values;
    }
    /// A number without dimensions.
    int64_t number() const {
      REQUIRE(dimensions.empty());
      int64_t value = 0;
      std::memcpy(&value, bytes.data(), bytes.size());
      return value;
    }
  };
  uint32_t version;
  std::string specification;
  uint32_t revision;
  std::map<std::string, Variable> variables;
  std::map<std::string, std::string> aliases;

  explicit ModelBinary(const std::filesystem::path& path) : text_(read_file(path)) {
    version = take<uint32_t>();
    specification = take_string();
    revision = take<uint32_t>();
    std::string last;
    for (auto left = take<uint32_t>(); left > 0; --left) {
      const std::string name = take_string();
      CHECK(last < name);
      last = name;
      Variable variable;
      variable.dimensions.resize(take<uint8_t>());
      for (uint32_t& size : variable.dimensions) size = take<uint32_t>();
      variable.type = take<uint8_t>();
      const auto bytes = take<uint32_t>();
      static constexpr uint32_t kWidths[] = {4, 1, 2, 4, 2, 2};
      const uint32_t elements = std::accumulate(variable.dimensions.begin(),
                                                variable.dimensions.end(), 1U, std::multiplies<>());
      INFO(name);
      CHECK(bytes == elements * kWidths[variable.type]);
      variable.bytes = take_bytes(bytes);
      variables[name] = variable;
    }
    for (auto left = take<uint32_t>(); left > 0; --left) {
      const std::string alias = take_string();
      aliases[alias] = take_string();
      CHECK(variables.contains(aliases[alias]));
      CHECK_FALSE(variables.contains(alias));
    }
    CHECK(at_ == text_.size());
  }

  const Variable& at(const std::string& name) const {
    INFO(name);
    REQUIRE(variables.contains(name));
    return variables.at(name);
  }

 private:
  std::string text_;
  size_t at_ = 0;

  std::string take_bytes(size_t count) {
    REQUIRE(at_ + count <= text_.size());
    at_ += count;
    return text_.substr(at_ - count, count);
  }
  template <class T>
  T take() {
    T value;
    std::memcpy(&value, take_bytes(sizeof value).data(), sizeof value);
    return value;
  }
  std::string take_string() {
    std::string text = take_bytes(take<uint16_t>());
    REQUIRE_FALSE(text.empty());
    CHECK(text.back() == '\0');
    text.pop_back();
    return text;
  }
};

/// The values of parameters, one behind the other.
std::vector<float> values(const OpenedModel& opened, const std::vector<std::string>& names) {
  std::vector<float> all;
  const ParameterStore& store = opened.model->parameters();
  for (const std::string& name : names) {
    INFO(name);
    const Parameter* const parameter = store.find(name);
    REQUIRE(parameter != nullptr);
    const auto part = store.value(*parameter).values();
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// Checks that the parameters of the model stand in the file once each, `more` numbers beside them.
void check_complete(const OpenedModel& opened, const ModelBinary& binary, int64_t more) {
  int64_t count = 0;
  for (const auto& [name, variable] : binary.variables) {
    if (!variable.dimensions.empty()) count += std::ssize(variable.floats());
  }
  CHECK(count == opened.model->parameters().count() + more);
}

TEST_CASE("a model of CTranslate2 has all weights under its names", "[export]") {
  const TransformerOptions options = test::tiny_options();
  const OpenedModel opened = model_to_export(options, sample_tokenizers(/*shared=*/true));
  const TemporaryFolder folder;
  export_to_ctranslate2(opened, folder / "out");
  CHECK(listing(folder / "out") == std::vector<std::string>{"config.json", "model.bin",
                                                            "shared_vocabulary.json", "source.spm",
                                                            "target.spm"});

  const ModelBinary binary(folder / "out/model.bin");
  CHECK(binary.version == 6);
  CHECK(binary.specification == "TransformerSpec");
  CHECK(binary.revision == 7);
  check_complete(opened, binary, kExportedPositions * options.model);
  for (const std::string stack : {"encoder", "decoder"}) {
    CHECK(binary.at(stack + "/num_heads").number() == 2);
    CHECK(binary.at(stack + "/num_heads").type == 2);
    CHECK(binary.at(stack + "/pre_norm").number() == 1);
    CHECK(binary.at(stack + "/activation").number() == 0);
    CHECK(binary.at(stack + "/scale_embeddings").number() == 1);
    CHECK(binary.at(stack + "/scale_embeddings").type == 1);
    CHECK(binary.at(stack + "/layer_norm/gamma").floats() ==
          values(opened, {stack + ".norm.weight"}));
  }

  const auto check = [&](const std::string& theirs, const std::vector<std::string>& ours,
                         const std::vector<uint32_t>& dimensions) {
    INFO(theirs);
    CHECK(binary.at(theirs).type == 0);
    CHECK(binary.at(theirs).dimensions == dimensions);
    CHECK(binary.at(theirs).floats() == values(opened, ours));
  };
  const std::string self = "encoder.layers.1.self_attention";
  check("encoder/layer_1/self_attention/linear_0/weight",
        {self + ".query.weight", self + ".key.weight", self + ".value.weight"}, {24, 8});
  check("encoder/layer_1/self_attention/linear_0/bias",
        {self + ".query.bias", self + ".key.bias", self + ".value.bias"}, {24});
  check("encoder/layer_1/self_attention/linear_1/weight", {self + ".output.weight"}, {8, 8});
  check("encoder/layer_1/self_attention/layer_norm/beta", {self + "_norm.bias"}, {8});
  const std::string cross = "decoder.layers.0.cross_attention";
  check("decoder/layer_0/attention/linear_0/weight", {cross + ".query.weight"}, {8, 8});
  check("decoder/layer_0/attention/linear_1/bias", {cross + ".key.bias", cross + ".value.bias"},
        {16});
  check("decoder/layer_0/attention/linear_1/weight",
        {cross + ".key.weight", cross + ".value.weight"}, {16, 8});
  check("decoder/layer_0/attention/linear_2/bias", {cross + ".output.bias"}, {8});
  check("decoder/layer_0/attention/layer_norm/gamma", {cross + "_norm.weight"}, {8});
  const std::string feed = "decoder.layers.0.feed_forward";
  check("decoder/layer_0/ffn/linear_0/weight", {feed + ".input.weight"}, {12, 8});
  check("decoder/layer_0/ffn/linear_1/weight", {feed + ".output.weight"}, {8, 12});
  check("decoder/layer_0/ffn/layer_norm/gamma", {feed + "_norm.weight"}, {8});
  check("decoder/embeddings/weight", {"embedding.weight"}, {90, 8});

  std::vector<float> sinusoids(kExportedPositions * 8);
  kernels::sinusoidal_positions<Real>({sinusoids.data(), kExportedPositions, 8});
  CHECK(binary.at("decoder/position_encodings/encodings").floats() == sinusoids);
  CHECK(binary.at("decoder/position_encodings/encodings").dimensions ==
        std::vector<uint32_t>{kExportedPositions, 8});
  CHECK(binary.aliases ==
        std::map<std::string, std::string>{
            {"decoder/projection/weight", "decoder/embeddings/weight"},
            {"encoder/embeddings_0/weight", "decoder/embeddings/weight"},
            {"encoder/position_encodings/encodings", "decoder/position_encodings/encodings"}});
}

TEST_CASE("CTranslate2 is told of the tokens, and has the vocabulary beside", "[export]") {
  const OpenedModel opened =
      model_to_export(test::tiny_options(), sample_tokenizers(/*shared=*/true));
  const TemporaryFolder folder;
  export_to_ctranslate2(opened, folder.path());  // empty: as good as a new one
  CHECK(json::parse(read_file(folder / "config.json")) == json{{"unk_token", "<unk>"},
                                                               {"bos_token", "<s>"},
                                                               {"eos_token", "</s>"},
                                                               {"decoder_start_token", "<s>"},
                                                               {"add_source_bos", false},
                                                               {"add_source_eos", true},
                                                               {"layer_norm_epsilon", 1e-5},
                                                               {"multi_query_attention", false}});
  const json pieces = json::parse(read_file(folder / "shared_vocabulary.json"));
  const Tokenizer& tokenizer = opened.tokenizers.source();
  REQUIRE(pieces.size() == 90);
  for (int32_t id = 0; id < 90; ++id) CHECK(pieces[static_cast<size_t>(id)] == tokenizer.piece(id));
  CHECK(read_file(folder / "source.spm") == tokenizer.serialized());
  CHECK(read_file(folder / "target.spm") == tokenizer.serialized());
}

TEST_CASE("kinds of models that CTranslate2 knows too are exported as what they are", "[export]") {
  TransformerOptions options = test::tiny_options();
  options.norm = NormPlace::kPost;
  options.activation = kernels::Activation::kGelu;
  options.positions = Positions::kLearned;
  options.max_positions = 21;
  options.tied_embeddings = Tying::kNone;
  const TemporaryFolder folder;
  {
    const OpenedModel opened = model_to_export(options, sample_tokenizers(/*shared=*/false));
    export_to_ctranslate2(opened, folder / "untied");
    const ModelBinary binary(folder / "untied/model.bin");
    check_complete(opened, binary, 0);
    CHECK(binary.aliases.empty());
    CHECK(binary.at("encoder/pre_norm").number() == 0);
    CHECK_FALSE(binary.variables.contains("encoder/layer_norm/gamma"));
    CHECK(binary.at("decoder/activation").number() == 3);
    const std::vector<std::pair<std::string, std::string>> names = {
        {"encoder/embeddings_0/weight", "source_embedding.weight"},
        {"decoder/embeddings/weight", "target_embedding.weight"},
        {"decoder/projection/weight", "output_projection.weight"},
        {"encoder/position_encodings/encodings", "source_positions.weight"},
        {"decoder/position_encodings/encodings", "target_positions.weight"}};
    for (const auto& [theirs, ours] : names) {
      CHECK(binary.at(theirs).floats() == values(opened, {ours}));
    }
    CHECK(json::parse(read_file(folder / "untied/source_vocabulary.json")).size() == 90);
    CHECK(json::parse(read_file(folder / "untied/target_vocabulary.json")).size() == 80);
    CHECK_FALSE(std::filesystem::exists(folder / "untied/shared_vocabulary.json"));
    CHECK(read_file(folder / "untied/target.spm") == opened.tokenizers.target().serialized());
  }
  options.activation = kernels::Activation::kSwish;
  options.tied_embeddings = Tying::kDecoder;
  const OpenedModel opened = model_to_export(options, sample_tokenizers(/*shared=*/false));
  export_to_ctranslate2(opened, folder / "tied");
  const ModelBinary binary(folder / "tied/model.bin");
  check_complete(opened, binary, 0);
  CHECK(binary.at("encoder/activation").number() == 2);
  CHECK(binary.aliases == std::map<std::string, std::string>{
                              {"decoder/projection/weight", "decoder/embeddings/weight"}});
}

TEST_CASE("RMS norms and gates go to CTranslate2 under its names for them", "[export]") {
  TransformerOptions options = test::tiny_options();
  options.norm_kind = NormKind::kRms;
  const std::map<kernels::Activation, int64_t> numbers = {{kernels::Activation::kGlu, 6},
                                                          {kernels::Activation::kGeglu, 3},
                                                          {kernels::Activation::kSwiglu, 2}};
  for (const auto& [kind, number] : numbers) {
    options.activation = kind;
    const OpenedModel opened = model_to_export(options, sample_tokenizers(/*shared=*/true));
    const TemporaryFolder folder;
    export_to_ctranslate2(opened, folder / "out");
    const ModelBinary binary(folder / "out/model.bin");
    check_complete(opened, binary, kExportedPositions * options.model);
    const std::string feed = "decoder.layers.0.feed_forward";
    const std::vector<std::pair<std::string, std::string>> names = {
        {"decoder/layer_0/ffn/linear_0/weight", feed + ".gate.weight"},
        {"decoder/layer_0/ffn/linear_0/bias", feed + ".gate.bias"},
        {"decoder/layer_0/ffn/linear_0_noact/weight", feed + ".input.weight"},
        {"decoder/layer_0/ffn/linear_0_noact/bias", feed + ".input.bias"},
        {"decoder/layer_0/ffn/linear_1/weight", feed + ".output.weight"},
        {"decoder/layer_0/ffn/layer_norm/gamma", feed + "_norm.weight"}};
    for (const auto& [theirs, ours] : names) {
      INFO(theirs);
      CHECK(binary.at(theirs).floats() == values(opened, {ours}));
    }
    CHECK(binary.at("encoder/activation").number() == number);
    for (const auto& [name, variable] : binary.variables) CHECK_FALSE(name.ends_with("/beta"));
  }
}

TEST_CASE("positions in self-attention, or none, go to CTranslate2 as what they are", "[export]") {
  TransformerOptions options = test::tiny_options();
  const TemporaryFolder folder;
  const auto exported = [&](Positions positions, const std::string& name, int64_t more) {
    options.positions = positions;
    const OpenedModel opened = model_to_export(options, sample_tokenizers(/*shared=*/true));
    export_to_ctranslate2(opened, folder / name);
    ModelBinary binary(folder / name / "model.bin");
    check_complete(opened, binary, more);
    return binary;
  };
  const ModelBinary none = exported(Positions::kNone, "none", kExportedPositions * 8);
  CHECK(none.at("decoder/position_encodings/encodings").floats() ==
        std::vector<float>(kExportedPositions * 8, 0.0F));

  const ModelBinary rotary = exported(Positions::kRotary, "rotary", 0);
  CHECK_FALSE(rotary.variables.contains("decoder/position_encodings/encodings"));
  for (const std::string layer : {"encoder/layer_0", "encoder/layer_1", "decoder/layer_0"}) {
    CHECK(rotary.at(layer + "/self_attention/rotary_dim").number() == 4);
    CHECK(rotary.at(layer + "/self_attention/rotary_dim").type == 3);
    CHECK(rotary.at(layer + "/self_attention/rotary_interleave").number() == 1);
  }
  CHECK_FALSE(rotary.variables.contains("decoder/layer_0/attention/rotary_dim"));

  options.max_distance = 3;
  const ModelBinary relative = exported(Positions::kRelative, "relative", 0);
  CHECK_FALSE(relative.variables.contains("decoder/position_encodings/encodings"));
  for (const std::string part : {"keys", "values"}) {
    CHECK(relative.at("decoder/layer_0/self_attention/relative_position_" + part).dimensions ==
          std::vector<uint32_t>{7, 4});
  }

  CHECK_THAT(user_error([&] { exported(Positions::kAlibi, "alibi", 0); }),
             ContainsSubstring("cannot be exported for CTranslate2:\n  model.positions is alibi, "
                               "but its encoder knows no such positions"));
}

TEST_CASE("DeepNorm is refused for CTranslate2", "[export]") {
  TransformerOptions options = test::tiny_options();
  options.norm = NormPlace::kDeep;
  const OpenedModel opened = model_to_export(options, sample_tokenizers(/*shared=*/true));
  const TemporaryFolder folder;
  CHECK_THAT(user_error([&] { export_to_ctranslate2(opened, folder / "out"); }),
             ContainsSubstring("cannot be exported for CTranslate2:\n  model.norm is deep, but its "
                               "residual connections are not scaled"));
}

TEST_CASE("fewer heads of keys and values go to CTranslate2 with their number", "[export]") {
  TransformerOptions options = test::tiny_options();
  options.decoder_self_attention.key_value_heads = 1;
  options.decoder_cross_attention.key_value_heads = 1;
  const OpenedModel opened = model_to_export(options, sample_tokenizers(/*shared=*/true));
  const TemporaryFolder folder;
  export_to_ctranslate2(opened, folder / "out");
  const ModelBinary binary(folder / "out/model.bin");
  check_complete(opened, binary, kExportedPositions * options.model);
  for (const std::string name : {"self_attention", "attention"}) {
    CHECK(binary.at("decoder/layer_0/" + name + "/num_heads_kv").number() == 1);
    CHECK(binary.at("decoder/layer_0/" + name + "/num_heads_kv").type == 3);
  }
  CHECK_FALSE(binary.variables.contains("encoder/layer_0/self_attention/num_heads_kv"));
  CHECK(binary.at("decoder/layer_0/self_attention/linear_0/weight").dimensions ==
        std::vector<uint32_t>{16, 8});
  CHECK(binary.at("decoder/layer_0/attention/linear_1/weight").dimensions ==
        std::vector<uint32_t>{8, 8});
}

/// The vocabulary with its end piece called otherwise.
Tokenizer with_other_end(const Tokenizer& tokenizer) {
  std::string bytes = tokenizer.serialized();
  bytes.replace(bytes.find("</s>"), 4, "<#s>");
  // ModelProto.trainer_spec.eos_piece, fields 2 and 47.
  return Tokenizer(bytes + test::message_field(2, "\xFA\x02\x04<#s>"));
}

TEST_CASE("kinds of attention that CTranslate2 lacks are refused by name", "[export]") {
  TransformerOptions options = test::tiny_options();
  options.encoder_self_attention = {.score = kernels::AttentionScore::kAdditive, .window = 9};
  options.decoder_cross_attention = {.scope = kernels::AttentionScope::kMonotonic, .window = 5};
  const OpenedModel opened = model_to_export(options, sample_tokenizers(true));
  const TemporaryFolder folder;
  const std::string message = user_error([&] { export_to_ctranslate2(opened, folder / "out"); });
  CHECK_THAT(message, ContainsSubstring(
                          "some/model cannot be exported for CTranslate2:\n"
                          "  model.encoder.self_attention.score is additive, which its attention "
                          "has not\n"
                          "  model.decoder.cross_attention.scope is monotonic, which its attention "
                          "has not\n"
                          "  model.decoder.cross_attention.window is 5, which its attention has "
                          "not\n"));
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
}

TEST_CASE("special pieces under two names are refused for CTranslate2", "[export]") {
  TransformerOptions options = test::tiny_options();
  options.tied_embeddings = Tying::kDecoder;
  Tokenizer target = sample_tokenizer(80);
  const OpenedModel opened = model_to_export(options, {with_other_end(target), std::move(target)});
  const TemporaryFolder folder;
  const std::string message = user_error([&] { export_to_ctranslate2(opened, folder / "out"); });
  CHECK_THAT(message, ContainsSubstring("some/model cannot be exported for CTranslate2:\n  "
                                        "piece 2 is <#s> in the source vocabulary and </s> in the "
                                        "target's"));
  CHECK_THAT(message, ContainsSubstring("--format safetensors, has no such bounds"));
  CHECK(listing(folder.path()).empty());
}

}  // namespace
}  // namespace calque
