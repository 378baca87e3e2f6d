#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/metric_options.h"
#include "cli/scoring.h"
#include "cli/text_output.h"

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

/// One system by one metric.
struct SystemScore {
  ScoredCorpus scored;
  std::vector<double> samples;
  PairedTest test;  // against the first system
};

std::vector<SystemScore> score_systems(const Metric& metric, std::span<const ScoredText> systems,
                                       std::span<const ScoredText> references,
                                       const BootstrapOptions& bootstrap) {
  std::vector<SystemScore> scores;
  for (const ScoredText& system : systems) {
    SystemScore score{score_corpus(metric, system.lines, references), {}, {}};
    score.samples = bootstrap_scores(score.scored.counts, bootstrap);
    score.scored.drawn = bootstrap;
    score.scored.confidence = confidence(score.samples);
    if (!scores.empty()) {
      score.test = paired_test(scores.front().scored.counts.score(), scores.front().samples,
                               score.scored.counts.score(), score.samples);
    }
    scores.push_back(std::move(score));
  }
  return scores;
}

/// "0.0010 *": a star where chance is an unlikely reason.
std::string p_value_text(double p_value) {
  constexpr double kSignificant = 0.05;
  return fmt::format("{:.4f}{}", p_value, p_value < kSignificant ? " *" : "");
}

std::string table(std::span<const ScoredText> systems, const std::vector<SystemScore>& scores) {
  size_t width = 6;
  for (const ScoredText& system : systems) width = std::max(width, system.name.size());
  std::string text = fmt::format("{:<{}}  {:>7}  {:>15}  {:>10}  p-value\n",
                                 scores.front().scored.counts.metric().name(), width, "score",
                                 "95 % interval", "difference");
  for (size_t i = 0; i < systems.size(); ++i) {
    const SystemScore& score = scores[i];
    const Confidence& confidence = *score.scored.confidence;
    text +=
        fmt::format("{:<{}}  {:>7.2f}  {:>15}", systems[i].name, width, score.scored.counts.score(),
                    fmt::format("{:.2f} +- {:.2f}", confidence.mean, confidence.half_width));
    text += i == 0 ? "    baseline\n"
                   : fmt::format("  {:>+10.2f}  {}\n", score.test.difference,
                                 p_value_text(score.test.p_value));
  }
  return text + fmt::format("signature: {}\n\n", scores.front().scored.signature());
}

/// A sentence's own score.
double sentence_score(const CorpusCounts& counts, int64_t sentence) {
  return counts.metric().score(counts.sentence(sentence));
}

/// The sentences whose scores differ most between the first two systems.
std::vector<int64_t> most_different(const CorpusCounts& first, const CorpusCounts& second,
                                    int64_t count) {
  std::vector<int64_t> sentences(static_cast<size_t>(first.sentences()));
  std::iota(sentences.begin(), sentences.end(), 0);
  const auto distance = [&](int64_t s) {
    return std::abs(sentence_score(first, s) - sentence_score(second, s));
  };
  std::ranges::stable_sort(sentences, std::greater<>(), distance);
  std::erase_if(sentences, [&](int64_t s) { return distance(s) == 0; });
  sentences.resize(std::min(sentences.size(), static_cast<size_t>(count)));
  return sentences;
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
  const std::vector<ScoredText> texts = read_scored_texts(paths);
  const auto systems = std::span(texts).first(arguments.systems.size());
  const auto references = std::span(texts).subspan(systems.size(), arguments.references.size());
  for (const ScoredText& system : systems) {
    warn_of_tokenizer(arguments.metrics.bleu.tokenizer, system, references.front());
  }

  std::string out;
  nlohmann::ordered_json json;
  for (const auto& metric : metrics) {
    const std::vector<SystemScore> scores =
        score_systems(*metric, systems, references, arguments.bootstrap);
    out += table(systems, scores);
    auto& rows = json["metrics"].emplace_back(nlohmann::ordered_json::array());
    for (size_t i = 0; i < systems.size(); ++i) {
      rows.push_back(score_json(scores[i].scored));
      rows.back()["system"] = systems[i].name;
      if (i == 0) continue;
      rows.back()["difference"] = scores[i].test.difference;
      rows.back()["p_value"] = scores[i].test.p_value;
    }
  }

  // chrF tells more of a single sentence than BLEU does.
  const Chrf chrf(arguments.metrics.chrf);
  const CorpusCounts first = score_corpus(chrf, systems[0].lines, references).counts;
  const CorpusCounts second = score_corpus(chrf, systems[1].lines, references).counts;
  json["sentences"] = nlohmann::ordered_json::array();
  for (const int64_t sentence : most_different(first, second, arguments.examples)) {
    const auto line = static_cast<size_t>(sentence);
    out += fmt::format("line {}: {} {:.1f} against {:.1f}\n", sentence + 1, chrf.name(),
                       sentence_score(first, sentence), sentence_score(second, sentence));
    nlohmann::ordered_json shown{{"line", sentence + 1}};
    for (const ScoredText& text : texts) {
      out += fmt::format("  {}: {}\n", text.name, text.lines[line]);
      shown["texts"].push_back({{"file", text.name}, {"text", text.lines[line]}});
    }
    shown["first"] = sentence_score(first, sentence);
    shown["second"] = sentence_score(second, sentence);
    json["sentences"].push_back(std::move(shown));
  }
  write_to_stdout(arguments.json ? json.dump(2) + "\n" : out);
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
                   "Sentences to show, those that differ most between the first two systems")
      ->type_name("N")
      ->default_str("5");
  command->add_flag("--json", arguments->json, "Print all figures as JSON");
  add_bootstrap_options(*command, arguments->bootstrap);
  add_metric_options(*command, arguments->metrics);
  command->footer(
      "Paired bootstrap (Koehn 2004): a p-value below 0.05, marked with a star, says that such a\n"
      "difference is seldom chance.\n"
      "\n"
      "Example:\n"
      "  calque compare old.de new.de --reference test.de --source test.en");
  command->callback([arguments] { compare(*arguments); });
}

}  // namespace calque
