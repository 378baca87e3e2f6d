#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/scratch_folder.h"
#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "cli/borrowed_vocabulary.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/text_output.h"
#include "config/data_files.h"
#include "config/run_config.h"
#include "data/clean_copy.h"
#include "data/text_check.h"

namespace calque {
namespace {

struct CheckArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::string run;
  std::vector<std::string> source;
  std::vector<std::string> target;
  std::vector<std::string> test;  // source, target, source, target, ...
  std::vector<std::string> vocabulary;
  std::string write_clean;
  int64_t examples = 5;
  int64_t threads = 0;
  bool json = false;
};

/// The vocabulary that lengths are counted with, or why there is none.
struct LengthUnit {
  std::optional<TokenizerPair> tokenizers;
  std::string why_words;
};

/// All that is said.
struct CheckResult {
  std::vector<TextCheck> texts;
  std::vector<std::string> refusals;
  std::string why_words;  // lengths are in words and not in pieces, or ""
  std::vector<std::filesystem::path> written;
};

/// The config, or the defaults for the files of the command line.
RunConfig read_config(const CheckArguments& arguments) {
  const bool has_files = !arguments.source.empty() || !arguments.target.empty();
  if (has_files == !arguments.config.empty()) {
    throw UserError(
        "what is to be checked? Either `calque check-data CONFIG`, or `calque check-data --source "
        "FILE... --target FILE...`");
  }
  if (!has_files) return load_config(arguments.config, arguments.overrides);
  if (arguments.source.size() != arguments.target.size()) {
    throw UserError(
        fmt::format("--source names {} but --target {}: each file needs its translation",
                    format_count(std::ssize(arguments.source), "file"), arguments.target.size()));
  }
  RunConfig config = parse_config("data: {train: {source: source, target: target}}",
                                  "the command line", arguments.overrides);
  config.data.train = {arguments.source, arguments.target};
  return config;
}

/// Throws unless the file can be read, and read again.
void check_ordinary(const std::string& file) {
  if (file != "-") open_for_reading(file);
  if (std::filesystem::is_regular_file(file)) return;
  throw UserError(
      fmt::format("{} is no ordinary file, and is to be read more than once; write it to one first",
                  file == "-" ? "standard input" : file));
}

std::vector<TextCheck> texts_to_check(const RunConfig& config, const CheckArguments& arguments) {
  std::vector<TextCheck> texts;
  const auto add = [&](const std::string& name, const ParallelFiles& files) {
    texts.emplace_back();
    texts.back().name = name;
    texts.back().files = files;
  };
  add("train", config.data.train);
  if (!config.data.validation.source.empty()) add("validation", config.data.validation);
  for (size_t i = 0; i + 1 < arguments.test.size(); i += 2) {
    add(i == 0 ? "test" : fmt::format("test {}", i / 2 + 1),
        {{arguments.test[i]}, {arguments.test[i + 1]}});
  }
  for (const TextCheck& text : texts) {
    for (const std::string& file : text.files.source) check_ordinary(file);
    for (const std::string& file : text.files.target) check_ordinary(file);
  }
  return texts;
}

Tokenizer open_tokenizer(const std::string& file) { return Tokenizer(read_file(file), file); }

LengthUnit open_vocabulary(RunConfig config, const CheckArguments& arguments) {
  const std::vector<std::string>& given = arguments.vocabulary;
  if (given.size() == 1) return {TokenizerPair(open_tokenizer(given[0])), ""};
  if (given.size() == 2) {
    return {TokenizerPair(open_tokenizer(given[0]), open_tokenizer(given[1])), ""};
  }
  if (arguments.config.empty()) return {std::nullopt, "--vocabulary is not given"};
  const ScratchFolder scratch;
  borrow_vocabulary(config.vocabulary,
                    arguments.run.empty() ? std::filesystem::path("runs") / config.name
                                          : std::filesystem::path(arguments.run),
                    scratch.path());
  try {
    return {load_or_train_vocabulary(config.vocabulary, scratch.path(), config.data.train.source,
                                     config.data.train.target, config.seed,
                                     config.data.without_errors().lines),
            ""};
  } catch (const UserError& error) {
    return {std::nullopt, error.what()};
  }
}

/// What a training has against these texts.
std::vector<std::string> find_refusals(const std::vector<TextCheck>& texts,
                                       const DataOptions& options) {
  std::vector<std::string> refusals;
  for (const TextCheck& text : texts) {
    if (text.name != "train" && text.name != "validation") continue;
    if (!text.unequal_lines.empty()) refusals.push_back(text.unequal_lines);
    std::ranges::copy(text.report.refusals(text.name, options), std::back_inserter(refusals));
  }
  return refusals;
}

/// Throws where a clean copy of the texts cannot be made.
void check_can_be_cleaned(const std::vector<TextCheck>& texts) {
  for (const TextCheck& text : texts) {
    if (!text.unequal_lines.empty()) {
      throw UserError(fmt::format(
          "--write-clean: nothing was written, since nobody knows which lines belong together: {}",
          text.unequal_lines));
    }
    if (text.report.kept() == 0) {
      throw UserError(fmt::format("--write-clean: nothing was written, since no pair of {} is left",
                                  text.name));
    }
  }
}

std::string describe(const CheckResult& result, const DataOptions& options) {
  std::string report;
  if (!result.why_words.empty()) {
    report += fmt::format("lengths are in words, not in pieces: {}\n", result.why_words);
  }
  for (const TextCheck& text : result.texts) {
    for (const std::string& line : text.report.lines(text.name, options)) report += line + "\n";
    if (!text.unequal_lines.empty()) {
      report += fmt::format("{}: {}\n", text.name, text.unequal_lines);
    }
  }
  for (const std::filesystem::path& path : result.written) {
    report += fmt::format("written: {}\n", path.string());
  }
  if (result.refusals.empty()) report += "a training takes this text\n";
  return report;
}

std::string describe_in_json(const CheckResult& result) {
  nlohmann::ordered_json json;
  json["accepted"] = result.refusals.empty();
  json["refusals"] = result.refusals;
  json["lengths_in"] = result.why_words.empty() ? "pieces" : "words";
  json["texts"] = nlohmann::ordered_json::array();
  for (const TextCheck& text : result.texts) {
    nlohmann::ordered_json entry = {
        {"name", text.name},
        {"source", {{"files", text.files.source}, {"lines", text.source_lines}}},
        {"target", {{"files", text.files.target}, {"lines", text.target_lines}}},
        {"equal_lines", text.unequal_lines.empty()}};
    entry.update(to_json(text.report));
    json["texts"].push_back(std::move(entry));
  }
  json["written"] = nlohmann::ordered_json::array();
  for (const std::filesystem::path& path : result.written) json["written"].push_back(path.string());
  return json_text(json);
}

void check_data(const CheckArguments& arguments) {
  const StopSignal stop;
  const RunConfig config = read_config(arguments);
  use_threads(arguments.threads > 0 ? arguments.threads : config.threads);
  check_data_files(config.data);
  CheckResult result;
  result.texts = texts_to_check(config, arguments);
  const LengthUnit unit = open_vocabulary(config, arguments);
  result.why_words = unit.why_words;

  CheckOptions options;
  options.data = config.data;
  options.tokenizers = unit.tokenizers ? &*unit.tokenizers : nullptr;
  options.examples = static_cast<size_t>(arguments.examples);
  std::optional<CleanCopy> copy;
  if (!arguments.write_clean.empty()) {
    copy.emplace(arguments.write_clean, result.texts);
    options.keep = [&](const TextPair& pair) { copy->add(pair); };
  }
  check_texts(result.texts, options);
  result.refusals = find_refusals(result.texts, config.data);
  if (copy) {
    check_can_be_cleaned(result.texts);
    result.written = copy->finish();
  }
  write_to_stdout(arguments.json ? describe_in_json(result) : describe(result, config.data));
  if (result.refusals.empty() || copy) return;
  throw UserError(
      fmt::format("a training refuses this text:\n  {}", fmt::join(result.refusals, "\n  ")));
}

}  // namespace

