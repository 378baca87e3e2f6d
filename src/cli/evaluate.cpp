#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/progress.h"
#include "base/stop_signal.h"
#include "cli/command.h"
#include "cli/metric_options.h"
#include "cli/scoring.h"
#include "cli/text_output.h"
#include "cli/translation.h"

namespace calque {
namespace {

struct EvaluateArguments {
  TranslationArguments translation;
  MetricArguments metrics;
  ConfidenceArguments confidence;
  bool json = false;
  std::string source;
  std::string reference;
  std::string hypothesis;
};

std::vector<std::string> translate(TranslationSession& session,
                                   const std::vector<std::string>& lines) {
  const StopSignal stop;
  Progress progress("translating", std::ssize(lines), "sentences");
  return session.translate(lines, [&](int64_t done) { progress.update(done); });
}

void evaluate(const EvaluateArguments& arguments) {
  for (const std::string& input : {arguments.source, arguments.reference}) {
    check_is_no_input("--hypothesis", arguments.hypothesis, input);
  }
  const auto metrics = make_metrics(arguments.metrics);
  const std::vector<ScoredText> texts = read_scored_texts({arguments.source, arguments.reference});
  const ScoredText& source = texts[0];
  const ScoredText& reference = texts[1];
  warn_of_tokenizer(arguments.metrics, {&reference, 1});
  std::optional<TextOutput> output;
  if (!arguments.hypothesis.empty()) output.emplace(arguments.hypothesis);

  TranslationSession session(arguments.translation);
  const ScoredText translations{"the translations", translate(session, source.lines)};
  if (output) {
    for (const std::string& line : translations.lines) output->write_line(line);
    output->finish();
  }
  warn_of_tokenizer(arguments.metrics, {&translations, 1});

  const std::vector<ScoredCorpus> scores =
      score_all(metrics, translations.lines, {&reference, 1}, arguments.confidence.bootstrap());
  const std::string_view precision = precision_name(arguments.translation.precision);
  if (arguments.json) {
    write_to_stdout(json_text({{"model", session.identity()},
                               {"precision", precision},
                               {"speed", session.speed()},
                               {"metrics", score_json(scores)}}));
  } else {
    write_to_stdout(fmt::format("{}model: {}\nprecision: {}\nspeed: {}\n", score_report(scores),
                                session.identity(), precision, session.speed()));
  }
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand("evaluate", "Translate a test set and score it");
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
  add_metric_options(*command, arguments->metrics);
  add_confidence_options(*command, arguments->confidence);
  command->add_flag("--json", arguments->json, "Print all figures as JSON");
  command->footer(
      "Prints BLEU, chrF, chrF++ and TER (the numbers that sacreBLEU gives), the signatures that\n"
      "say how they were counted, what translated, and how fast.\n"
      "\n"
      "Example:\n"
      "  calque evaluate --model runs/demo --source data/demo/test.en \\\n"
      "                  --reference data/demo/test.de");
  command->callback([arguments] { evaluate(*arguments); });
}

}  // namespace calque
