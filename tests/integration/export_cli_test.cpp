// Models taken elsewhere, through the real binary.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "checkpoint/safetensors.h"
#include "support/catch.h"
#include "support/file_size_limit.h"
#include "support/run_contents.h"
#include "support/tiny_corpus.h"

using calque::read_file;
using calque::SafetensorsFile;
using calque::test::check_usage_errors;
using calque::test::checkpoint_folder;
using calque::test::FileSizeLimit;
using calque::test::listing;
using calque::test::read_metrics;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::TinyCorpus;

namespace {

/// A corpus and a run on it.
const TinyCorpus& trained() {
  static const TinyCorpus corpus;
  static const RunResult result = run_binary(corpus.train("run"));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return corpus;
}

RunResult export_as(const std::string& format, const std::string& model, const std::string& out) {
  return run_binary({"export", "--format", format, model, out});
}

}  // namespace

TEST_CASE("a trained model is exported in both formats", "[export]") {
  const TinyCorpus& corpus = trained();
  const std::string checkpoint = checkpoint_folder(corpus / "run", 24);
  const RunResult served =
      export_as("ctranslate2", corpus.path("run"), corpus.path("new/ctranslate2"));
  INFO(served.err);
  REQUIRE(served.exit_code == 0);
  CHECK(served.out ==
        corpus.path("new/ctranslate2") + ": " + checkpoint + " as a model of CTranslate2\n");
  const RunResult weights = export_as("safetensors", checkpoint, corpus.path("new/weights"));
  REQUIRE(weights.exit_code == 0);
  CHECK(weights.out ==
        corpus.path("new/weights") + ": " + checkpoint + " as safetensors and JSON\n");
  CHECK(listing(corpus / "new") ==
        std::vector<std::string>{"ctranslate2", "ctranslate2/config.json", "ctranslate2/model.bin",
                                 "ctranslate2/shared_vocabulary.json", "ctranslate2/source.spm",
                                 "ctranslate2/target.spm", "weights", "weights/config.json",
                                 "weights/model.safetensors", "weights/shared_vocabulary.json",
                                 "weights/source.spm", "weights/target.spm"});

  for (const char* folder : {"new/ctranslate2/", "new/weights/"}) {
    CHECK(read_file(corpus / (std::string(folder) + "source.spm")) ==
          read_file(checkpoint + "/vocab.model"));
  }
  // What was trained, bit for bit; the weights of CTranslate2 are those of its unit test.
  const SafetensorsFile trained_file(checkpoint + "/model.safetensors");
  const SafetensorsFile exported(corpus / "new/weights/model.safetensors");
  REQUIRE(exported.tensors().size() == trained_file.tensors().size());
  for (const auto& tensor : trained_file.tensors()) {
    CHECK(exported.floats(tensor.name) == trained_file.floats(tensor.name));
  }
}

TEST_CASE("a model with RMS norms and gates is averaged, translates and is exported", "[export]") {
  const TinyCorpus corpus;
  const RunResult train = run_binary(
      corpus.train("run", set({"model.norm_kind=rms", "model.activation=swiglu",
                               "train.moving_average=0.9", "train.micro_batch_tokens=48"})));
  INFO(train.err);
  REQUIRE(train.exit_code == 0);
  CHECK(read_metrics(corpus / "run").back().contains("validation_bleu"));
  const RunResult average = run_binary(
      {"average", "--run", corpus.path("run"), "--last", "2", "--output", corpus.path("mean")});
  INFO(average.err);
  REQUIRE(average.exit_code == 0);
  const std::string sentences = read_file(corpus / "validation.source");
  const auto translate = [&](const std::string& batch_tokens) {
    const RunResult result = run_binary(
        {"translate", "--model", corpus.path("mean"), "--batch-tokens", batch_tokens}, sentences);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result.out;
  };
  CHECK(translate("1") == translate("4096"));
  REQUIRE(export_as("ctranslate2", corpus.path("mean"), corpus.path("ctranslate2")).exit_code == 0);
  REQUIRE(export_as("safetensors", corpus.path("mean"), corpus.path("weights")).exit_code == 0);
  const nlohmann::json config = nlohmann::json::parse(read_file(corpus / "weights/config.json"));
  CHECK(config["norm_kind"] == "rms");
  CHECK(config["activation"] == "swiglu");
}

TEST_CASE("a model with relative positions and shared keys translates and is exported",
          "[export]") {
  const TinyCorpus corpus;
  const RunResult train = run_binary(corpus.train(
      "run", set({"model.positions=relative", "model.max_distance=4",
                  "model.decoder.self_attention.key_value_heads=1", "train.save_every=24"})));
  INFO(train.err);
  REQUIRE(train.exit_code == 0);
  const std::string sentences = read_file(corpus / "validation.source");
  const auto translate = [&](const std::string& batch_tokens) {
    const RunResult result = run_binary(
        {"translate", "--model", corpus.path("run"), "--batch-tokens", batch_tokens}, sentences);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result.out;
  };
  CHECK(translate("1") == translate("4096"));
  REQUIRE(export_as("ctranslate2", corpus.path("run"), corpus.path("ctranslate2")).exit_code == 0);
  REQUIRE(export_as("safetensors", corpus.path("run"), corpus.path("weights")).exit_code == 0);
  const nlohmann::json config = nlohmann::json::parse(read_file(corpus / "weights/config.json"));
  CHECK(config["positions"] == "relative");
  CHECK(config["max_distance"] == 4);
  CHECK(config["decoder_self_attention"]["key_value_heads"] == 1);
  CHECK(config["decoder_cross_attention"]["key_value_heads"] == 2);
}

TEST_CASE("an export that cannot be is refused or leaves nothing", "[export]") {
  const TinyCorpus& corpus = trained();
  const std::string run = corpus.path("run");
  check_usage_errors({
      {{"export", run, corpus.path("out")}, "--format is required"},
      {{"export", "--format", "onnx", run, corpus.path("out")},
       "--format: expected one of ctranslate2, safetensors, found onnx"},
      {{"export", "--format", "ctranslate2", run}, "OUT is required"},
      {{"export", "--format", "ctranslate2", run, run}, run + " exists already; name a new folder"},
      {{"export", "--format", "safetensors", corpus.path("none"), corpus.path("out")},
       corpus.path("none")},
  });
  for (const char* format : {"ctranslate2", "safetensors"}) {
    const FileSizeLimit full(size_t{8} << 10);
    const RunResult result = export_as(format, run, corpus.path("full/out"));
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, ContainsSubstring("cannot write"));
    CHECK(listing(corpus / "full").empty());
  }
}
