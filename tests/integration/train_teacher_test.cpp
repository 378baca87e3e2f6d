#include <fmt/format.h>

#include <csignal>
#include <filesystem>

#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "support/catch.h"
#include "support/run_binary.h"
#include "support/run_contents.h"
#include "support/running_binary.h"
#include "support/tiny_corpus.h"

using namespace calque;
using calque::test::checkpoint_file;
using calque::test::checkpoint_folder;
using calque::test::named_step;
using calque::test::run_binary;
using calque::test::RunningBinary;
using calque::test::RunResult;
using calque::test::TinyCorpus;

namespace fs = std::filesystem;

namespace {

constexpr int64_t kSteps = 12;

/// A tiny corpus whose text is more than two chunks of what a teacher translates at a time.
struct LongCorpus : TinyCorpus {
  LongCorpus() { write_pairs("train", 4100, 3); }

  /// `more`: values of the config.
  std::vector<std::string> train_with_teacher(const std::string& run, int64_t teacher_steps = 200,
                                              int64_t steps = kSteps,
                                              const std::vector<std::string>& more = {}) const {
    std::vector<std::string> values{"train.teacher_steps=" + std::to_string(teacher_steps),
                                    "train.max_steps=" + std::to_string(steps),
                                    "validation.max_length_ratio=1",
                                    "validation.batch_tokens=2000"};
    values.insert(values.end(), more.begin(), more.end());
    return train(run, test::set(values));
  }
};

std::vector<std::string> lines_of(const fs::path& file) { return calque::read_lines(file); }

/// What a run is when it was killed while its teacher translated the first side: `text` is there.
void go_back_to_translating(const fs::path& run, const std::string& text) {
  for (const char* gone : {"checkpoints", "latest", "best", "metrics.jsonl", "cache",
                           "teacher/forward_1.txt", "teacher/backward_1.txt"}) {
    fs::remove_all(run / gone);
  }
  write_file_atomically(run / "teacher/forward_1.txt.part", text);
}

}  // namespace

