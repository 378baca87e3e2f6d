#include "checkpoint/average.h"

#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/run_checkpoints.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/text_output.h"
#include "config/run_files.h"

namespace calque {
namespace {

struct AverageArguments {
  std::string output;
  std::vector<std::filesystem::path> checkpoints;
  std::string run;
  int64_t last = 5;
};

/// The newest `count` checkpoints of a run, oldest first. Those that the clock or a signal asked
/// for stand at no regular distance from the others and are left out.
std::vector<std::filesystem::path> newest_scheduled(const std::string& run, int64_t count) {
  const std::vector<CheckpointEntry> all = list_checkpoints(run);
  if (all.empty()) throw UserError(fmt::format("{} is no run folder with checkpoints", run));
  std::vector<std::filesystem::path> folders;
  for (auto entry = all.rbegin(); entry != all.rend(); ++entry) {
    check_lies_in_run(entry->folder);
    if (Checkpoint(entry->folder).state().scheduled) folders.push_back(entry->folder);
    if (static_cast<int64_t>(folders.size()) == count) break;
  }
  if (static_cast<int64_t>(folders.size()) < count) {
    throw UserError(
        fmt::format("{} has only {} of the {} scheduled checkpoints asked for; ask for --last {} "
                    "or less, or train "
                    "with a larger train.keep_last",
                    run, folders.size(), count, folders.size()));
  }
  return {folders.rbegin(), folders.rend()};
}

/// Throws unless all checkpoints are of one run, as far as their configs tell; what may change
/// while a run goes on may differ.
void check_one_run(const std::vector<std::filesystem::path>& folders) {
  const RunConfig first = load_config(Checkpoint(folders.front()));
  for (const std::filesystem::path& folder : folders) {
    std::string lines;
    for (const ConfigChange& change : refused_changes(first, load_config(Checkpoint(folder)))) {
      lines += fmt::format("\n  {} is {} in the first and {} in the second", change.key,
                           change.old_text, change.new_text);
    }
    if (lines.empty()) continue;
    throw UserError(fmt::format("{} and {} are not of one run, and cannot be averaged:{}",
                                folders.front().string(), folder.string(), lines));
  }
}

void average(const AverageArguments& arguments) {
  if (arguments.checkpoints.empty() == arguments.run.empty()) {
    throw UserError(
        "name either the checkpoints to average, or their run with --run and how many of its "
        "newest with --last");
  }
  const std::vector<std::filesystem::path> folders =
      arguments.run.empty() ? arguments.checkpoints
                            : newest_scheduled(arguments.run, arguments.last);
  check_one_run(folders);
  average_checkpoints(folders, arguments.output);

  std::string report = fmt::format("{}: the average of\n", arguments.output);
  for (const std::filesystem::path& folder : folders) report += "  " + folder.string() + "\n";
  write_to_stdout(report);
}

}  // namespace

void add_average_command(CLI::App& app) {
  auto arguments = std::make_shared<AverageArguments>();
  CLI::App* command =
      app.add_subcommand("average", "Average checkpoints of a run into one that translates better");
  command->add_option("CHECKPOINT", arguments->checkpoints, "Checkpoint folders to average");
  command->add_option("--output", arguments->output, "Folder to make; it must not exist yet")
      ->type_name("DIR")
      ->required();
  command->add_option("--run", arguments->run, "Average the newest checkpoints of this run instead")
      ->type_name("DIR");
  add_value_option(*command, "--last", arguments->last, Integer(1, 1000), "How many of them")
      ->type_name("N")
      ->default_str(fmt::format("{}", arguments->last));
  command->footer(
      "The weights are averaged element by element. The result translates like any\n"
      "checkpoint, and train.initial_model may start from it. With --run, checkpoints\n"
      "that were saved by the clock or by a signal do not count. Keys of the config that\n"
      "may change while a run goes on, such as train.max_steps, may differ.\n"
      "\n"
      "Examples:\n"
      "  calque average --run runs/demo --last 5 --output runs/demo/averaged\n"
      "  calque average --output averaged runs/demo/checkpoints/step_0000{1,2,3}000\n"
      "  calque evaluate --model averaged --source test.en --reference test.de");
  command->callback([arguments] { average(*arguments); });
}

}  // namespace calque
