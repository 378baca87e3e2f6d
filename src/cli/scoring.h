#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/metric_options.h"
#include "metrics/bootstrap.h"
#include "metrics/metric.h"

namespace calque {

/// Text files that go together line by line, for a metric.
struct ScoredText {
  std::string name;  // for messages
  std::vector<std::string> lines;
};

/// All lines of files (plain or gzip; "-" is standard input), which go together line by line.
/// Throws UserError when one cannot be read, is not UTF-8, or is standard input a second time; when
/// they have unequal numbers of lines, naming two that differ; and when they have none. A file that
/// is not there but has a metric's name brings a hint at `--metric`.
std::vector<ScoredText> read_scored_texts(const std::vector<std::string>& paths);

/// Translations scored by one metric.
struct ScoredCorpus {
  CorpusCounts counts;
  int references;                         // of each sentence
  std::optional<BootstrapOptions> drawn;  // how `confidence` was found
  std::vector<double> samples;            // scores of the corpora drawn
  std::optional<Confidence> confidence;

  std::string signature() const;
};

/// Counts `hypotheses` against `references`, which have as many lines each, all without the white
/// space at their ends, as sacreBLEU's command reads them; with `bootstrap` finds the confidence
/// too. Keeps a reference to `metric`.
ScoredCorpus score_corpus(const Metric& metric, const std::vector<std::string>& hypotheses,
                          std::span<const ScoredText> references,
                          const std::optional<BootstrapOptions>& bootstrap = {});

/// The same by each of `metrics`.
std::vector<ScoredCorpus> score_all(const std::vector<std::unique_ptr<Metric>>& metrics,
                                    const std::vector<std::string>& hypotheses,
                                    std::span<const ScoredText> references,
                                    const std::optional<BootstrapOptions>& bootstrap);

/// Each score and its signature, on a line of its own.
std::string score_report(std::span<const ScoredCorpus> scores);

/// An object for each score: "name", "score", "signature", "sentences", the metric's figures, and
/// where there is a confidence "confidence_mean" and "confidence_half_width".
nlohmann::ordered_json score_json(std::span<const ScoredCorpus> scores);

/// What `score_json` has besides name and signature, into `json`.
void add_figures(nlohmann::ordered_json& json, const ScoredCorpus& scored);

/// Where BLEU is asked for, warns of each text that looks as if its words were found already, or as
/// if it had none that the tokeniser could find.
void warn_of_tokenizer(const MetricArguments& arguments, std::span<const ScoredText> texts);

}  // namespace calque
