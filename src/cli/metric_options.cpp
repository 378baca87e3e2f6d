#include "cli/metric_options.h"

#include <algorithm>

#include "base/error.h"
#include "cli/common_options.h"
#include "config/visit.h"
#include "metrics/characters.h"
#include "metrics/ngrams.h"

namespace calque {
namespace {

constexpr Choice<Smoothing> kSmoothings[] = {{"exp", Smoothing::kExp},
                                             {"floor", Smoothing::kFloor},
                                             {"add-k", Smoothing::kAddK},
                                             {"none", Smoothing::kNone}};

struct KnownMetric {
  const char* name;
  std::unique_ptr<Metric> (*make)(const MetricArguments&);
};

template <int kWordOrder>
std::unique_ptr<Metric> make_chrf(const MetricArguments& arguments) {
  ChrfOptions options = arguments.chrf;
  options.word_order = kWordOrder;
  options.lower_case = arguments.lower_case;
  return std::make_unique<Chrf>(options);
}

std::unique_ptr<Metric> make_bleu(const MetricArguments& arguments) {
  BleuOptions options = arguments.bleu;
  options.lower_case = arguments.lower_case;
  const bool has_value =
      options.smoothing == Smoothing::kFloor || options.smoothing == Smoothing::kAddK;
  if (options.smoothing_value && !has_value) {
    throw UserError(fmt::format("--smooth-value: expected --smooth floor or add-k, found {}",
                                smoothing_name(options.smoothing)));
  }
  return std::make_unique<Bleu>(options);
}

std::unique_ptr<Metric> make_ter(const MetricArguments& arguments) {
  return std::make_unique<Ter>(arguments.ter);
}

constexpr KnownMetric kMetrics[] = {
    {"bleu", &make_bleu}, {"chrf", &make_chrf<0>}, {"chrf++", &make_chrf<2>}, {"ter", &make_ter}};

std::string expected_metric() {
  std::vector<std::string> names;
  for (const KnownMetric& metric : kMetrics) names.emplace_back(metric.name);
  return expected_one_of(names);
}

const KnownMetric* find_metric(const std::string& name) {
  const auto* const found =
      std::ranges::find(kMetrics, lower_case(name), [](const auto& metric) { return metric.name; });
  return found == std::end(kMetrics) ? nullptr : found;
}

const KnownMetric& known_metric(const std::string& name) {
  const KnownMetric* const found = find_metric(name);
  if (found != nullptr) return *found;
  throw UserError(fmt::format("--metric: expected {}, found {}", expected_metric(), name));
}

void add_lower_case_option(CLI::App& command, MetricArguments& arguments, const char* help) {
  command.add_flag("--lowercase", arguments.lower_case, help);
}

void add_settings_of_bleu(CLI::App& command, BleuOptions& bleu) {
  add_value_option(command, "--tokenize", bleu.tokenizer, OneOf<WordTokenizer>(kWordTokenizers),
                   "BLEU: how words are found: 13a for ordinary text, intl the same with all of "
                   "Unicode's punctuation, zh for Chinese, char for languages without spaces, none "
                   "for text whose words are already set apart by spaces")
      ->type_name("NAME")
      ->default_str("13a");
  add_value_option(command, "--smooth", bleu.smoothing, OneOf<Smoothing>(kSmoothings),
                   "BLEU: what n-grams without a match count: exp, floor, add-k or none")
      ->type_name("NAME")
      ->default_str("exp");
  add_value_option(command, "--smooth-value", bleu.smoothing_value, Number::at_least(0),
                   "BLEU: of floor (default: 0.1) and add-k (default: 1)")
      ->type_name("X");
  command.add_flag("--effective-order", bleu.effective_order,
                   "BLEU: leave out n-grams longer than any sentence; for single sentences");
}

}  // namespace

void add_bleu_options(CLI::App& command, MetricArguments& arguments) {
  add_settings_of_bleu(command, arguments.bleu);
  add_lower_case_option(command, arguments, "Case does not count");
}

void add_metric_options(CLI::App& command, MetricArguments& arguments) {
  command
      .add_option("--metric", arguments.names,
                  expected_metric() +
                      ", in any case; given several times, or with commas between (default: all)")
      ->type_name("NAME")
      ->delimiter(',')
      ->allow_extra_args(false);
  add_settings_of_bleu(command, arguments.bleu);
  add_lower_case_option(command, arguments, "BLEU and chrF: case does not count");
  add_value_option(command, "--chrf-char-order", arguments.chrf.character_order,
                   Integer(1, kLongestNGram), "chrF: the longest n-gram of characters")
      ->type_name("N")
      ->default_str("6");
  add_value_option(command, "--chrf-beta", arguments.chrf.beta, Integer(0, 1000),
                   "chrF: how much more recall counts than precision")
      ->type_name("N")
      ->default_str("2");
  command.add_flag("--chrf-white-space", arguments.chrf.white_space,
                   "chrF: white space counts as a character");
  command.add_flag("--ter-case-sensitive", arguments.ter.case_sensitive, "TER: case counts");
  command.add_flag("--ter-normalized", arguments.ter.normalized,
                   "TER: punctuation marks are words of their own");
  command.add_flag("--ter-no-punctuation", arguments.ter.no_punctuation,
                   "TER: punctuation does not count");
}

std::vector<std::unique_ptr<Metric>> make_metrics(const MetricArguments& arguments) {
  for (const std::string& name : arguments.names) known_metric(name);
  std::vector<std::unique_ptr<Metric>> metrics;
  for (const KnownMetric& metric : kMetrics) {
    if (is_asked_for(metric.name, arguments)) metrics.push_back(metric.make(arguments));
  }
  return metrics;
}

std::unique_ptr<Metric> make_metric(const std::string& name, const MetricArguments& arguments) {
  return known_metric(name).make(arguments);
}

bool is_metric_name(const std::string& name) { return find_metric(name) != nullptr; }

bool is_asked_for(const std::string& name, const MetricArguments& arguments) {
  return arguments.names.empty() || std::ranges::count(arguments.names, name, &lower_case) > 0;
}

void add_confidence_options(CLI::App& command, ConfidenceArguments& arguments) {
  CLI::Option* const wanted = command.add_flag(
      "--confidence", arguments.wanted,
      "Add the mean and the 95 % interval over corpora drawn from this one (bootstrap)");
  for (CLI::Option* option : add_bootstrap_options(command, arguments.options)) {
    option->needs(wanted);
  }
}

std::vector<CLI::Option*> add_bootstrap_options(CLI::App& command, BootstrapOptions& options) {
  constexpr int64_t kMostSamples = 1'000'000;
  CLI::Option* const samples = add_value_option(command, "--samples", options.samples,
                                                Integer(1, kMostSamples), "Corpora to draw");
  CLI::Option* const seed =
      add_value_option(command, "--seed", options.seed, Integer(0), "Of the drawing");
  samples->type_name("N")->default_str("1000");
  seed->type_name("N")->default_str("12345");
  return {samples, seed};
}

}  // namespace calque
