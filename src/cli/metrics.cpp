#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/metric_options.h"
#include "cli/scoring.h"
#include "cli/text_output.h"

namespace calque {
namespace {

struct ScoringArguments {
  std::string hypothesis;
  std::vector<std::string> references;
  MetricArguments metrics;
  ConfidenceArguments confidence;
  bool score_only = false;
  bool json = false;
};

std::string values(std::span<const ScoredCorpus> scores) {
  std::string text;
  for (const ScoredCorpus& scored : scores) {
    text += format_value(scored.counts.score(), scored.confidence) + "\n";
  }
  return text;
}

void print_scores(const ScoringArguments& arguments) {
  const auto metrics = make_metrics(arguments.metrics);
  std::vector<std::string> paths{arguments.hypothesis};
  paths.insert(paths.end(), arguments.references.begin(), arguments.references.end());
  const std::vector<ScoredText> texts = read_scored_texts(paths);
  warn_of_tokenizer(arguments.metrics, texts);
  const std::vector<ScoredCorpus> scores = score_all(
      metrics, texts.front().lines, std::span(texts).subspan(1), arguments.confidence.bootstrap());
  if (arguments.json) {
    write_to_stdout(json_text(nlohmann::ordered_json::object({{"metrics", score_json(scores)}})));
  } else {
    write_to_stdout(arguments.score_only ? values(scores) : score_report(scores));
  }
}

/// What both commands have.
void add_scoring_options(CLI::App& command, ScoringArguments& arguments) {
  command
      .add_option("HYPOTHESIS", arguments.hypothesis,
                  "The translations, one a line; - is standard input")
      ->required();
  command
      .add_option("REFERENCE", arguments.references,
                  "What they should be, line for line; several files for several references of "
                  "each sentence")
      ->required();
  CLI::Option* const json = command.add_flag("--json", arguments.json, "Print all figures as JSON");
  command
      .add_flag("-b,--score-only", arguments.score_only,
                "Print the numbers alone, a line each, in the order BLEU, chrF, chrF++, TER")
      ->excludes(json);
  add_confidence_options(command, arguments.confidence);
}

}  // namespace

void add_metrics_command(CLI::App& app) {
  auto arguments = std::make_shared<ScoringArguments>();
  CLI::App* command =
      app.add_subcommand("metrics", "Score translations with BLEU, chrF, chrF++ and TER");
  add_scoring_options(*command, *arguments);
  add_metric_options(*command, arguments->metrics);
  command->footer(
      "Scores and signatures are those of sacreBLEU. BLEU: Papineni et al. 2002; chrF: Popovic\n"
      "2015, 2017; TER: Snover et al. 2006 (fewer edits are better).\n"
      "\n"
      "Examples:\n"
      "  calque metrics output.de test.de\n"
      "  calque metrics --metric chrf++ --confidence output.de test.de");
  command->callback([arguments] { print_scores(*arguments); });
}

void add_bleu_command(CLI::App& app) {
  auto arguments = std::make_shared<ScoringArguments>();
  arguments->metrics.names = {"bleu"};
  CLI::App* command = app.add_subcommand("bleu", "Score translations with BLEU");
  add_scoring_options(*command, *arguments);
  add_bleu_options(*command, arguments->metrics);
  command->footer(
      "The score is corpus BLEU (Papineni et al. 2002), the number that sacreBLEU gives for the\n"
      "printed signature; `calque metrics` prints other metrics too.\n"
      "\n"
      "Examples:\n"
      "  calque bleu output.de test.de\n"
      "  calque translate --model runs/demo --input test.en | calque bleu - test.de");
  command->callback([arguments] { print_scores(*arguments); });
}

}  // namespace calque
