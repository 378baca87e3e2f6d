#include "cli/common_options.h"

#include "base/log.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "config/visit.h"

namespace calque {
void add_threads_option(CLI::App& command, int64_t& threads, const std::string& effect) {
  add_value_option(
      command, "--threads", threads, Integer(1, kMostThreads),
      "Threads to compute with (default: the processors that this process may use). " + effect)
      ->type_name("N");
}

void use_threads(int64_t threads) {
  const int processors = available_processors();
  if (threads > processors) {
    log::warning("{} share {} that this process may use: fewer threads are faster",
                 format_count(threads, "thread"), format_count(processors, "processor"));
  }
  set_threads(threads > 0 ? static_cast<int>(threads) : processors);
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
