#include <filesystem>
#include <memory>

#include "base/profile.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/text_output.h"
#include "cli/training_run.h"

namespace calque {
namespace {

struct TrainArguments {
  std::string config;
  std::string run;
  std::vector<std::string> overrides;
  int64_t threads = 0;
  bool fresh = false;
  bool dry_run = false;
  bool profile = false;
  bool help_config = false;
};

/// `--run`, or its default, without a slash at its end.
std::filesystem::path run_folder_path(const TrainArguments& arguments, const RunConfig& config) {
  if (arguments.run.empty()) return std::filesystem::path("runs") / config.name;
  const std::filesystem::path path = std::filesystem::path(arguments.run).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

void run(const TrainArguments& arguments) {
  if (arguments.help_config) {
    write_to_stdout(help_config());
    return;
  }
  if (arguments.config.empty())
    throw UserError("which config? `calque train CONFIG`, as in: calque train configs/demo.yaml");
  const RunConfig config = load_config(arguments.config, arguments.overrides);
  use_threads(arguments.threads > 0 ? arguments.threads : config.threads);
  const std::filesystem::path run_path = run_folder_path(arguments, config);
  profile::enable(arguments.profile);
  if (arguments.dry_run) return dry_run(config, run_path, arguments.fresh);
  train_run(config, run_path, arguments.fresh);
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command = app.add_subcommand(
      "train", "Train a translation model from a YAML config, or go on with a stopped training");
  command->add_option("CONFIG", arguments->config, "The config file, e.g. configs/demo.yaml")
      ->type_name("FILE");
  command
      ->add_option("--run", arguments->run,
                   "Run folder: checkpoints, vocabulary, log, metrics (default: runs/<config "
                   "name>). A run that it holds goes on from its latest checkpoint. One process at "
                   "a time works in it")
      ->type_name("DIR");
  add_set_option(*command, arguments->overrides);
  add_threads_option(*command, arguments->threads);
  add_quiet_option(*command);
  command->add_flag("--fresh", arguments->fresh,
                    "Start over; an old run folder is put aside under a new name, never deleted");
  command->add_flag(
      "--dry-run", arguments->dry_run,
      "Check config, data, and the run that the folder holds; print sizes, memory and "
      "expected time; write nothing");
  command->add_flag(
      "--profile", arguments->profile,
      "Print at the end where the time went: a table of parts. With --dry-run, of a few "
      "updates alone");
  command->add_flag("--help-config", arguments->help_config,
                    "Print every config key with meaning, unit, default and range");
  command->footer(
      "Ctrl-C saves and stops; the same command goes on from there, to the same bits.\n"
      "Example: calque train configs/multi30k-en-de.yaml --set train.max_minutes=60");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace calque
