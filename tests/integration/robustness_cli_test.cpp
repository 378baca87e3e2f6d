// What noise and attacks cost, and training on noisy text, through the real binary.
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/trained_corpus.h"

using calque::write_file_atomically;
using calque::test::check_usage_errors;
using calque::test::checkpoint_file;
using calque::test::lines_of;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::tiny_sentences;
using calque::test::tiny_translation;
using calque::test::TinyCorpus;
using calque::test::trained_corpus;
using nlohmann::json;

namespace {

/// `command`, the trained model, 40 sentences with their translations, and `more`.
std::vector<std::string> on_text(const std::string& command, const std::vector<std::string>& more) {
  const TinyCorpus& corpus = trained_corpus();
  const std::vector<std::string> sources = tiny_sentences(40, 9);
  std::vector<std::string> references;
  for (const std::string& source : sources) references.push_back(tiny_translation(source));
  write_file_atomically(corpus / "noise.source", lines_of(sources));
  write_file_atomically(corpus / "noise.target", lines_of(references));
  std::vector<std::string> all{command,
                               "--model",
                               corpus.path("run"),
                               "--source",
                               corpus.path("noise.source"),
                               "--reference",
                               corpus.path("noise.target")};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

RunResult robustness(const std::vector<std::string>& more) {
  const RunResult result = run_binary(on_text("robustness", more));
  INFO(result.err);
  CHECK(result.exit_code == 0);
  return result;
}

json robustness_json(std::vector<std::string> more) {
  more.push_back("--json");
  return json::parse(robustness(more).out);
}

}  // namespace

TEST_CASE("noise is told beside the clean text, whose scores are those of evaluate",
          "[robustness]") {
  const json found = robustness_json({"--kinds", "word_drop,upper", "--rates", "0,0.5,1"});
  const json evaluated =
      json::parse(run_binary(on_text("evaluate", {"--metric", "bleu,chrf", "--json"})).out);
  CHECK(found["clean"]["bleu"] == evaluated["metrics"][0]["score"]);
  CHECK(found["clean"]["chrf"] == evaluated["metrics"][1]["score"]);
  CHECK(found["model"] == evaluated["model"]);
  CHECK(found["attacks"].empty());
  REQUIRE(found["noise"].size() == 6);
  const json& none = found["noise"][0];
  CHECK(none["kind"] == "word_drop");
  CHECK(none["rate"] == 0);
  CHECK(none["changed_lines"] == 0);
  CHECK(none["bleu"] == found["clean"]["bleu"]);
  CHECK(found["noise"][1]["bleu"] < found["clean"]["bleu"]);
  CHECK(found["noise"][1]["chrf"] < found["clean"]["chrf"]);
  CHECK(found["noise"][2]["changed_lines"] == 40);
  CHECK(found["noise"][2]["bleu"] == 0);  // nothing is left to translate
  CHECK(found["noise"][5]["kind"] == "upper");
  CHECK(found["noise"][5]["rate"] == 1);
}

TEST_CASE("an attack by the gradient is told beside one by chance", "[robustness]") {
  const json found = robustness_json({"--no-noise", "--attack", "1,2"});
  CHECK(found["noise"].empty());
  REQUIRE(found["attacks"].size() == 4);
  for (size_t i = 0; i < 4; ++i) {
    const json& attack = found["attacks"][i];
    CHECK(attack["kind"] == (i < 2 ? "random" : "gradient"));
    CHECK(attack["tokens"] == i % 2 + 1);
    CHECK(attack["replaced"] > 0);
    CHECK(attack["log_probability"] < found["clean"]["log_probability"]);
  }
  for (size_t i = 0; i < 2; ++i) {
    const json& by_gradient = found["attacks"][i + 2];
    CHECK(by_gradient["log_probability"] < found["attacks"][i]["log_probability"]);
    CHECK(by_gradient["bleu"] < found["clean"]["bleu"]);  // by chance it need not be
  }
  // The sum is what `score` says of the same lines.
  const TinyCorpus& corpus = trained_corpus();
  const RunResult scored =
      run_binary({"score", "--model", corpus.path("run"), "--source", corpus.path("noise.source"),
                  "--target", corpus.path("noise.target"), "--summary", "--json"});
  CHECK(json::parse(scored.out)["log_probability"].get<double>() ==
        Approx(found["clean"]["log_probability"].get<double>()));
}

TEST_CASE("the worst sentences are shown as they were and as they are", "[robustness]") {
  const json found = robustness_json({"--kinds", "typos,drop", "--rates", "0.4", "--worst", "3"});
  REQUIRE(found["worst"].size() == 3);
  double last = 100;
  std::set<int64_t> lines;
  for (const json& sentence : found["worst"]) {
    const double drop = sentence["clean_chrf"].get<double>() - sentence["chrf"].get<double>();
    CHECK(drop > 0);
    CHECK(drop <= last);
    last = drop;
    lines.insert(sentence["line"].get<int64_t>());
    CHECK(sentence["source"] != sentence["changed"]);
    CHECK(sentence["clean_translation"] != sentence["translation"]);
    CHECK(tiny_translation(sentence["source"].get<std::string>()) ==
          sentence["reference"].get<std::string>());
  }
  CHECK(lines.size() == 3);

  const RunResult table = robustness({"--kinds", "typos,drop", "--rates", "0.4", "--worst", "3"});
  CHECK_THAT(table.out, ContainsSubstring("model: " + trained_corpus().path("run")));
  CHECK_THAT(table.out, ContainsSubstring("\ntypos 0.4 "));
  CHECK_THAT(table.out, ContainsSubstring("\nThe sentences whose chrF fell most:\n\nline "));
  const json& worst = found["worst"][0];
  CHECK_THAT(table.out,
             ContainsSubstring("\n  changed to   " + worst["changed"].get<std::string>() +
                               "\n  reference    "));
}

TEST_CASE("another seed gives other noise, the same seed and other threads the same bytes",
          "[robustness]") {
  const std::vector<std::string> options{"--rates", "0.3", "--attack", "1", "--json"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), options.begin(), options.end());
    return robustness(more).out;
  };
  const std::string first = with({"--threads", "1"});
  CHECK(with({"--threads", "3"}) == first);
  CHECK(with({"--seed", "1", "--batch-tokens", "50"}) == first);
  CHECK(with({"--seed", "2"}) != first);
}

