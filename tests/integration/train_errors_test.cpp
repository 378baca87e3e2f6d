// Each mistake that a training can be given, through the real binary: exit code 2, and a message
// that names the place, what was expected and how to mend it.
#include "base/file.h"
#include "checkpoint/forgery.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/tiny_corpus.h"

using calque::read_file;
using calque::write_file_atomically;
using calque::test::checkpoint_folder;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::TinyCorpus;

namespace {

void check_refused(const RunResult& result, const std::vector<std::string>& said) {
  INFO(result.err);
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  for (const std::string& text : said) CHECK_THAT(result.err, ContainsSubstring(text));
}

}  // namespace

TEST_CASE("a mistake in the config names file, line, key and the nearest key", "[train][errors]") {
  const TinyCorpus corpus;
  std::string text = read_file(corpus.config());
  text.replace(text.find("hidden: 32"), 10, "hiden: 32");
  text.replace(text.find("heads: 2"), 8, "heads: many");
  write_file_atomically(corpus / "bad.yaml", text);
  check_refused(run_binary({"train", corpus.path("bad.yaml"), "--run", corpus.path("run")}),
                {"bad.yaml:9: model.heads", "many",
                 "bad.yaml:10: model.hiden: unknown key; did you mean model.hidden?"});
  CHECK(!std::filesystem::exists(corpus / "run"));
  check_refused(run_binary(corpus.train("run", set({"train.learning_rat=1"}))),
                {"--set train.learning_rat", "did you mean train.learning_rate?"});
  check_refused(run_binary(corpus.train("run", set({"model.heads=3"}))),
                {"model.size", "model.heads"});
  check_refused(run_binary({"train", corpus.path("none.yaml")}),
                {corpus.path("none.yaml"), "No such file"});
  check_refused(run_binary({"train"}), {"calque train CONFIG"});
}

TEST_CASE("files that cannot be trained on are named", "[train][errors]") {
  const TinyCorpus corpus;
  const std::string source = corpus.path("train.source");
  const std::string target = corpus.path("train.target");
  const std::string text = read_file(source);

  write_file_atomically(source, text + "ba be\n");
  check_refused(run_binary(corpus.train("run")),
                {source + " has 301", target + " has 300", "unequal numbers of lines"});

  write_file_atomically(source, "ba\nbo \xe4 fo\n" + text.substr(text.find('\n') + 1));
  check_refused(run_binary(corpus.train("run")), {source + ":2: byte 4", "0xE4", "not UTF-8"});

  std::filesystem::remove(source);
  check_refused(run_binary(corpus.train("new")),
                {"data.train.source names " + source + ", which does not exist\n"});
  CHECK(!std::filesystem::exists(corpus / "new"));
  write_file_atomically(source, text);

  std::filesystem::remove(corpus / "validation.target");
  for (const std::string flag : {"--quiet", "--dry-run", "--fresh"}) {
    check_refused(run_binary(corpus.train("new", {flag})),
                  {"data.validation.target names " + corpus.path("validation.target") +
                   ", which does not exist\n"});
    CHECK(!std::filesystem::exists(corpus / "new"));
  }
}

TEST_CASE("a start that fails leaves no vocabulary under a false label", "[train][errors]") {
  const TinyCorpus corpus;
  const std::vector<std::string> few =
      set({"vocabulary.type=bpe", "train.batch_tokens=4", "train.max_steps=1"});
  check_refused(run_binary(corpus.train("run", few)),
                {"train.batch_tokens is 4 but the longest sentence"});
  CHECK(std::filesystem::exists(corpus / "run/vocabulary.model"));
  const RunResult second = run_binary(corpus.train("run", set({"train.max_steps=1"})));
  INFO(second.err);
  CHECK(second.exit_code == 0);
  CHECK_THAT(second.err,
             ContainsSubstring("vocabulary: " + corpus.path("run/vocabulary.model") +
                               " was made otherwise (vocabulary.type: was bpe, is unigram now) and "
                               "is made anew"));
  CHECK_THAT(run_binary({"inspect", corpus.path("run")}).out,
             ContainsSubstring("60 pieces, unigram"));

  // A vocabulary of the user's is used as it is, and shown as what it is.
  const std::string own = corpus.path("run/vocabulary.model");
  std::filesystem::remove(corpus / "run/vocabulary.json");
  const RunResult third = run_binary(corpus.train(
      "third", set({"train.max_steps=1", "vocabulary.type=bpe", "vocabulary.path=" + own})));
  CHECK_THAT(third.err, ContainsSubstring("vocabulary: using " + own + " (60 pieces)\n"));
  CHECK_THAT(run_binary({"inspect", corpus.path("third")}).out,
             ContainsSubstring("60 pieces, unigram"));
}

