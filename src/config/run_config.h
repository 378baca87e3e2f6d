#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/data_options.h"
#include "model/options.h"
#include "text/vocabulary.h"
#include "train/options.h"

namespace calque {

/// All that a run is made of, as a YAML file says it. config/visit.h lists the keys.
struct RunConfig {
  std::string name;     // of the file, without ".yaml": the default run folder is runs/<name>
  uint64_t seed = 1;    // of all random numbers
  int64_t threads = 0;  // 0: all processors that the process may use
  DataOptions data;
  VocabularyOptions vocabulary;
  TransformerOptions model;
  TrainOptions train;
  ValidationOptions validation;
};

/// Reads a config file; each of `overrides`, "train.learning_rate=0.0007", then replaces one value.
/// Throws one UserError with all mistakes of file and overrides, each with its place
/// ("demo.yaml:12", "--set train.learning_rate"), full key, what was expected and what was found:
/// what is not YAML, unknown keys (with the nearest known one), keys given twice, missing keys,
/// values of the wrong type or out of range, and values that contradict each other.
RunConfig load_config(const std::filesystem::path& file,
                      const std::vector<std::string>& overrides = {});

/// The same from the text of a config; `file` names it in messages and gives `name`.
RunConfig parse_config(const std::string& text, const std::filesystem::path& file,
                       const std::vector<std::string>& overrides = {});

/// The effective config: every key, in the order of config/visit.h. Parses back to the same config.
std::string to_yaml(const RunConfig& config);

/// The same as pairs of full key and the value's text.
std::vector<std::pair<std::string, std::string>> written_values(const RunConfig& config);

/// Every key with its type, range, unit, default and meaning, and what a change means to a run that
/// is resumed: the text of `calque train --help-config`.
std::string help_config();

/// What a changed key means when a run is resumed.
enum class AtResume {
  kHarmless,  // the run goes on as the same run, only further or watched otherwise
  kWarn,      // allowed: the run goes on with other settings from here
  kRefuse,    // it would be another run
};

/// A key whose value differs between two configs; the texts are as in `to_yaml`.
struct ConfigChange {
  std::string key;
  std::string old_text;
  std::string new_text;
  AtResume severity;
};

/// The keys that differ, in the order of config/visit.h. `name` and `threads` are not compared.
/// Another train.max_steps is a warning where the schedule of the learning rate ends with it
/// (linear, cosine).
std::vector<ConfigChange> compare_configs(const RunConfig& old_config, const RunConfig& new_config);

}  // namespace calque
