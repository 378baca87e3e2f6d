#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
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
  bool lower_case = false;         // for BLEU and chrF
  BleuOptions bleu;
  ChrfOptions chrf;
  TerOptions ter;
};

// `arguments` must live as long as `command`.

/// The settings of BLEU: `--tokenize`, `--smooth`, `--smooth-value`, `--effective-order`,
/// `--lowercase`.
void add_bleu_options(CLI::App& command, MetricArguments& arguments);

/// Those of all metrics, and `--metric`.
void add_metric_options(CLI::App& command, MetricArguments& arguments);

/// The metrics asked for, each once, in the order BLEU, chrF, chrF++, TER. Throws UserError for a
/// name that is none, and for settings that do not go together.
std::vector<std::unique_ptr<Metric>> make_metrics(const MetricArguments& arguments);

/// One metric with the settings given, whether asked for or not.
std::unique_ptr<Metric> make_metric(const std::string& name, const MetricArguments& arguments);

/// Whether `name`, in any case, is a metric's.
bool is_metric_name(const std::string& name);

/// Whether the metric of that name is among those asked for.
bool is_asked_for(const std::string& name, const MetricArguments& arguments);

/// Whether confidence is wanted, and how it is found.
struct ConfidenceArguments {
  bool wanted = false;
  BootstrapOptions options;

  std::optional<BootstrapOptions> bootstrap() const {
    return wanted ? std::optional(options) : std::nullopt;
  }
};

/// `--confidence`, and for it `--samples`, `--seed`.
void add_confidence_options(CLI::App& command, ConfidenceArguments& arguments);

/// `--samples`, `--seed`. Returns these options.
std::vector<CLI::Option*> add_bootstrap_options(CLI::App& command, BootstrapOptions& options);

}  // namespace calque