void add_check_data_command(CLI::App& app) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command =
      app.add_subcommand("check-data", "Look for faults in parallel text before training on it");
  command->add_option("CONFIG", arguments->config, "The config file whose data is checked")
      ->type_name("FILE");
  add_set_option(*command, arguments->overrides);
  command->add_option("--source", arguments->source, "In place of CONFIG: text, plain or gzip")
      ->type_name("FILE...");
  command->add_option("--target", arguments->target, "Its translation, line by line")
      ->type_name("FILE...");
  command
      ->add_option("--test", arguments->test,
                   "Text, and its translation, that should not be in the training text; may be "
                   "given several times")
      ->type_name("SOURCE TARGET")
      ->expected(2)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      ->add_option("--vocabulary", arguments->vocabulary,
                   "SentencePiece model that lengths are counted with, or one for each side "
                   "(default: that of CONFIG's run, else one as its training would make; without "
                   "CONFIG, lengths are in words)")
      ->type_name("FILE...")
      ->expected(1, 2);
  command->add_option("--run", arguments->run, "Run folder of CONFIG (default: runs/<config name>)")
      ->type_name("DIR");
  add_value_option(*command, "--examples", arguments->examples, Integer(1, 1'000'000),
                   "Places shown of each fault (default: 5)")
      ->type_name("N");
  command
      ->add_option("--write-clean", arguments->write_clean,
                   "Write the text as a training would take it: pairs that are left out are not in "
                   "it, lines are mended; what would be refused is left out too. Nothing is "
                   "overwritten")
      ->type_name("DIR");
  command->add_flag("--json", arguments->json, "As one JSON object, for other programs");
  add_threads_option(*command, arguments->threads);
  add_quiet_option(*command);
  command->footer(
      "Counts, with the first places of each: lines that are not UTF-8, zero bytes, control\n"
      "characters, carriage returns, byte order marks, U+0085, U+2028 and U+2029; pairs with an\n"
      "empty side, too long, with lengths too far apart, or the same on both sides; pairs that\n"
      "occur more than once, or in the training text and in validation or test too; unequal\n"
      "numbers of lines, and where the two sides drift apart. `calque train` counts the same by\n"
      "the same code, but does not look for repeated pairs. What is done about each is in the\n"
      "config: data.* in `calque train --help-config`.\n"
      "\n"
      "Exit code 2: a training would refuse this text. With --write-clean, 0 once it is written.\n"
      "\n"
      "Examples:\n"
      "  calque check-data configs/demo.yaml --test data/demo/test.en data/demo/test.de\n"
      "  calque check-data --source a.en --target a.de --set data.copy=skip --write-clean clean\n"
      "  calque check-data configs/demo.yaml --json | jq '.texts[0].faults'");
  command->callback([arguments] { check_data(*arguments); });
}

}  // namespace calque
