#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/bootstrap.h"
#include "metrics/metric.h"
#include "metrics/tokenizers.h"

namespace calque {

/// Text files that go together line by line, for a metric.
struct ScoredText {
  std::string name;  // for messages
  std::vector<std::string> lines;
};

/// All lines of files (plain or gzip; "-" is standard input), which go together line by line.
/// Throws UserError when one cannot be read, is not UTF-8, or is standard input a second time; when
/// they have unequal numbers of lines, naming two that differ; and when they have none.
std::vector<ScoredText> read_scored_texts(const std::vector<std::string>& paths);

/// Translations scored by one metric.
struct ScoredCorpus {
  CorpusCounts counts;
  int references;                         // of each sentence
  std::optional<BootstrapOptions> drawn;  // how `confidence` was found
  std::optional<Confidence> confidence;

  std::string signature() const;
};

/// Counts `hypotheses` against `references`, which have as many lines each; with `bootstrap` finds
/// the confidence too.
ScoredCorpus score_corpus(const Metric& metric, const std::vector<std::string>& hypotheses,
                          std::span<const ScoredText> references,
                          const std::optional<BootstrapOptions>& bootstrap = {});

/// The score and its signature, each on a line of its own.
std::string score_report(const ScoredCorpus& scored);

/// The same as JSON: "name", "score", "signature", "confidence_mean", "confidence_half_width".
nlohmann::ordered_json score_json(const ScoredCorpus& scored);

/// Warns when text looks as if its words were found already, or as if it had none that the
/// tokeniser could find.
void warn_of_tokenizer(WordTokenizer tokenizer, const ScoredText& hypothesis,
                       const ScoredText& reference);

}  // namespace calque
