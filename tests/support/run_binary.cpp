#include "support/run_binary.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/catch.h"

namespace calque::test {
namespace {

/// In the child, which may call async-signal-safe functions alone.
void redirect(int descriptor, const char* path, int flags) {
  const int file = open(path, flags, 0600);
  if (file < 0 || dup2(file, descriptor) < 0) _exit(127);
}

}  // namespace

RunResult run_binary(const std::vector<std::string>& arguments, const std::string& input) {
  const TemporaryFolder folder;
  const std::string in = folder / "in";
  const std::string out = folder / "out";
  const std::string err = folder / "err";
  write_file_atomically(in, input);
  std::vector<char*> words{const_cast<char*>(CALQUE_BINARY)};
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);

  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) {
    redirect(STDIN_FILENO, in.c_str(), O_RDONLY);
    redirect(STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT);
    redirect(STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT);
    execv(CALQUE_BINARY, words.data());
    _exit(127);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) throw std::runtime_error("cannot wait for calque");
  const int exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return {exit_code, read_file(out), read_file(err)};
}

void check_usage_errors(const std::vector<UsageError>& cases) {
  for (const UsageError& error : cases) {
    const RunResult result = run_binary(error.arguments);
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, ContainsSubstring("calque: error: "));
    CHECK_THAT(result.err, ContainsSubstring(error.message));
  }
}

}  // namespace calque::test
