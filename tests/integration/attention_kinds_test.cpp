// Runs whose attention is another one, through the real binary.

#include <map>

#include "base/file.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/tiny_corpus.h"

using calque::write_file_atomically;
using calque::test::checkpoint_file;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::TinyCorpus;

namespace {

constexpr const char kEncoder[] = "model.encoder.self_attention.";
constexpr const char kDecoder[] = "model.decoder.self_attention.";
constexpr const char kCross[] = "model.decoder.cross_attention.";

const std::map<std::string, std::vector<std::string>> kKinds{
    {"sparse",
     {std::string(kEncoder) + "normalizer=sparsemax", std::string(kDecoder) + "score=additive",
      std::string(kCross) + "normalizer=entmax15", std::string(kCross) + "score=general"}},
    {"near",
     {std::string(kEncoder) + "scope=local", std::string(kEncoder) + "window=2",
      std::string(kEncoder) + "global_tokens=1", std::string(kDecoder) + "scope=strided",
      std::string(kDecoder) + "window=2", std::string(kCross) + "scope=predictive",
      std::string(kCross) + "window=3"}},
    {"hard",
     {std::string(kEncoder) + "selection=hard", std::string(kDecoder) + "scope=local",
      std::string(kCross) + "selection=hard", std::string(kCross) + "scope=monotonic",
      std::string(kCross) + "temperature_steps=10"}},
    {"reinforce",
     {std::string(kEncoder) + "selection=hard", std::string(kEncoder) + "normalizer=entmax15",
      std::string(kCross) + "selection=hard", std::string(kCross) + "estimator=reinforce"}}};

TEST_CASE("runs with other kinds of attention end in the same bytes in parts, and translate",
          "[train][resume][translate]") {
  const TinyCorpus corpus;
  for (const auto& [name, kind] : kKinds) {
    INFO(name);
    const auto run = [&, &keys = kind](const std::string& folder, int64_t steps, int threads) {
      std::vector<std::string> more = set(keys);
      for (const std::string key :
           {"model.dropout.attention=0.1", "train.accumulate=2", "train.save_every=7"}) {
        more.insert(more.end(), {"--set", key});
      }
      more.insert(more.end(), {"--set", "train.max_steps=" + std::to_string(steps), "--threads",
                               std::to_string(threads)});
      return run_binary(corpus.train(folder, more)).exit_code;
    };
    CHECK(run("whole", 15, 1) == 0);
    CHECK(run("parts", 6, 3) == 0);
    CHECK(run("parts", 15, 2) == 0);
    for (const std::string file : {"model.safetensors", "optimizer.safetensors"}) {
      const bool equal = checkpoint_file(corpus / "whole", 15, file) ==
                         checkpoint_file(corpus / "parts", 15, file);
      CHECK(equal);
    }
    std::string first;
    for (const std::string batch : {"1", "1000"}) {
      const RunResult translated =
          run_binary({"translate", "--model", corpus.path("whole"), "--beam", "3", "--alignment",
                      "hard", "--batch-tokens", batch},
                     "bada gede\nbede\n");
      INFO(translated.err);
      CHECK(translated.exit_code == 0);
      if (batch == "1") first = translated.out;
      CHECK(translated.out == first);
    }
    std::filesystem::remove_all(corpus / "whole");
    std::filesystem::remove_all(corpus / "parts");
  }
}

}  // namespace
