#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/stopwatch.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/metric_options.h"
#include "cli/scoring.h"
#include "cli/text_output.h"
#include "metrics/tokenizers.h"

namespace calque {
namespace {

struct CompareArguments {
  std::vector<std::string> systems;
  std::vector<std::string> references;
  std::string source;
  MetricArguments metrics;
  BootstrapOptions bootstrap;
  int64_t examples = 5;
  bool json = false;
};

/// A sentence that two systems translate differently well.
struct Example {
  int64_t sentence;
  double first;  // its scores by chrF
  double second;
};

struct Comparison {
  std::vector<ScoredText> texts;                  // systems, references, source
  size_t systems;                                 // so many of them
  std::vector<std::vector<ScoredCorpus>> scores;  // [metrics, systems]
  std::string example_metric;
  std::vector<Example> examples;
};

/// A system against the first one.
PairedTest test(const std::vector<ScoredCorpus>& scores, size_t system) {
  return paired_test(scores.front().counts.score(), scores.front().samples,
                     scores[system].counts.score(), scores[system].samples);
}

/// "better", "worse" or "equal".
std::string_view verdict(const Metric& metric, double difference) {
  if (difference == 0) return "equal";
  return (difference > 0) == metric.higher_is_better() ? "better" : "worse";
}

/// "0.0010 *": a star where chance is an unlikely reason.
std::string p_value_text(double p_value) {
  constexpr double kSignificant = 0.05;
  return fmt::format("{:.4f}{}", p_value, p_value < kSignificant ? " *" : "");
}

std::string table(std::span<const ScoredText> systems, const std::vector<ScoredCorpus>& scores) {
  const Metric& metric = scores.front().counts.metric();
  const std::string title = metric.name() + (metric.higher_is_better() ? "" : " (less is better)");
  size_t width = title.size();
  for (const ScoredText& system : systems) width = std::max(width, system.name.size());
  std::string text = fmt::format("{:<{}}  {:>7}  {:>15}  {:>10}          p-value\n", title, width,
                                 "score", "95 % interval", "difference");
  for (size_t i = 0; i < systems.size(); ++i) {
    const Confidence& confidence = *scores[i].confidence;
    text +=
        fmt::format("{:<{}}  {:>7.2f}  {:>15}", systems[i].name, width, scores[i].counts.score(),
                    fmt::format("{:.2f} +- {:.2f}", confidence.mean, confidence.half_width));
    if (i == 0) {
      text += "    baseline\n";
      continue;
    }
    const auto [difference, p_value] = test(scores, i);
    text += fmt::format("  {:>+10.2f}  {:<6}  {}\n", difference, verdict(metric, difference),
                        p_value_text(p_value));
  }
  return text + fmt::format("signature: {}\n\n", scores.front().signature());
}

nlohmann::ordered_json table_json(std::span<const ScoredText> systems,
                                  const std::vector<ScoredCorpus>& scores) {
  const Metric& metric = scores.front().counts.metric();
  nlohmann::ordered_json json{{"name", metric.name()},
                              {"signature", scores.front().signature()},
                              {"higher_is_better", metric.higher_is_better()}};
  for (size_t i = 0; i < systems.size(); ++i) {
    nlohmann::ordered_json& row = json["systems"].emplace_back();
    row["system"] = systems[i].name;
    add_figures(row, scores[i]);
    if (i == 0) continue;
    const auto [difference, p_value] = test(scores, i);
    row["difference"] = difference;
    row["verdict"] = verdict(metric, difference);
    row["p_value"] = p_value;
  }
  return json;
}

/// The sentences whose own scores differ most.
std::vector<Example> most_different(const CorpusCounts& first, const CorpusCounts& second,
                                    int64_t count) {
  std::vector<Example> examples;
  for (int64_t s = 0; s < first.sentences(); ++s) {
    const Example example{s, first.metric().score(first.sentence(s)),
                          second.metric().score(second.sentence(s))};
    if (example.first != example.second) examples.push_back(example);
  }
  std::ranges::stable_sort(examples, std::greater<>(), [](const Example& example) {
    return std::abs(example.first - example.second);
  });
  examples.resize(std::min(examples.size(), static_cast<size_t>(count)));
  return examples;
}

/// Of the first two systems, by chrF, which tells more of a single sentence than BLEU does.
void find_examples(Comparison& comparison, std::span<const ScoredText> references,
                   const CompareArguments& arguments) {
  if (arguments.examples == 0) return;
  const auto chrf = make_metric("chrf", arguments.metrics);
  comparison.example_metric = chrf->name();
  const auto counted = std::ranges::find(comparison.scores, chrf->name(), [](const auto& scores) {
    return scores.front().counts.metric().name();
  });
  const auto counts = [&](size_t system) {
    return counted != comparison.scores.end()
               ? (*counted)[system].counts
               : score_corpus(*chrf, comparison.texts[system].lines, references).counts;
  };
  comparison.examples = most_different(counts(0), counts(1), arguments.examples);
}

std::string to_text(const Comparison& comparison) {
  const auto systems = std::span(comparison.texts).first(comparison.systems);
  std::string out;
  for (const auto& scores : comparison.scores) out += table(systems, scores);
  for (const Example& example : comparison.examples) {
    out += fmt::format("line {}: {} {:.1f} against {:.1f}\n", example.sentence + 1,
                       comparison.example_metric, example.first, example.second);
    for (const ScoredText& text : comparison.texts) {
      out += fmt::format("  {}: {}\n", text.name,
                         trim_right(text.lines[static_cast<size_t>(example.sentence)]));
    }
  }
  return out;
}

nlohmann::ordered_json to_json(const Comparison& comparison) {
  const auto systems = std::span(comparison.texts).first(comparison.systems);
  nlohmann::ordered_json json;
  for (const auto& scores : comparison.scores) {
    json["metrics"].push_back(table_json(systems, scores));
  }
  json["sentences"] = nlohmann::ordered_json::array();
  for (const Example& example : comparison.examples) {
    nlohmann::ordered_json& sentence = json["sentences"].emplace_back();
    sentence["line"] = example.sentence + 1;
    sentence[comparison.example_metric] = {example.first, example.second};
    for (const ScoredText& text : comparison.texts) {
      sentence["texts"].push_back(
          {{"file", text.name}, {"text", text.lines[static_cast<size_t>(example.sentence)]}});
    }
  }
  return json;
}

void warn_of_few_sentences(size_t sentences) {
  constexpr size_t kFew = 50;
  if (sentences >= kFew) return;
  log::warning("{}: too few for a test; a p-value and its star prove nothing here",
               format_count(static_cast<int64_t>(sentences), "sentence"));
}

void compare(const CompareArguments& arguments) {
  if (arguments.systems.size() < 2) {
    throw UserError(
        "what is to be compared? Name two files of translations, or more: calque "
        "compare A B --reference R");
  }
  const auto metrics = make_metrics(arguments.metrics);
  std::vector<std::string> paths = arguments.systems;
  paths.insert(paths.end(), arguments.references.begin(), arguments.references.end());
  if (!arguments.source.empty()) paths.push_back(arguments.source);
  Comparison comparison{read_scored_texts(paths), arguments.systems.size(), {}, {}, {}};
  const auto texts = std::span(comparison.texts);
  const auto systems = texts.first(comparison.systems);
  const auto references = texts.subspan(systems.size(), arguments.references.size());
  warn_of_tokenizer(arguments.metrics, texts.first(systems.size() + references.size()));
  warn_of_few_sentences(references.front().lines.size());

  for (const auto& metric : metrics) {
    auto& scores = comparison.scores.emplace_back();
    for (const ScoredText& system : systems) {
      scores.push_back(score_corpus(*metric, system.lines, references, arguments.bootstrap));
    }
  }
  find_examples(comparison, references, arguments);
  write_to_stdout(arguments.json ? json_text(to_json(comparison)) : to_text(comparison));
}

}  // namespace

void add_compare_command(CLI::App& app) {
  auto arguments = std::make_shared<CompareArguments>();
  CLI::App* command = app.add_subcommand(
      "compare", "Tell whether translations of one text differ by more than chance, and where");
  command
      ->add_option("SYSTEM", arguments->systems,
                   "Translations by two systems or more, line for line; the first is the baseline")
      ->required();
  command
      ->add_option("--reference", arguments->references,
                   "What they should be; may be given several times")
      ->type_name("FILE")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--source", arguments->source, "What was translated, to be shown beside")
      ->type_name("FILE");
  add_value_option(*command, "--examples", arguments->examples, Integer(0, 1'000'000),
                   "Sentences to show, those whose chrF differs most between the first two systems")
      ->type_name("N")
      ->default_str("5");
  command->add_flag("--json", arguments->json, "Print all figures as JSON");
  add_bootstrap_options(*command, arguments->bootstrap);
  add_metric_options(*command, arguments->metrics);
  command->footer(
      "Paired bootstrap (Koehn 2004): a p-value below 0.05, marked with a star, says that such a\n"
      "difference is seldom chance. A test on fewer than some hundred sentences proves nothing.\n"
      "\n"
      "Example:\n"
      "  calque compare old.de new.de --reference test.de --source test.en");
  command->callback([arguments] { compare(*arguments); });
}

}  // namespace calque
