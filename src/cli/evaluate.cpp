#include <fmt/format.h>

#include <memory>
#include <optional>

#include "base/progress.h"
#include "cli/command.h"
#include "cli/scoring.h"
#include "cli/text_output.h"
#include "cli/translation.h"

namespace calque {
namespace {

struct EvaluateArguments {
  TranslationArguments translation;
  std::string source;
  std::string reference;
  std::string hypothesis;
};

void evaluate(const EvaluateArguments& arguments) {
  for (const std::string& input : {arguments.source, arguments.reference}) {
    check_is_no_input("--hypothesis", arguments.hypothesis, input);
  }
  const std::vector<ScoredText> texts = read_scored_texts({arguments.source, arguments.reference});
  const ScoredText& source = texts[0];
  const ScoredText& reference = texts[1];
  std::optional<TextOutput> output;
  if (!arguments.hypothesis.empty()) output.emplace(arguments.hypothesis);

  TranslationSession session(arguments.translation);
  Progress progress("translating", static_cast<int64_t>(source.lines.size()), "sentences");
  const std::vector<std::string> translations =
      session.translate(source.lines, [&](int64_t lines) { progress.update(lines); });
  if (output) {
    for (const std::string& line : translations) output->write_line(line);
    output->finish();
  }

  BleuStatistics statistics;
  for (size_t i = 0; i < translations.size(); ++i) {
    statistics.add(translations[i], reference.lines[i]);
  }
  write_to_stdout(score_report(statistics.score(), 1, BleuTokenizer::k13a) +
                  fmt::format("speed: {}\n", session.speed()));
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand("evaluate", "Translate a test set and score it with BLEU");
  command->add_option("--source", arguments->source, "Text to translate, a sentence a line")
      ->type_name("FILE")
      ->required();
  command->add_option("--reference", arguments->reference, "What it should be, line for line")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--hypothesis", arguments->hypothesis,
                   "Where to write the translations, if "
                   "they are wanted")
      ->type_name("FILE");
  add_translation_options(*command, arguments->translation);
  command->footer(
      "Prints BLEU (tokeniser 13a, the number that sacreBLEU gives), the signature that\n"
      "says how it was counted, and the speed of translating.\n"
      "\n"
      "Example:\n"
      "  calque evaluate --model runs/demo --source data/demo/test.en \\\n"
      "                  --reference data/demo/test.de");
  command->callback([arguments] { evaluate(*arguments); });
}

}  // namespace calque
