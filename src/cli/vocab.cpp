#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/text_output.h"
#include "cli/vocabulary_report.h"
#include "config/data_files.h"
#include "config/run_config.h"
#include "train/run_folder.h"

namespace calque {
namespace {

struct VocabArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::string run;
  std::string output;
};

void make_vocabulary(const VocabArguments& arguments) {
  RunConfig config = load_config(arguments.config, arguments.overrides);
  if (!arguments.output.empty()) config.vocabulary.path = arguments.output;
  const std::filesystem::path run = arguments.run.empty()
                                        ? std::filesystem::path("runs") / config.name
                                        : std::filesystem::path(arguments.run);
  const VocabularyPaths paths = vocabulary_paths(config.vocabulary, run);
  const bool was_there =
      std::filesystem::exists(paths.source) && std::filesystem::exists(paths.target);
  config.data.validation = {};  // nothing is made of it
  check_data_files(config.data);
  std::optional<RunFolder> folder;  // locked, while something may be written into it
  if (config.vocabulary.path.empty()) folder.emplace(run);
  const TokenizerPair tokenizers = load_or_train_vocabulary(
      config.vocabulary, run, config.data.train.source, config.data.train.target, config.seed,
      config.data.lines, OtherVocabulary::kRefuse);

  std::string report = describe_vocabulary(tokenizers);
  const std::string files = config.vocabulary.shared
                                ? paths.source.string()
                                : paths.source.string() + " and " + paths.target.string();
  if (was_there) {
    report += fmt::format(
        "{} was there already and stays as it is. To train another, move it away, or name another "
        "file with --output\n",
        files);
  } else {
    report += fmt::format("written to {}\n", files);
  }
  write_to_stdout(report);
}

}  // namespace

void add_vocab_command(CLI::App& app) {
  auto arguments = std::make_shared<VocabArguments>();
  CLI::App* command =
      app.add_subcommand("vocab", "Train the vocabulary of a config ahead of training");
  command->add_option("CONFIG", arguments->config, "The config file")->required();
  add_set_option(*command, arguments->overrides);
  command
      ->add_option("--output", arguments->output,
                   "Where to write it (default: vocabulary.path of the config, else the run "
                   "folder)")
      ->type_name("FILE");
  command->add_option("--run", arguments->run, "Run folder (default: runs/<config name>)")
      ->type_name("DIR");
  add_quiet_option(*command);
  command->footer(
      "`calque train` does this by itself when the vocabulary is missing. With\n"
      "vocabulary.shared off there are two: de-en.model means de-en.source.model and\n"
      "de-en.target.model. A vocabulary that exists is never overwritten.\n"
      "\n"
      "Examples:\n"
      "  calque vocab configs/demo.yaml\n"
      "  calque vocab configs/demo.yaml --set vocabulary.size=4000 --output small.model");
  command->callback([arguments] { make_vocabulary(*arguments); });
}

}  // namespace calque
