#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/temporary_folder.h"
#include "support/run_binary.h"

namespace calque::test {

/// The built `calque` while it runs, for tests that interrupt it.
class RunningBinary {
 public:
  /// Starts it. `environment`: variables to add, "CALQUE_GEMM=eigen". `input`: what standard input
  /// is, a pipe or a terminal; without, it is empty.
  explicit RunningBinary(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment = {},
                         const std::filesystem::path& input = {});
  /// Kills it when it still runs.
  ~RunningBinary();
  RunningBinary(const RunningBinary&) = delete;
  RunningBinary& operator=(const RunningBinary&) = delete;

  /// Waits until standard error contains `text`. False when the program ends without it.
  bool wait_for(const std::string& text);
  bool is_running() { return !has_ended(/*block=*/false); }
  /// Sends a signal such as SIGINT.
  void send(int signal) const;
  /// Waits for the end.
  RunResult wait();

 private:
  TemporaryFolder folder_;
  pid_t child_ = -1;  // -1: has ended
  int status_ = 0;

  bool has_ended(bool block);
};

}  // namespace calque::test
