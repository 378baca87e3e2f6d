// The benchmarks through the real binary.
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support/catch.h"
#include "support/own_engine_scope.h"
#include "support/run_contents.h"
#include "support/tiny_corpus.h"

using calque::read_file;
using calque::write_file_atomically;
using calque::test::check_usage_errors;
using calque::test::listing;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::TinyCorpus;
using nlohmann::json;

namespace {

/// `passes`: over each batch.
void check_training(const json& figures, int passes = 1) {
  INFO(figures.dump(2));
  CHECK(figures["steps"] == 2);
  CHECK(figures["threads"] == 1);
  CHECK(figures["step_seconds"]["all"].size() == 2);
  CHECK(figures["step_seconds"]["min"] <= figures["step_seconds"]["median"]);
  CHECK(figures["step_seconds"]["median"] <= figures["step_seconds"]["max"]);
  CHECK(figures["tokens_per_second"] > 0);
  CHECK(figures["utilisation"] > 0);
  CHECK(figures["utilisation"] < 1);
  CHECK(figures["gemm_peak"]["flops_per_second"] >= figures["gemm_peak"]["before"]);
  CHECK(figures["gemm_peak"]["flops_per_second"] >= figures["gemm_peak"]["after"]);
  CHECK(figures["fma_peak"]["one_thread"] > 0);
  CHECK(figures["fma_peak"]["all_threads"] > 0);
  // One layer a stack of width 16 and hidden 32 (tests/model/linear_flops_test.cpp counts): a
  // source row meets 2048 + 512 weights, a target row 2560 and the vocabulary of 60.
  const double source = figures["source_tokens"];
  const double target = figures["target_tokens"];
  CHECK(figures["linear_flops"].get<double>() ==
        passes * 6 * (source * 2560 + target * (2560 + 60 * 16)));
  double share = 0;
  double linear_flops = 0;
  double seconds = 0;
  int64_t updates = 0;
  for (const json& part : figures["parts"]) {
    share += part["share"].get<double>();
    seconds += part["seconds"].get<double>();
    const auto name = part["part"].get<std::string>();
    if (name == "rest of the update") updates = part["calls"];
    if (name.starts_with("gemm") || name.starts_with("projection")) {
      linear_flops += part["flops"].get<double>();
    }
  }
  CHECK(share == Approx(1.0));
  double steps = 0;
  for (const json& step : figures["step_seconds"]["all"]) steps += step.get<double>();
  CHECK(updates == 2);  // each moment of a step is in a part
  CHECK(seconds <= steps);
  CHECK(seconds > 0.5 * steps);                    // 0.999, but for an interruption of the machine
  CHECK(linear_flops == figures["linear_flops"]);  // what was multiplied is what was counted
  const json& memory = figures["memory_bytes"];
  CHECK(memory["parameters"] == 6592 * 4);
  CHECK(memory["parameter_gradients"] == 6592 * 4);
  CHECK(memory["optimizer"] == 2 * 6592 * 4);
  for (const char* owner : {"activations", "activation_gradients", "scratch"}) {
    CHECK(memory[owner] > 0);
    CHECK(memory[owner] < memory["process_peak"]);
  }
}

}  // namespace

