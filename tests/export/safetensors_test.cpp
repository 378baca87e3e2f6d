#include "export/safetensors.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "checkpoint/safetensors.h"
#include "export/exported_model.h"
#include "support/catch.h"
#include "support/run_contents.h"

namespace calque {
namespace {

using nlohmann::json;
using test::model_to_export;
using test::sample_tokenizers;
using test::TemporaryFolder;

TEST_CASE("a safetensors folder has all parameters and what they do not tell", "[export]") {
  const OpenedModel opened =
      model_to_export(test::tiny_options(), sample_tokenizers(/*shared=*/true));
  const TemporaryFolder folder;
  export_to_safetensors(opened, folder / "out");
  CHECK(test::listing(folder / "out") ==
        std::vector<std::string>{"config.json", "model.safetensors", "shared_vocabulary.json",
                                 "source.spm", "target.spm"});

  const SafetensorsFile file(folder / "out/model.safetensors");
  const ParameterStore& store = opened.model->parameters();
  REQUIRE(file.tensors().size() == store.parameters().size());
  for (const Parameter& parameter : store.parameters()) {
    INFO(parameter.name);
    REQUIRE(file.find(parameter.name) != nullptr);
    CHECK(file.find(parameter.name)->shape == parameter.shape);
    CHECK(std::ranges::equal(file.floats(parameter.name), store.value(parameter).values()));
  }
  CHECK(file.metadata() == TensorMetadata{{"format", "pt"}});

  CHECK(json::parse(read_file(folder / "out/config.json")) ==
        json{{"architecture", "transformer-encoder-decoder"},
             {"size", 8},
             {"heads", 2},
             {"hidden", 12},
             {"encoder_layers", 2},
             {"decoder_layers", 1},
             {"encoder_self_attention", {{"key_value_heads", 2}}},
             {"decoder_self_attention", {{"key_value_heads", 2}}},
             {"decoder_cross_attention", {{"key_value_heads", 2}}},
             {"norm", "pre"},
             {"norm_kind", "layer"},
             {"activation", "relu"},
             {"positions", "sinusoidal"},
             {"tied_embeddings", "all"},
             {"embedding_scale", std::sqrt(8.0)},
             {"layer_norm_epsilon", 1e-5},
             {"source_vocabulary_size", 90},
             {"target_vocabulary_size", 90},
             {"unknown_id", 0},
             {"begin_id", 1},
             {"end_id", 2}});
}

TEST_CASE("RMS norms and gates are exported as what they are", "[export]") {
  TransformerOptions options = test::tiny_options();
  options.norm_kind = NormKind::kRms;
  options.activation = kernels::Activation::kGeglu;
  const TemporaryFolder folder;
  export_to_safetensors(model_to_export(options, sample_tokenizers(/*shared=*/true)),
                        folder / "out");
  const json config = json::parse(read_file(folder / "out/config.json"));
  CHECK(config["norm_kind"] == "rms");
  CHECK(config["activation"] == "geglu");
  CHECK(config["hidden"] == 12);
  const SafetensorsFile file(folder / "out/model.safetensors");
  for (const char* half : {"gate", "input"}) {
    const std::string layer = std::string("decoder.layers.0.feed_forward.") + half;
    CHECK(file.find(layer + ".weight")->shape == Shape{12, 8});
    CHECK(file.find(layer + ".bias")->shape == Shape{12});
  }
  CHECK(file.find("encoder.norm.weight")->shape == Shape{8});
  CHECK(file.find("encoder.norm.bias") == nullptr);
}

TEST_CASE("learned positions say how many they are", "[export]") {
  TransformerOptions options = test::tiny_options();
  options.positions = Positions::kLearned;
  options.max_positions = 21;
  options.tied_embeddings = Tying::kNone;
  const TemporaryFolder folder;
  export_to_safetensors(model_to_export(options, sample_tokenizers(/*shared=*/false)),
                        folder / "out");
  const json config = json::parse(read_file(folder / "out/config.json"));
  CHECK(config["max_positions"] == 21);
  CHECK(config["tied_embeddings"] == "none");
  CHECK(config["target_vocabulary_size"] == 80);
  const SafetensorsFile file(folder / "out/model.safetensors");
  CHECK(file.find("target_positions.weight")->shape == Shape{21, 8});
}

}  // namespace
}  // namespace calque
