#include "support/trained_corpus.h"

#include "support/catch.h"

namespace calque::test {

const TinyCorpus& trained_corpus() {
  static const TinyCorpus corpus;
  static const RunResult result = run_binary(corpus.train(
      "run", set({"train.max_steps=" + std::to_string(kTrainedSteps), "train.validate_every=150",
                  "train.save_every=150", "model.size=32", "model.hidden=64",
                  "train.batch_tokens=256", "train.label_smoothing=0"})));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return corpus;
}

std::string translate(const std::string& model, const std::string& input,
                      std::vector<std::string> more) {
  more.insert(more.begin(), {"translate", "--model", model});
  const RunResult result = run_binary(more, input);
  INFO(result.err);
  CHECK(result.exit_code == 0);
  return result.out;
}

std::string lines_of(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += sentence + "\n";
  return text;
}

}  // namespace calque::test
