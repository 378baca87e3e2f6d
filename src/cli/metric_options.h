#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "metrics/bleu.h"
#include "metrics/bootstrap.h"
#include "metrics/chrf.h"
#include "metrics/ter.h"

namespace calque {

/// What the commands that score are told about metrics.
struct MetricArguments {
  std::vector<std::string> names;  // as `--metric` has them; empty: all
  BleuOptions bleu;
  ChrfOptions chrf;
  TerOptions ter;
};

/// The settings of BLEU: `--tokenize`, `--smooth`, `--smooth-value`, `--effective-order`,
/// `--lowercase`. `arguments` must live as long as `command`.
void add_bleu_options(CLI::App& command, MetricArguments& arguments);

/// Those of all metrics, and `--metric`.
void add_metric_options(CLI::App& command, MetricArguments& arguments);

/// The metrics asked for, each once, in the order BLEU, chrF, chrF++, TER. Throws UserError for a
/// name that is none.
std::vector<std::unique_ptr<Metric>> make_metrics(const MetricArguments& arguments);

/// `--samples`, `--seed`.
void add_bootstrap_options(CLI::App& command, BootstrapOptions& options);

}  // namespace calque
