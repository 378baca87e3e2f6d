#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/scoring.h"
#include "cli/text_output.h"

namespace calque {
namespace {

constexpr Choice<BleuTokenizer> kTokenizers[] = {{"13a", BleuTokenizer::k13a},
                                                 {"none", BleuTokenizer::kNone}};

struct BleuArguments {
  std::string hypothesis;
  std::vector<std::string> references;
  BleuTokenizer tokenizer = BleuTokenizer::k13a;
  bool score_only = false;
};

void print_bleu(const BleuArguments& arguments) {
  std::vector<std::string> paths{arguments.hypothesis};
  paths.insert(paths.end(), arguments.references.begin(), arguments.references.end());
  const std::vector<ScoredText> texts = read_scored_texts(paths);

  BleuStatistics statistics(arguments.tokenizer);
  std::vector<std::string> references(arguments.references.size());
  for (size_t line = 0; line < texts.front().lines.size(); ++line) {
    for (size_t i = 0; i < references.size(); ++i) references[i] = texts[i + 1].lines[line];
    statistics.add(texts.front().lines[line], references);
  }
  const BleuScore score = statistics.score();
  write_to_stdout(arguments.score_only ? fmt::format("{:.2f}\n", score.bleu)
                                       : score_report(score, static_cast<int>(references.size()),
                                                      arguments.tokenizer));
}

}  // namespace

void add_bleu_command(CLI::App& app) {
  auto arguments = std::make_shared<BleuArguments>();
  CLI::App* command = app.add_subcommand("bleu", "Score translations against references");
  command
      ->add_option("HYPOTHESIS", arguments->hypothesis,
                   "The translations, one a line; - is standard input")
      ->required();
  command
      ->add_option("REFERENCE", arguments->references,
                   "What they should be, line for line; several files for several references "
                   "of each sentence")
      ->required();
  add_value_option(*command, "--tokenize", arguments->tokenizer, OneOf<BleuTokenizer>(kTokenizers),
                   "How words are found: 13a for ordinary text, none for text whose words are "
                   "already set apart by spaces")
      ->type_name("NAME")
      ->default_str("13a");
  command->add_flag("-b,--score-only", arguments->score_only, "Print the number alone");
  command->footer(
      "The score is corpus BLEU (Papineni et al. 2002) with exponential smoothing, case\n"
      "counting: the number that sacreBLEU gives for the printed signature.\n"
      "\n"
      "Examples:\n"
      "  calque bleu output.de test.de\n"
      "  calque translate --model runs/demo --input test.en | calque bleu - test.de");
  command->callback([arguments] { print_bleu(*arguments); });
}

}  // namespace calque
