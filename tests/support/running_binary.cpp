#include "support/running_binary.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "base/file.h"

namespace calque::test {
namespace {

/// The pointers that exec wants; they live as long as `words`.
std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

int open_file(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
  if (descriptor < 0) throw std::runtime_error("cannot open " + path.string());
  return descriptor;
}

}  // namespace

RunningBinary::RunningBinary(const std::vector<std::string>& arguments,
                             const std::vector<std::string>& environment,
                             const std::filesystem::path& input) {
  std::vector<std::string> words{CALQUE_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment;  // the first of a name counts
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(variables);
  const int files[] = {open_file(input.empty() ? folder_ / "in" : input),
                       open_file(folder_ / "out"), open_file(folder_ / "err")};
  child_ = fork();
  if (child_ < 0) throw std::runtime_error("cannot fork");
  if (child_ == 0) {  // async-signal-safe functions alone
    for (int i = 0; i < 3; ++i) dup2(files[i], i);
    execve(CALQUE_BINARY, argv.data(), envp.data());
    _exit(127);
  }
  for (const int file : files) close(file);
}

RunningBinary::~RunningBinary() {
  if (child_ < 0) return;
  kill(child_, SIGKILL);
  has_ended(/*block=*/true);
}

bool RunningBinary::has_ended(bool block) {
  if (child_ >= 0 && waitpid(child_, &status_, block ? 0 : WNOHANG) == child_) child_ = -1;
  return child_ < 0;
}

bool RunningBinary::wait_for(const std::string& text) {
  for (;;) {
    const bool ended = has_ended(/*block=*/false);
    if (read_file(folder_ / "err").find(text) != std::string::npos) return true;
    if (ended) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void RunningBinary::send(int signal) const {
  if (child_ >= 0) kill(child_, signal);
}

RunResult RunningBinary::wait() {
  has_ended(/*block=*/true);
  const int exit_code = WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
  return {exit_code, read_file(folder_ / "out"), read_file(folder_ / "err")};
}

}  // namespace calque::test
