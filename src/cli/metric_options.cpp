#include "cli/metric_options.h"

#include <algorithm>

#include "base/error.h"
#include "cli/common_options.h"

namespace calque {
namespace {

constexpr Choice<WordTokenizer> kTokenizers[] = {{"13a", WordTokenizer::k13a},
                                                 {"intl", WordTokenizer::kIntl},
                                                 {"zh", WordTokenizer::kZh},
                                                 {"char", WordTokenizer::kChar},
                                                 {"none", WordTokenizer::kNone}};
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
  options.lower_case = arguments.bleu.lower_case;
  return std::make_unique<Chrf>(options);
}

constexpr KnownMetric kMetrics[] = {
    {"bleu",
     [](const MetricArguments& a) -> std::unique_ptr<Metric> {
       return std::make_unique<Bleu>(a.bleu);
     }},
    {"chrf", &make_chrf<0>},
    {"chrf++", &make_chrf<2>},
    {"ter",
     [](const MetricArguments& a) -> std::unique_ptr<Metric> {
       return std::make_unique<Ter>(a.ter);
     }},
};

void check_names(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const bool known = std::ranges::any_of(
        kMetrics, [&](const KnownMetric& metric) { return metric.name == name; });
    if (known) continue;
    throw UserError(
        fmt::format("--metric: expected one of bleu, chrf, chrf++, ter, found {}", name));
  }
}

}  // namespace

void add_bleu_options(CLI::App& command, MetricArguments& arguments) {
  add_value_option(command, "--tokenize", arguments.bleu.tokenizer,
                   OneOf<WordTokenizer>(kTokenizers),
                   "BLEU: how words are found: 13a for ordinary text, intl the same with all of "
                   "Unicode's punctuation, zh for Chinese, char for languages without spaces, none "
                   "for text whose words are already set apart by spaces")
      ->type_name("NAME")
      ->default_str("13a");
  add_value_option(command, "--smooth", arguments.bleu.smoothing, OneOf<Smoothing>(kSmoothings),
                   "BLEU: what n-grams without a match count: exp, floor, add-k or none")
      ->type_name("NAME")
      ->default_str("exp");
  add_value_option(command, "--smooth-value", arguments.bleu.smoothing_value, Number::at_least(0),
                   "BLEU: of floor (default: 0.1) and add-k (default: 1)")
      ->type_name("X");
  command.add_flag("--effective-order", arguments.bleu.effective_order,
                   "BLEU: leave out n-grams longer than any sentence; for single sentences");
  command.add_flag("--lowercase", arguments.bleu.lower_case, "BLEU and chrF: case does not count");
}

void add_metric_options(CLI::App& command, MetricArguments& arguments) {
  command
      .add_option("--metric", arguments.names,
                  "bleu, chrf, chrf++ or ter; may be given several times (default: all)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  add_bleu_options(command, arguments);
  command.add_flag("--chrf-white-space", arguments.chrf.white_space,
                   "chrF: white space counts as a character");
  command.add_flag("--ter-case-sensitive", arguments.ter.case_sensitive, "TER: case counts");
  command.add_flag("--ter-normalized", arguments.ter.normalized,
                   "TER: punctuation marks are words of their own");
  command.add_flag("--ter-no-punctuation", arguments.ter.no_punctuation,
                   "TER: punctuation does not count");
}

std::vector<std::unique_ptr<Metric>> make_metrics(const MetricArguments& arguments) {
  check_names(arguments.names);
  std::vector<std::unique_ptr<Metric>> metrics;
  for (const KnownMetric& metric : kMetrics) {
    if (arguments.names.empty() || std::ranges::count(arguments.names, metric.name) > 0) {
      metrics.push_back(metric.make(arguments));
    }
  }
  return metrics;
}

void add_bootstrap_options(CLI::App& command, BootstrapOptions& options) {
  constexpr int64_t kMostSamples = 1'000'000;
  add_value_option(command, "--samples", options.samples, Integer(1, kMostSamples),
                   "Corpora to draw")
      ->type_name("N")
      ->default_str("1000");
  add_value_option(command, "--seed", options.seed, Integer(0), "Of the drawing")
      ->type_name("N")
      ->default_str("12345");
}

}  // namespace calque