TEST_CASE("bench train measures the steps of a config on its text", "[bench]") {
  const TinyCorpus corpus;
  const std::vector<std::string> before = listing(corpus / ".");
  const RunResult result =
      run_binary({"bench", "train", corpus.config(), "--steps", "2", "--threads", "1", "--json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json figures = json::parse(result.out);
  CHECK(figures["data"] == "text");
  CHECK(figures["batch_tokens"] == 128);
  check_training(figures);
  CHECK(listing(corpus / ".") == before);
}

TEST_CASE("bench train counts both passes of R-Drop and of adversarial training", "[bench]") {
  const TinyCorpus corpus;
  for (const char* setting : {"train.r_drop=1", "train.adversarial.weight=1"}) {
    const RunResult result = run_binary({"bench", "train", corpus.config(), "--steps", "2",
                                         "--threads", "1", "--json", "--set", setting});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    check_training(json::parse(result.out), 2);
  }
}

TEST_CASE("bench train varies the text as a training does, but no random ids", "[bench]") {
  const TinyCorpus corpus;
  const auto bench = [&](const char* setting) {
    return run_binary({"bench", "train", corpus.config(), "--steps", "20", "--threads", "1",
                       "--json", "--set", setting});
  };
  const auto source_tokens = [&](const RunResult& result) {
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return json::parse(result.out)["source_tokens"].get<double>();
  };
  CHECK(source_tokens(bench("data.subword_sampling=0.3")) !=
        source_tokens(bench("data.subword_sampling=0")));
  const std::string missing = corpus.path("train.target");
  std::filesystem::remove(missing);
  for (const char* varied : {"data.subword_sampling=0.3", "data.bidirectional_epochs=1"}) {
    const RunResult refused = bench(varied);
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err, ContainsSubstring(
                                missing + " does not exist, and the random ids in its place cannot "
                                          "be varied; expected the text, or 0 for "
                                          "data.bidirectional_epochs, data.subword_sampling and "
                                          "data.noise.probability"));
  }
}

TEST_CASE("bench train exports the batches of its steps, and says its settings", "[bench]") {
  const TinyCorpus corpus;
  const std::string file = corpus.path("batches.jsonl");
  const RunResult result =
      run_binary({"bench", "train", corpus.config(), "--steps", "2", "--threads", "1", "--json",
                  "--set", "train.accumulate=2", "--export-batches", file});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json figures = json::parse(result.out);
  CHECK(figures["settings"]["model.size"] == "16");
  CHECK(figures["settings"]["train.accumulate"] == "2");
  const std::vector<std::string> lines = calque::read_lines(file);
  REQUIRE(lines.size() == 100);
  const size_t first_timed = 2 * figures["warm_up_steps"].get<size_t>();
  size_t source_tokens = 0;
  for (size_t i = first_timed; i < first_timed + 4; ++i) {
    const json batch = json::parse(lines[i]);
    for (const json& sentence : batch["source"]) source_tokens += sentence.size();
  }
  CHECK(source_tokens == figures["source_tokens"]);
}

TEST_CASE("bench train takes random ids where the text is missing, and says so", "[bench]") {
  const TinyCorpus corpus;
  const std::string missing = corpus.path("train.target");
  std::filesystem::remove(missing);
  const std::vector<std::string> arguments{
      "bench",     "train", corpus.config(), "--steps",           "2", "--tokens", "100",
      "--threads", "1",     "--set",         "train.accumulate=2"};
  std::vector<std::string> as_json = arguments;
  as_json.push_back("--json");
  const RunResult result = run_binary(as_json);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json figures = json::parse(result.out);
  CHECK(figures["data"] == "random");
  CHECK(figures["batch_tokens"] == 100);
  check_training(figures);

  const RunResult text = run_binary(arguments);
  INFO(text.out);
  REQUIRE(text.exit_code == 0);
  for (const std::string& said : std::vector<std::string>{
           "processor ", "engine ", "instructions ", "threads       1\n",
           "data          RANDOM ids, 5 to 40 tokens a sentence: " + missing + " does not exist\n",
           "steps         2, after 3 to warm up; ", "tokens/s (source + target)",
           "step time     median ", "utilisation   0.", "of the GEMM peak", "4096 x 512 x 2048",
           "FMA peak ", "part ", "gemm: y = x W^T", "gemm: dx = dy W", "gemm: dW = dy^T x",
           "attention backward", "peak memory   parameters 25.8 KB"}) {
    CHECK_THAT(text.out, ContainsSubstring(said));
  }
}

TEST_CASE("bench translate measures a model in batches and line by line", "[bench]") {
  const calque::test::OwnEngineScope engine;
  const TinyCorpus corpus;
  const RunResult trained = run_binary(corpus.train("run"));
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const std::vector<std::string> before = listing(corpus / ".");
  const std::vector<std::string> arguments{"bench",          "translate",
                                           "--model",        corpus.path("run"),
                                           "--source",       corpus.path("validation.source"),
                                           "--beam",         "2",
                                           "--rounds",       "2",
                                           "--alone",        "7",
                                           "--batch-tokens", "60",
                                           "--threads",      "1",
                                           "--quiet"};
  std::vector<std::string> as_json = arguments;
  as_json.push_back("--json");
  const RunResult result = run_binary(as_json);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.err.empty());
  const json figures = json::parse(result.out);
  CHECK_THAT(figures["model"].get<std::string>(), ContainsSubstring("step_00000024 (step 24, "));
  CHECK(figures["beam"] == 2);
  CHECK(figures["batch_tokens"] == 60);
  CHECK(figures["threads"] == 1);
  CHECK(figures["sentences"] == 20);
  CHECK(figures["output_tokens"] >= 20);
  REQUIRE(figures["round_seconds"].size() == 2);
  const double median =
      (figures["round_seconds"][0].get<double>() + figures["round_seconds"][1].get<double>()) / 2;
  CHECK(figures["sentences_per_second"].get<double>() == Approx(20 / median));
  CHECK(figures["tokens_per_second"].get<double>() ==
        Approx(figures["output_tokens"].get<double>() / median));
  const json& alone = figures["alone"];
  CHECK(alone["sentences"] == 7);
  CHECK(alone["output_tokens"] >= 7);
  CHECK(alone["sentences_per_second"] > 0);
  CHECK(alone["p50_seconds"] > 0);
  CHECK(alone["p95_seconds"] >= alone["p50_seconds"]);
  const json& memory = figures["memory_bytes"];
  CHECK(memory["parameters"] == 6592 * 4);
  for (const char* owner : {"prepared", "activations", "scratch"}) {
    CHECK(memory[owner] > 0);
    CHECK(memory[owner] < memory["process_peak"]);
  }

  const RunResult text = run_binary(arguments);
  INFO(text.out);
  REQUIRE(text.exit_code == 0);
  for (const char* said :
       {"search        beam 2, 60 source tokens times beam a batch, float32\n",
        "text          20 sentences, ", " put out; 2 rounds\n", "in batches    ", "line by line  ",
        ", of 7 sentences\n", "peak memory   parameters 25.8 KB, prepared for products "}) {
    CHECK_THAT(text.out, ContainsSubstring(said));
  }
  CHECK(listing(corpus / ".") == before);

  write_file_atomically(corpus / "empty", "");
  check_usage_errors(
      {{{"bench", "translate", "--model", corpus.path("run"), "--source", corpus.path("empty")},
        corpus.path("empty") + " has no lines"},
       {{"bench", "translate", "--model", "m", "--source", "s", "--rounds", "0", "--alone", "0"},
        "--rounds 0 and --alone 0 leave nothing to measure"},
       {{"bench", "translate", "--model", "m"}, "--source is required"}});
}

