#pragma once

#include <string>
#include <vector>

namespace calque::test {

/// What a run of the program left behind.
struct RunResult {
  int exit_code = -1;  // 128 + signal when one ended it
  std::string out;     // standard output
  std::string err;     // standard error
};

/// A command line that is the user's mistake, and what the message must contain.
struct UsageError {
  std::vector<std::string> arguments;
  std::string message;
};
/// Checks that each prints an error with its message, nothing else, and ends with exit code 2.
void check_usage_errors(const std::vector<UsageError>& cases);

/// Runs the built `calque` with these arguments and `input` as its standard input, until it ends.
RunResult run_binary(const std::vector<std::string>& arguments, const std::string& input = "");

}  // namespace calque::test
