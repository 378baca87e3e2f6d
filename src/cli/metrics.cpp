#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/metric_options.h"
#include "cli/scoring.h"
#include "cli/text_output.h"

namespace calque {
namespace {

struct ScoringArguments {
  std::string hypothesis;
  std::vector<std::string> references;
  MetricArguments metrics;
  BootstrapOptions bootstrap;
  bool confidence = false;
  bool score_only = false;
  bool json = false;
};

void print_scores(const ScoringArguments& arguments) {
  const auto metrics = make_metrics(arguments.metrics);
  std::vector<std::string> paths{arguments.hypothesis};
  paths.insert(paths.end(), arguments.references.begin(), arguments.references.end());
  const std::vector<ScoredText> texts = read_scored_texts(paths);
  warn_of_tokenizer(arguments.metrics.bleu.tokenizer, texts[0], texts[1]);

  std::string out;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const auto& metric : metrics) {
    const ScoredCorpus scored =
        score_corpus(*metric, texts.front().lines, std::span(texts).subspan(1),
                     arguments.confidence ? std::optional(arguments.bootstrap) : std::nullopt);
    json.push_back(score_json(scored));
    out += arguments.score_only ? fmt::format("{:.2f}\n", scored.counts.score())
                                : score_report(scored);
  }
  write_to_stdout(arguments.json ? json.dump(2) + "\n" : out);
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
  command.add_flag("-b,--score-only", arguments.score_only, "Print the number alone");
  command.add_flag("--json", arguments.json, "Print all figures as JSON");
  command.add_flag(
      "--confidence", arguments.confidence,
      "Add the mean and the 95 % interval over corpora drawn from this one (bootstrap)");
  add_bootstrap_options(command, arguments.bootstrap);
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
