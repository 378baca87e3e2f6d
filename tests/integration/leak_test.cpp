// In builds with AddressSanitizer, which lets a program that leaks end with exit code 1: the search
// for leaks is on, and every command passes it.
#ifdef __SANITIZE_ADDRESS__

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "support/catch.h"
#include "support/running_binary.h"
#include "support/tiny_corpus.h"

namespace calque::test {
namespace {

constexpr int kLeaked = 1;

/// The commands that `calque --help` lists.
std::vector<std::string> commands() {
  std::istringstream help(run_binary({"--help"}).out);
  std::vector<std::string> names;
  bool listed = false;
  for (std::string line; std::getline(help, line);) {
    if (listed && line.empty()) break;
    if (listed && line[2] != ' ') names.push_back(line.substr(2, line.find(' ', 2) - 2));
    if (line.starts_with("Commands")) listed = true;
  }
  return names;
}

TEST_CASE("the search for leaks is on, here and in the program", "[leak]") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (int i = 0; i < 100; ++i) {  // where the last one was may still stand on the stack
      volatile char* const lost = new char[100];
      lost[0] = 1;
    }
    close(STDERR_FILENO);  // the report
    exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == kLeaked);

  const RunResult flags = RunningBinary({"version"}, {"ASAN_OPTIONS=help=1"}).wait();
  const size_t flag = flags.err.find("\n\tdetect_leaks\n");
  REQUIRE(flag != std::string::npos);
  CHECK_THAT(flags.err.substr(flag, 200), ContainsSubstring("(Current Value: true)"));
}

TEST_CASE("no command leaks", "[leak]") {
  const TinyCorpus corpus;
  const std::string run = corpus.path("run");
  const std::string source = corpus.path("validation.source");
  const std::string target = corpus.path("validation.target");
  const std::vector<std::vector<std::string>> lines = {
      {"check-data", corpus.config()},
      {"vocab", corpus.config(), "--run", run},
      corpus.train("run"),
      {"translate", "--model", run, "--input", source},
      {"evaluate", "--model", run, "--source", source, "--reference", target},
      {"score", "--model", run, "--source", source, "--target", target},
      {"bleu", target, target},
      {"metrics", target, target},
      {"compare", source, target, "--reference", target},
      {"average", "--output", corpus.path("mean"), run + "/checkpoints/step_00000010",
       run + "/checkpoints/step_00000020"},
      {"export", "--format", "ctranslate2", run, corpus.path("exported")},
      {"inspect", run},
      {"attention", "--model", run, "--source", "ba di", "--output", corpus.path("report.html")},
      {"attention", "--model", run, "--faithfulness", "--source", source, "--reference", target},
      {"robustness", "--model", run, "--source", source, "--reference", target, "--kinds", "typos",
       "--rates", "0.1", "--attack", "1"},
      {"version"}};
  std::vector<std::string> missing = commands();
  for (const std::vector<std::string>& line : lines) {
    INFO(fmt::format("calque {}", fmt::join(line, " ")));
    const RunResult result = run_binary(line);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    std::erase(missing, line.front());
  }
  CHECK(missing == std::vector<std::string>{"bench"});  // bench_cli_test.cpp runs all of it
}

}  // namespace
}  // namespace calque::test

#endif