TEST_CASE("what robustness cannot do is said", "[robustness]") {
  const std::string model = trained_corpus().path("run");
  check_usage_errors({
      {on_text("robustness", {"--kinds", "typos,typo"}),
       "--kinds: expected one of typos, swap, drop, insert, keyboard, lower, upper, random_case, "
       "punctuation_drop, punctuation_insert, word_drop, or several with commas between them, "
       "found "
       "typos,typo"},
      {on_text("robustness", {"--rates", "0.1,2"}), "--rates: expected a number from 0 to 1"},
      {on_text("robustness", {"--attack", "0"}), "--attack: expected an integer from 1 to 1000"},
      {on_text("robustness", {"--model", model, "--attack", "1"}),
       "--attack follows the gradient of one model; give one --model with it"},
  });
}

TEST_CASE("runs on noisy text and against an adversary end in the same bytes in parts",
          "[robustness][train][resume]") {
  const TinyCorpus corpus;
  const auto run = [&](const std::string& name, int64_t steps, int threads,
                       const std::vector<std::string>& values) {
    std::vector<std::string> more = set(values);
    const std::vector<std::string> common =
        set({"train.max_steps=" + std::to_string(steps), "train.save_every=7",
             "train.batch_tokens=256", "train.accumulate=2", "model.dropout.residual=0.2"});
    more.insert(more.end(), common.begin(), common.end());
    more.insert(more.end(), {"--threads", std::to_string(threads)});
    return run_binary(corpus.train(name, more));
  };
  const auto weights = [&](const std::string& name) {
    return checkpoint_file(corpus / name, 31, "model.safetensors") +
           checkpoint_file(corpus / name, 31, "optimizer.safetensors");
  };
  CHECK(run("clean", 31, 1, {}).exit_code == 0);
  const std::vector<std::vector<std::string>> kinds{
      {"data.noise.typos=0.1", "data.noise.word_drop=0.1"},
      {"train.adversarial.weight=0.5", "train.adversarial.epsilon=2"}};
  for (const std::vector<std::string>& values : kinds) {
    INFO(values.front());
    const std::string number = std::to_string(&values - kinds.data());
    CHECK(run("whole" + number, 31, 1, values).exit_code == 0);
    CHECK(run("parts" + number, 11, 3, values).exit_code == 0);
    CHECK(run("parts" + number, 18, 1, values).exit_code == 0);
    CHECK(run("parts" + number, 31, 2, values).exit_code == 0);
    CHECK(weights("whole" + number) == weights("parts" + number));
    CHECK(weights("whole" + number) != weights("clean"));
  }
  const RunResult other =
      run("parts0", 40, 1, {"data.noise.typos=0.2", "data.noise.word_drop=0.1"});
  CHECK(other.exit_code == 2);
  CHECK_THAT(other.err, ContainsSubstring("\n  data.noise.typos: was 0.1, is 0.2 now"));
}

TEST_CASE("noise is a share, and a perturbation has a length", "[robustness][train][errors]") {
  const TinyCorpus corpus;
  const RunResult result = run_binary(
      corpus.train("run", set({"data.noise.typos=1.5", "data.noise.probability=-1",
                               "train.adversarial.weight=-1", "train.adversarial.epsilon=0"})));
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("--set data.noise.typos: expected a number from 0 to 1, "
                                           "found 1.5"));
  CHECK_THAT(result.err,
             ContainsSubstring("data.noise.probability: expected a number from 0 to 1"));
  CHECK_THAT(result.err,
             ContainsSubstring("train.adversarial.weight: expected a number, 0 or more"));
  CHECK_THAT(result.err, ContainsSubstring("train.adversarial.epsilon: expected a number above 0"));
}