TEST_CASE("bench gemm measures every engine on the shapes asked for", "[bench]") {
  const RunResult result = run_binary(
      {"bench", "gemm", "--shape", "40x24x16", "--shape", "8x8x8", "--threads", "1", "--json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json products = json::parse(result.out)["products"];
  REQUIRE(products.size() == 9);  // the shape of the peak, too
  CHECK(products[0]["m"] == 4096);
  CHECK(products[4]["form"] == "NN");
  CHECK(products[4]["m"] == 40);
  CHECK(products[4]["n"] == 24);
  CHECK(products[4]["k"] == 16);
  for (const json& product : products) {
    for (const auto& [engine, speed] : product["flops_per_second"].items()) CHECK(speed > 0);
  }
  for (const char* wrong : {"40x24", "40x24x16x8", "40x-24x16", "0x1x1", "axbxc", "40 x 24 x 16",
                            "9999999999999999999x1x1"}) {
    const RunResult refused = run_binary({"bench", "gemm", "--shape", wrong});
    CHECK(refused.exit_code == 2);
    CHECK(refused.err == std::string("calque: error: --shape ") + wrong +
                             ": expected MxNxK, three sizes from 1 to 1048576, as in "
                             "4096x512x2048\n");
  }
}

TEST_CASE("bench gemm and kernels take their sizes from a config", "[bench]") {
  const TinyCorpus corpus;
  const RunResult gemm = run_binary({"bench", "gemm", corpus.config(), "--threads", "1"});
  INFO(gemm.out);
  REQUIRE(gemm.exit_code == 0);
  for (const char* said :
       {"query, key, value: y = x W^T           NT     128      48      16",
        "feed-forward output: dW = dy^T x       TN      16      32     128",
        "output projection: dx = dy W           NN     126      16      60", "Eigen 3"}) {
    CHECK_THAT(gemm.out, ContainsSubstring(said));
  }
  const RunResult kernels = run_binary(
      {"bench", "kernels", corpus.config(), "--threads", "1", "--longest", "300", "--json"});
  INFO(kernels.err);
  REQUIRE(kernels.exit_code == 0);
  const json figures = json::parse(kernels.out);
  CHECK(figures["memory_bytes_per_second"] > 1e8);
  std::string names;
  for (const json& kernel : figures["kernels"]) {
    CHECK(kernel["seconds"] > 0);
    CHECK(kernel["bytes"] > 0);
    names += kernel["kernel"].get<std::string>() + ", ";
  }
  CHECK(names ==
        "attention, attention backward, causal attention, causal attention backward, layer norm, "
        "layer norm backward, dropout masks, residual, dropout, residual, dropout backward, "
        "activation, activation backward, projection, cross entropy, embedding, embedding "
        "backward, gradient norm, adam, ");
  CHECK(figures["gemm_peak"] > 0);
  REQUIRE(figures["sentence_attention"].size() == 2);
  const json& shorter = figures["sentence_attention"][0];
  const json& longer = figures["sentence_attention"][1];
  CHECK(shorter["tokens"] == 64);
  CHECK(longer["tokens"] == 256);
  CHECK(longer["forward_flops"] == 4 * 256 * 256 * 16);
  CHECK(longer["backward_flops"] == 10 * 256 * 256 * 16);
  CHECK(longer["forward_seconds"] > 0);
  CHECK(longer["backward_seconds"] > 0);
  CHECK(longer["times_of_gemm"] > 0);
  CHECK(longer["scratch_bytes"] > 0);
  CHECK(longer["kept_bytes"] == 4 * shorter["kept_bytes"].get<int64_t>());
}

TEST_CASE("the benchmarks know RMS norms and gates", "[bench]") {
  const TinyCorpus corpus;
  std::string config = read_file(corpus.config());
  config.replace(config.find("model:\n"), 7, "model:\n  norm_kind: rms\n  activation: swiglu\n");
  const std::string file = corpus.path("gated.yaml");
  write_file_atomically(file, config);
  const RunResult gemm = run_binary({"bench", "gemm", file, "--threads", "1"});
  INFO(gemm.err);
  REQUIRE(gemm.exit_code == 0);
  CHECK_THAT(gemm.out, ContainsSubstring("feed-forward input: y = x W^T          NT     128      "
                                         "64      16"));
  const RunResult kernels =
      run_binary({"bench", "kernels", file, "--threads", "1", "--longest", "64", "--json"});
  INFO(kernels.err);
  REQUIRE(kernels.exit_code == 0);
  const json measured = json::parse(kernels.out);
  std::map<std::string, int64_t> bytes;
  for (const json& kernel : measured["kernels"]) bytes[kernel["kernel"]] = kernel["bytes"];
  CHECK(bytes["rms norm"] == 4 * 128 * 16 * 2);
  CHECK(bytes["rms norm backward"] == 4 * 128 * 16 * 3);
  CHECK(bytes["activation"] == 4 * 128 * 32 * 3);
  CHECK(bytes["activation backward"] == 4 * 128 * 32 * 5);

  const RunResult train =
      run_binary({"bench", "train", file, "--steps", "1", "--threads", "1", "--json"});
  INFO(train.err);
  REQUIRE(train.exit_code == 0);
  const json figures = json::parse(train.out);
  // As in check_training, and a gate's 512 weights more in each stack.
  const double source = figures["source_tokens"];
  const double target = figures["target_tokens"];
  CHECK(figures["linear_flops"].get<double>() == 6 * (source * 3072 + target * (3072 + 60 * 16)));
}

TEST_CASE("mistakes at bench are explained with its own help", "[bench]") {
  check_usage_errors({
      {{"bench"}, "`calque bench --help` explains it"},
      {{"bench", "trian"}, "unknown command trian; do you mean train?\n`calque bench --help`"},
      {{"bench", "train"}, "CONFIG is required\n`calque bench train --help` explains it"},
      {{"bench", "gemm", "--shap", "1x1x1"},
       "unknown option --shap; do you mean --shape?\n`calque bench gemm --help`"},
      {{"bench", "train", "/nowhere/config.yaml"}, "/nowhere/config.yaml"},
      {{"bench", "train", "c.yaml", "--steps", "0"},
       "--steps: expected an integer from 1 to 1000000, found 0"},
      {{"bench", "train", "c.yaml", "--tokens", "many"}, "--tokens: expected an integer"},
  });
}
