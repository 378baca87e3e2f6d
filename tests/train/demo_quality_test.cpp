// Trains a small model on the demo corpus, through the real binary, to a bar that translating word
// by word does not reach. It stands some ten BLEU below what was measured.
#include "base/file.h"
#include "support/catch.h"
#include "support/run_binary.h"
#include "support/run_contents.h"
#include "support/tiny_corpus.h"

using calque::read_lines;
using calque::write_file_atomically;
using calque::test::read_metrics;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::TemporaryFolder;

namespace {

const std::string kDemo = std::string(CALQUE_SOURCE_DIR) + "/data/demo/";

/// Writes the first lines of a file of the demo corpus.
void copy_lines(const std::string& name, size_t count, const std::filesystem::path& path) {
  std::string text;
  for (const std::string& line : read_lines(kDemo + name)) {
    if (count-- == 0) break;
    text += line + "\n";
  }
  write_file_atomically(path, text);
}

}  // namespace

TEST_CASE("a small model learns the demo corpus in a minute", "[train][quality]") {
  const TemporaryFolder folder;
  for (const std::string name : {"validation.en", "validation.de"}) {
    copy_lines(name, 100, folder / name);
  }
  std::vector<std::string> arguments{"train", std::string(CALQUE_SOURCE_DIR) + "/configs/demo.yaml",
                                     "--run", folder / "run"};
  const std::vector<std::string> values =
      set({"data.train.source=" + kDemo + "train.en", "data.train.target=" + kDemo + "train.de",
           "data.validation.source=" + (folder / "validation.en").string(),
           "data.validation.target=" + (folder / "validation.de").string(), "vocabulary.size=1000",
           "model.size=64", "model.hidden=256", "model.encoder.layers=2", "model.decoder.layers=2",
           "train.batch_tokens=1024", "train.max_steps=800", "train.validate_every=800",
           "train.learning_rate=0.004", "train.warmup_steps=200", "validation.beam=1"});
  arguments.insert(arguments.end(), values.begin(), values.end());
  const RunResult result = run_binary(arguments);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const nlohmann::json end = read_metrics(folder / "run").back();
  CHECK(end["step"] == 800);
  CHECK(end["validation_bleu"] > 38);
  CHECK(end["validation_perplexity"] < 3.2);
}
