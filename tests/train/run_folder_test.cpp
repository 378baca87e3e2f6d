#include "train/run_folder.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/catch.h"

using calque::read_file;
using calque::RunFolder;
using calque::UserError;
using calque::write_file_atomically;
using calque::test::TemporaryFolder;

TEST_CASE("a run folder is made with its parents", "[train]") {
  const TemporaryFolder folder;
  const RunFolder run(folder / "runs/deep/run");
  CHECK(std::filesystem::is_directory(run.cache_folder()));
  CHECK(run.metrics_file() == folder / "runs/deep/run/metrics.jsonl");
  write_file_atomically(folder / "file", "");
  CHECK_THROWS_AS(RunFolder(folder / "file"), UserError);
}

TEST_CASE("putting a run aside keeps all of it under the first free name", "[train]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "run";
  CHECK(RunFolder::put_aside(path).empty());
  for (const std::string aside : {"run.old", "run.old-2", "run.old-3"}) {
    const RunFolder run(path);
    write_file_atomically(run.log_file(), aside);
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
  run.cut_metrics(3);
  CHECK(!std::filesystem::exists(run.metrics_file()));
  for (const int step : {0, 5, 5, 10}) run.append_metrics({{"step", step}, {"loss", 0.25}});
  const std::string kept = R"({"loss":0.25,"step":0})"
                           "\n"
                           R"({"loss":0.25,"step":5})"
                           "\n"
                           R"({"loss":0.25,"step":5})"
                           "\n";
  const std::string all = kept + R"({"loss":0.25,"step":10})" + "\n";
  CHECK(read_file(run.metrics_file()) == all);
  write_file_atomically(run.metrics_file(), all + R"({"loss":0.2)");
  run.cut_metrics(10);
  CHECK(read_file(run.metrics_file()) == all);
  run.cut_metrics(9);
  CHECK(read_file(run.metrics_file()) == kept);
  run.cut_metrics(-1);
  CHECK(read_file(run.metrics_file()).empty());
}

TEST_CASE("metrics that cannot be written are an error", "[train]") {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  std::filesystem::create_directory(run.metrics_file());
  CHECK_THROWS_AS(run.append_metrics({{"step", 1}}), UserError);
}