TEST_CASE("the flag --fresh puts nothing aside that is no run", "[train][errors]") {
  const TinyCorpus corpus;
  const std::string text = read_file(corpus.config());
  check_refused(run_binary({"train", corpus.config(), "--run", corpus.config(), "--fresh"}),
                {"--fresh would put " + corpus.config() +
                 " aside, but that is no folder; name a run "
                 "folder with --run"});
  CHECK(read_file(corpus.config()) == text);
  check_refused(run_binary({"train", corpus.config(), "--run", corpus.path("."), "--fresh"}),
                {"aside, but that is no run folder (it holds none of lock, config.yaml"});
  CHECK(read_file(corpus.config()) == text);

  // A run is put aside when all is ready to start, not before.
  REQUIRE(run_binary(corpus.train("run", set({"train.max_steps=1"}))).exit_code == 0);
  std::filesystem::remove(corpus / "train.target");
  check_refused(run_binary(corpus.train("run", {"--fresh"})), {"data.train.target names "});
  CHECK(!std::filesystem::exists(corpus / "run.old"));
  CHECK(std::filesystem::exists(corpus / "run/latest"));
}

TEST_CASE("a vocabulary that the text cannot fill names the largest legal size",
          "[train][errors]") {
  const TinyCorpus corpus;
  const RunResult refused = run_binary(corpus.train("run", set({"vocabulary.size=500"})));
  check_refused(refused, {"vocabulary.size is 500", "allows at most "});
  const std::string marker = "set vocabulary.size to ";
  const auto largest = std::stoi(refused.err.substr(refused.err.find(marker) + marker.size()));
  const auto with_size = [&](int size) {
    return run_binary(
        corpus.train("run", set({"vocabulary.size=" + std::to_string(size), "train.max_steps=1"})));
  };
  CHECK(with_size(largest + 1).exit_code == 2);
  CHECK(with_size(largest).exit_code == 0);
}

TEST_CASE("a run that took its batches in another order cannot go on, but its model translates",
          "[train][errors]") {
  const TinyCorpus corpus;
  REQUIRE(
      run_binary(corpus.train("run", set({"train.max_steps=2", "train.save_every=1"}))).exit_code ==
      0);
  const std::filesystem::path last = checkpoint_folder(corpus / "run", 2);
  std::string config = read_file(last / calque::kConfigFile);
  config.insert(config.find("  accumulate:"), "  window_batches: 100\n");
  calque::test::forge(last, calque::kConfigFile, config);
  std::string state = calque::test::body_of(read_file(last / calque::kStateFile));
  state.replace(state.find("\"format_version\": 2"), 19, "\"format_version\": 1");
  calque::test::forge_state(last, state);

  check_refused(run_binary(corpus.train("run", set({"train.max_steps=4"}))),
                {corpus.path("run") + " holds a run of an older Calque (0.1.0), which sorted its ",
                 "choose another folder with --run, or start over with --fresh"});
  const RunResult inspected = run_binary({"inspect", last.string()});
  CHECK_THAT(inspected.out, ContainsSubstring("training cannot go on from it: an older Calque "));
  const std::string average = corpus.path("average");
  CHECK(run_binary({"average", "--output", average, last.string(),
                    checkpoint_folder(corpus / "run", 1).string()})
            .exit_code == 0);
  for (const std::string& model : {last.string(), average}) {
    CHECK(run_binary({"translate", "--model", model}, "ba du\n").exit_code == 0);
    CHECK(run_binary(corpus.train("new", set({"train.initial_model=" + model, "train.max_steps=1",
                                              "vocabulary.path=" + corpus.path("run") +
                                                  "/vocabulary.model"})))
              .exit_code == 0);
    std::filesystem::remove_all(corpus / "new");
  }
  check_refused(run_binary(corpus.train("new", set({"train.window_batches=100"}))),
                {"--set train.window_batches", "there is no such key any more"});
}

TEST_CASE("a run folder that cannot be made is refused", "[train][errors]") {
  const TinyCorpus corpus;
  write_file_atomically(corpus / "file", "");
  check_refused(run_binary(corpus.train("file")),
                {"cannot make the run folder " + corpus.path("file")});
  check_refused(run_binary(corpus.train("file/run")),
                {"cannot make the run folder " + corpus.path("file/run")});
}
