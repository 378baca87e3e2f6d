#include <signal.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "support/catch.h"
#include "support/running_binary.h"
#include "support/tiny_corpus.h"

using namespace calque;
using calque::test::RunningBinary;
using calque::test::RunResult;
using calque::test::TinyCorpus;

namespace {

/// The tiny corpus with so many pairs that their first pass takes a while.
class LongCorpus : public TinyCorpus {
 public:
  LongCorpus() { write_pairs("train", 60000, 5); }

  /// Trains one step, on a vocabulary that all runs share.
  std::vector<std::string> one_step(const std::string& run) const {
    return train(
        run, test::set({"train.max_steps=1", "data.validation.source=[]",
                        "data.validation.target=[]", "vocabulary.path=" + path("shared.model")}));
  }

  /// What the first pass makes, one file behind the other.
  std::string cache(const std::string& run) const {
    std::string all;
    for (const char* ending : {"ids", "index", "json"}) {
      all += read_file(*this / (run + "/cache/train.").append(ending));
    }
    return all;
  }
};

/// Runs until a signal `milliseconds` after its standard error said `begun`.
RunResult run_and_send(int signal, const std::vector<std::string>& arguments,
                       const std::string& begun, int milliseconds) {
  RunningBinary binary(arguments);
  if (binary.wait_for(begun)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    binary.send(signal);
  }
  return binary.wait();
}

bool says(const RunResult& result, const std::string& text) {
  return result.err.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a first pass that signals break off goes on, to the same bytes", "[integration]") {
  const LongCorpus corpus;
  REQUIRE(test::run_binary(corpus.one_step("whole")).exit_code == 0);
  const std::string expected = corpus.cache("whole");
  // When a signal hits depends on the machine: try until one breaks off the tokenising itself.
  bool resumed = false;
  for (int wait = 0; wait < 40 && !resumed; ++wait) {
    const std::string run = "run" + std::to_string(wait);
    const std::string begun = "making the token cache";
    const int signal = wait % 2 == 0 ? SIGINT : SIGTERM;
    const RunResult stopped = run_and_send(signal, corpus.one_step(run), begun, 20 * wait);
    if (!says(stopped, "are tokenised and saved")) continue;
    INFO(stopped.err);
    REQUIRE(stopped.exit_code == 128 + signal);
    CHECK(says(stopped, "stopped by a signal before training; the same command goes on"));
    const RunResult killed = run_and_send(SIGKILL, corpus.one_step(run), "going on behind pair", 5);
    if (killed.exit_code != 128 + SIGKILL) continue;  // it was nearly done
    const RunResult ended = test::run_binary(corpus.one_step(run));
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
    CHECK(corpus.cache(run) == expected);
    CHECK_FALSE(std::filesystem::exists(corpus / (run + "/cache/train.part.json")));
    resumed = says(ended, "going on behind pair");
  }
  CHECK(resumed);
}

TEST_CASE("a signal ends the training of a vocabulary, which then starts again", "[integration]") {
  const LongCorpus corpus;
  const auto train = [&](const std::string& run) {
    return corpus.train(run, test::set({"train.max_steps=1"}));
  };
  bool stopped = false;
  for (int wait = 0; wait < 20 && !stopped; ++wait) {
    const std::string run = "run" + std::to_string(wait);
    const RunResult result = run_and_send(SIGTERM, train(run), "vocabulary: training", 5 * wait);
    stopped = !std::filesystem::exists(corpus / (run + "/vocabulary.model"));
    if (!stopped) continue;
    INFO(result.err);
    CHECK(result.exit_code == 128 + SIGTERM);
    CHECK(test::run_binary(train(run)).exit_code == 0);
  }
  CHECK(stopped);
}
