#include "train/run_folder.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/catch.h"
#include "support/file_size_limit.h"

using calque::read_file;
using calque::RunFolder;
using calque::UserError;
using calque::write_file_atomically;
using calque::test::FileSizeLimit;
using calque::test::TemporaryFolder;

TEST_CASE("a run folder is made with its parents", "[train]") {
  const TemporaryFolder folder;
  const RunFolder run(folder / "runs/deep/run");
  CHECK(std::filesystem::is_directory(run.path()));
  CHECK(run.metrics_file() == folder / "runs/deep/run/metrics.jsonl");
  write_file_atomically(folder / "file", "");
  CHECK_THROWS_AS(RunFolder(folder / "file"), UserError);
}

TEST_CASE("only one has a run folder at a time", "[train]") {
  const TemporaryFolder folder;
  const std::string pid = std::to_string(getpid());
  const std::string refused = (folder / "run").string() +
                              " is in use by another training, process " + pid +
                              ". Wait until it is done, stop it (`kill " + pid +
                              "` saves and stops), or choose another folder with --run";
  {
    const RunFolder run(folder / "run");
    CHECK_THROWS_WITH(RunFolder(folder / "run"), refused);
    CHECK_THROWS_WITH(RunFolder::put_aside(folder / "run"), refused);
    CHECK(!std::filesystem::exists(folder / "run.old"));
  }
  CHECK_NOTHROW(RunFolder(folder / "run"));
}

TEST_CASE("a run folder whose holder has not named itself is refused without a process id",
          "[train]") {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  std::filesystem::resize_file(folder / "run/lock", 0);
  CHECK_THROWS_WITH(RunFolder(folder / "run"),
                    (folder / "run").string() +
                        " is in use by another training. Wait until it is done, stop it (`kill "
                        "PROCESS` saves and stops), or choose another folder with --run");
}

TEST_CASE("only a run folder is put aside", "[train]") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "empty");
  CHECK(RunFolder::put_aside(folder / "empty").empty());
  CHECK(std::filesystem::exists(folder / "empty"));
  write_file_atomically(folder / "empty/notes.txt", "mine");
  CHECK_THROWS_WITH(RunFolder::put_aside(folder / "empty"),
                    "--fresh would put " + (folder / "empty").string() +
                        " aside, but that is no run folder (it holds none of lock, config.yaml, "
                        "metrics.jsonl, checkpoints, latest, log.txt, vocabulary.model); choose "
                        "another folder with --run");
  CHECK_THROWS_WITH(RunFolder::put_aside(folder / "empty/notes.txt"),
                    "--fresh would put " + (folder / "empty/notes.txt").string() +
                        " aside, but that is no folder; name a run folder with --run");
  CHECK(read_file(folder / "empty/notes.txt") == "mine");
}

TEST_CASE("putting a run aside keeps all of it under the first free name", "[train]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "run";
  CHECK(RunFolder::put_aside(path).empty());
  for (const std::string aside : {"run.old", "run.old-2", "run.old-3"}) {
    write_file_atomically(RunFolder(path).log_file(), aside);
    CHECK(RunFolder::put_aside(path) == folder / aside);
    CHECK(!std::filesystem::exists(path));
  }
  for (const std::string aside : {"run.old", "run.old-2", "run.old-3"}) {
    CHECK(read_file(folder / aside / "log.txt") == aside);
  }
}

TEST_CASE("metrics are cut back to a step, and a half-written line goes", "[train]") {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  run.cut_metrics(3, 3);
  CHECK(!std::filesystem::exists(run.metrics_file()));
  for (const int step : {0, 5, 5, 10}) {
    run.append_metrics(nlohmann::json{{"step", step}, {"loss", 0.25}}.dump() + "\n");
  }
  const std::string kept = R"({"loss":0.25,"step":0})"
                           "\n"
                           R"({"loss":0.25,"step":5})"
                           "\n"
                           R"({"loss":0.25,"step":5})"
                           "\n";
  const std::string all = kept + R"({"loss":0.25,"step":10})" + "\n";
  CHECK(read_file(run.metrics_file()) == all);
  write_file_atomically(run.metrics_file(), all + R"({"loss":0.2)");
  run.cut_metrics(10, 10);
  CHECK(read_file(run.metrics_file()) == all);
  run.cut_metrics(9, 9);
  CHECK(read_file(run.metrics_file()) == kept);
  run.cut_metrics(-1, -1);
  CHECK(read_file(run.metrics_file()).empty());
}

TEST_CASE("skipped batches are cut back to a position", "[train]") {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  run.cut_skipped({});
  CHECK(!std::filesystem::exists(run.skipped_file()));
  const std::string kept = R"({"epoch":0,"pairs":32})"
                           "\n"
                           R"({"epoch":1,"pairs":5})"
                           "\n";
  run.append_skipped(kept + R"({"epoch":1,"pairs":6})" + "\n" + R"({"epoch":1,"pairs":"1"})" +
                     "\n" + R"({"epoch":0)");
  run.cut_skipped({1, 5});
  CHECK(read_file(run.skipped_file()) == kept);
  run.cut_skipped({});
  CHECK(read_file(run.skipped_file()).empty());
}

TEST_CASE("a validation that was not finished is cut from the metrics", "[train]") {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  const std::string kept = R"({"step":5,"validation_loss":2})"
                           "\n"
                           R"({"loss":1,"step":10})"
                           "\n";
  run.append_metrics(kept + R"({"step":10,"validation_loss":2})" + "\n");
  run.cut_metrics(10, 5);
  CHECK(read_file(run.metrics_file()) == kept);
}

TEST_CASE("metrics that the disk does not take leave nothing behind", "[train]") {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  run.append_metrics("0123456789\n");
  {
    const FileSizeLimit limit(16);
    CHECK_THROWS_WITH(run.append_metrics("0123456789\n"),
                      "cannot write " + run.metrics_file().string() + ": File too large");
  }
  CHECK(read_file(run.metrics_file()) == "0123456789\n");
  run.append_metrics("more\n");
  CHECK(read_file(run.metrics_file()) == "0123456789\nmore\n");
}

TEST_CASE("metrics that cannot be written are an error", "[train]") {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  std::filesystem::create_directory(run.metrics_file());
  CHECK_THROWS_AS(run.append_metrics("{}\n"), UserError);
}