TEST_CASE("a run with a teacher learns from the text and from its translations of both sides",
          "[train][teacher]") {
  const LongCorpus corpus;
  const RunResult whole = run_binary(corpus.train_with_teacher("run"));
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);
  const fs::path run = corpus / "run";
  const fs::path teacher = run / "teacher";
  CHECK(named_step(teacher, "latest") == 200);
  CHECK(named_step(run, "latest") == kSteps);
  CHECK_THAT(whole.err, ContainsSubstring("first a teacher of both directions, 200 updates"));
  CHECK_THAT(whole.err, ContainsSubstring("weights from " + teacher.string()));
  CHECK_THAT(whole.err, ContainsSubstring(" of 12,300 pairs kept"));
  CHECK(test::read_metrics(run).front()["step"] == 0);  // the teacher's weights are validated

  const auto forward = lines_of(teacher / "forward_1.txt");
  const auto backward = lines_of(teacher / "backward_1.txt");
  CHECK(forward.size() == 4100);
  CHECK(backward.size() == 4100);
  const CheckpointState state = Checkpoint(checkpoint_folder(run, kSteps)).state();
  CHECK(state.corpus.pairs > 2.9 * 4100);  // the teacher leaves some empty
  for (const char* file : {"forward_1.txt", "backward_1.txt"}) {
    CHECK(state.corpus.files.contains((teacher / file).string()));
  }

  // As `calque translate` does it.
  const RunResult translated =
      run_binary({"translate", "--model", checkpoint_folder(teacher, 200).string(), "--input",
                  corpus.path("train.target")});
  CHECK(translated.out == read_file(teacher / "backward_1.txt"));

  // What the user said is what the run keeps.
  const std::string config = read_file(run / "config.yaml");
  CHECK_THAT(config, ContainsSubstring("  teacher_steps: 200\n"));
  CHECK_THAT(config, ContainsSubstring("    source: " + corpus.path("train.source") + "\n"));
  CHECK_THAT(read_file(teacher / "config.yaml"),
             ContainsSubstring("bidirectional_epochs: 1000000000\n"));
  const auto record = nlohmann::json::parse(read_file(teacher / "translations.json"));
  CHECK(record["teacher_steps"] == 200);
  CHECK(record["translations"]["forward_1"]["sentences"] == 4100);
  CHECK(record["checkpoint"] == "step_00000200");
  CHECK(record["translations"]["backward_1"]["seconds"] > 0);

  SECTION("killed while the teacher translates, it goes on behind the last chunk") {
    std::string part;
    for (size_t i = 0; i < 2000; ++i) part += "chunk " + std::to_string(i) + "\n";
    const std::string weights = checkpoint_file(run, kSteps, kModelFile);
    const std::string good = read_file(teacher / "forward_1.txt");
    size_t behind = 0;
    for (int i = 0; i < 2000; ++i) behind = good.find('\n', behind) + 1;
    go_back_to_translating(run, part + "a line\nhalf of a li");
    REQUIRE(run_binary(corpus.train_with_teacher("run")).exit_code == 0);
    CHECK(read_file(teacher / "forward_1.txt") == part + good.substr(behind));

    // Which of the teacher's checkpoints is the best one does not matter.
    write_file_atomically(teacher / "best", "step_00000190\n");
    go_back_to_translating(run, good.substr(0, behind) + "half of a li");
    const RunResult over =
        run_binary(corpus.train_with_teacher("run", 200, kSteps, {"train.max_minutes=1e-9"}));
    CHECK(over.exit_code == 0);
    CHECK_THAT(over.err, ContainsSubstring("minutes of this call (train.max_minutes) are over "
                                           "while the teacher translates; the same command"));
    CHECK(!fs::exists(run / "checkpoints"));
    const RunResult last = run_binary(corpus.train_with_teacher("run"));
    REQUIRE(last.exit_code == 0);
    CHECK_THAT(last.err, !ContainsSubstring("first a teacher of both directions"));
    CHECK(read_file(teacher / "forward_1.txt") == good);
    CHECK(checkpoint_file(run, kSteps, kModelFile) == weights);
  }
  SECTION("before the run itself has begun, another text or seed is refused") {
    go_back_to_translating(run, "");
    const RunResult seed = run_binary(corpus.train_with_teacher("run", 200, kSteps, {"seed=8"}));
    CHECK(seed.exit_code == 2);
    CHECK_THAT(seed.err, ContainsSubstring(teacher.string() + " holds a run that was started with "
                                                              "other settings or text"));
    CHECK_THAT(seed.err, ContainsSubstring("seed: was 7, is 8 now"));
    corpus.append("train", "ba", "la");
    const RunResult text = run_binary(corpus.train_with_teacher("run"));
    CHECK(text.exit_code == 2);
    CHECK_THAT(text.err, ContainsSubstring("data.train.source: " + corpus.path("train.source")));
  }
  SECTION("a teacher that learns for longer translates anew, but it cannot unlearn") {
    go_back_to_translating(run, "");
    const RunResult fewer = run_binary(corpus.train_with_teacher("run", 100));
    CHECK(fewer.exit_code == 2);
    CHECK_THAT(fewer.err, ContainsSubstring("has made 200 updates already, and "
                                            "train.teacher_steps is 100; give it 200 or more"));
    std::vector<std::string> dry = corpus.train_with_teacher("run", 100);
    dry.push_back("--dry-run");
    CHECK_THAT(run_binary(dry).err, ContainsSubstring("has made 200 updates already"));
    CHECK(fs::exists(teacher / "translations.json"));
    const RunResult none = run_binary(corpus.train("run"));
    CHECK(none.exit_code == 2);
    CHECK_THAT(none.err, ContainsSubstring("holds a teacher, of a run with train.teacher_steps"));
    REQUIRE(run_binary(corpus.train_with_teacher("run", 240)).exit_code == 0);
    CHECK(named_step(teacher, "latest") == 240);
    CHECK(lines_of(teacher / "forward_1.txt") != forward);
  }
  SECTION("once the run itself has begun, nothing of the teacher's may change") {
    const RunResult longer = run_binary(corpus.train_with_teacher("run", 240));
    CHECK(longer.exit_code == 2);
    CHECK_THAT(longer.err, ContainsSubstring("train.teacher_steps: was 200, is 240 now"));
    append_to_file(teacher / "forward_1.txt", "one more\n");
    const RunResult other = run_binary(corpus.train_with_teacher("run"));
    CHECK(other.exit_code == 2);
    CHECK_THAT(other.err,
               ContainsSubstring("data.train.target: " + (teacher / "forward_1.txt").string()));
    fs::remove(teacher / "backward_1.txt");
    const RunResult gone = run_binary(corpus.train_with_teacher("run"));
    CHECK(gone.exit_code == 2);
    CHECK_THAT(gone.err, ContainsSubstring("data.train.source: " +
                                           (teacher / "backward_1.txt").string() + " is missing"));
  }
  SECTION("a damaged record is named") {
    go_back_to_translating(run, "");
    write_file_atomically(teacher / "translations.json", "{");
    const RunResult damaged = run_binary(corpus.train_with_teacher("run"));
    CHECK(damaged.exit_code == 2);
    CHECK_THAT(damaged.err,
               ContainsSubstring((teacher / "translations.json").string() + " is damaged: "));
    CHECK_THAT(damaged.err, ContainsSubstring("Remove it, and the teacher translates anew"));
  }
}

