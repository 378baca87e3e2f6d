// In builds with AddressSanitizer, whose LeakSanitizer turns the exit code of a program that leaks
// into 23: the search for leaks is on, and every command passes it.
#ifdef __SANITIZE_ADDRESS__

#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "base/file.h"
#include "support/catch.h"
#include "support/running_binary.h"
#include "support/tiny_corpus.h"

namespace calque::test {
namespace {

constexpr int kLeaked = 23;

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
    volatile int* lost = new int[100];
    lost = nullptr;
    close(STDERR_FILENO);  // the report
    exit(lost == nullptr ? 0 : 1);
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
      {"vocab", corpus.config(), "--run", run},
      corpus.train("run"),
      {"translate", "--model", run, "--input", source},
      {"evaluate", "--model", run, "--source", source, "--reference", target},
      {"bleu", target, target},
      {"average", "--output", corpus.path("mean"), run + "/checkpoints/step_00000010",
       run + "/checkpoints/step_00000020"},
      {"inspect", run},
      {"bench", "train", corpus.config(), "--steps", "1", "--threads", "1"},
      {"bench", "gemm", "--shape", "8x8x8", "--threads", "1"},
      {"bench", "kernels", corpus.config(), "--threads", "1", "--longest", "300"},
      {"version"}};
  std::vector<std::string> missing = commands();
  CHECK(missing.size() == 9);
  for (const std::vector<std::string>& line : lines) {
    INFO("calque " << fmt::format("{}", fmt::join(line, " ")));
    const RunResult result = run_binary(line);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    std::erase(missing, line.front());
  }
  CHECK(missing == std::vector<std::string>());
}

}  // namespace
}  // namespace calque::test

#endif
