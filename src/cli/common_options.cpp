#include "cli/common_options.h"

#include "base/log.h"

namespace calque {
namespace {

constexpr int64_t kMostThreads = 4096;

}  // namespace

void add_threads_option(CLI::App& command, int64_t& threads, const std::string& effect) {
  command
      .add_option(
          "--threads", threads,
          "Threads to compute with (default: the processors that this process may use). " + effect)
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, kMostThreads));
}

void add_quiet_option(CLI::App& command) {
  command.add_flag_callback(
      "--quiet", [] { log::set_quiet(true); }, "Only warnings and errors on standard error");
}

void add_set_option(CLI::App& command, std::vector<std::string>& overrides) {
  command
      .add_option("--set", overrides,
                  "Replace a value of the config, as in --set train.learning_rate=0.0007; may be "
                  "given several times")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace calque