TEST_CASE("stopped in teacher, translations and run, it ends in the same bytes",
          "[train][teacher][resume]") {
  const LongCorpus corpus;
  const std::vector<std::string> slow{"validation.beam=30", "train.validate_every=1000"};
  const auto command = [&](const std::string& run, int64_t steps = kSteps) {
    return corpus.train_with_teacher(run, 200, steps, slow);
  };
  REQUIRE(run_binary(command("whole")).exit_code == 0);

  RunningBinary first(command("begun"));
  REQUIRE(first.wait_for("step 5/200"));
  first.send(SIGINT);
  const RunResult in_teacher = first.wait();
  CHECK(in_teacher.exit_code == 128 + SIGINT);
  CHECK_THAT(in_teacher.err, ContainsSubstring("stopped by a signal before the run itself"));
  CHECK(!fs::exists(corpus / "begun/teacher/forward_1.txt"));
  fs::rename(corpus / "begun", corpus / "parts");

  std::vector<std::string> other = corpus.train_with_teacher("parts", 200, kSteps, {"seed=8"});
  other.push_back("--dry-run");
  CHECK_THAT(run_binary(other).err, ContainsSubstring("seed: was 7, is 8 now"));

  RunningBinary second(command("parts"));
  REQUIRE(second.wait_for("using " + checkpoint_folder(corpus / "parts/teacher", 200).string()));
  second.send(SIGINT);
  const RunResult in_translations = second.wait();
  CHECK(in_translations.exit_code == 128 + SIGINT);
  CHECK_THAT(in_translations.err, ContainsSubstring("stopped by a signal before the run itself"));
  CHECK(!fs::exists(corpus / "parts/checkpoints"));

  REQUIRE(run_binary(command("parts", 5)).exit_code == 0);
  REQUIRE(run_binary(command("parts")).exit_code == 0);
  for (const std::string file : {kModelFile, kOptimizerFile}) {
    INFO(file);
    const bool same = checkpoint_file(corpus / "whole", kSteps, file) ==
                      checkpoint_file(corpus / "parts", kSteps, file);
    CHECK(same);
  }
}

TEST_CASE("a teacher translates each file of the text, also one without lines",
          "[train][teacher]") {
  const TinyCorpus corpus;
  write_file_atomically(corpus / "none", "");
  const auto files = [&](const std::string& side) {
    return fmt::format("data.train.{0}=[{1}, {2}, {1}]", side, corpus.path("train." + side),
                       corpus.path("none"));
  };
  const RunResult result = run_binary(
      corpus.train("run", test::set({files("source"), files("target"), "train.teacher_steps=200",
                                     "validation.max_length_ratio=1"})));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.err, ContainsSubstring(" of 1,800 pairs kept"));
  const fs::path teacher = corpus / "run/teacher";
  CHECK(lines_of(teacher / "forward_1.txt").size() == 300);
  CHECK(read_file(teacher / "backward_2.txt").empty());
  CHECK(read_file(teacher / "forward_3.txt") == read_file(teacher / "forward_1.txt"));
}

TEST_CASE("a dry run tells of the teacher, and --fresh puts it aside with its run",
          "[train][teacher]") {
  const LongCorpus corpus;
  std::vector<std::string> dry = corpus.train_with_teacher("run");
  dry.push_back("--dry-run");
  const RunResult before = run_binary(dry);
  CHECK(before.exit_code == 0);
  CHECK_THAT(before.err, ContainsSubstring("before that, a teacher makes 200 updates"));
  CHECK(!fs::exists(corpus / "run"));

  REQUIRE(run_binary(corpus.train_with_teacher("run")).exit_code == 0);
  const RunResult after = run_binary(dry);
  CHECK(after.exit_code == 0);
  CHECK_THAT(after.err, ContainsSubstring(" of 12,300 pairs kept"));
  CHECK_THAT(after.err, ContainsSubstring("nothing left to do"));
  CHECK_THAT(after.err, !ContainsSubstring("before that, a teacher"));

  std::vector<std::string> fresh = corpus.train_with_teacher("run");
  fresh.push_back("--fresh");
  const RunResult again = run_binary(fresh);
  CHECK(again.exit_code == 0);
  CHECK_THAT(again.err, ContainsSubstring("first a teacher of both directions"));
  CHECK(fs::exists(corpus / "run.old/teacher/forward_1.txt"));

  REQUIRE(run_binary(corpus.train("plain", test::set({"train.max_steps=2"}))).exit_code == 0);
  const RunResult late = run_binary(corpus.train_with_teacher("plain"));
  CHECK(late.exit_code == 2);
  CHECK_THAT(late.err, ContainsSubstring("train.teacher_steps: was 0, is 200 now"));
}
