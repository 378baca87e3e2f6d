// The parts of config/run_config.h that write keys: the effective config, the help, and the
// comparison of two configs.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "config/known_keys.h"
#include "config/run_config.h"
#include "config/visit.h"

namespace calque {
namespace {

/// How many of a key's blocks the key before stands in too, as the length of their names with dots.
size_t common_blocks(const std::string& before, const std::string& key) {
  size_t common = 0;
  for (size_t i = 0; i < key.size() && i < before.size() && key[i] == before[i]; ++i) {
    if (key[i] == '.') common = i + 1;
  }
  return common;
}

std::string at_resume_text(AtResume at_resume) {
  switch (at_resume) {
    case AtResume::kHarmless:
      return "may change";
    case AtResume::kWarn:
      return "may change, with a warning";
    case AtResume::kRefuse:
      return "must stay";
  }
  throw InternalError("at_resume_text: unknown value");
}

bool ends_with_training(const RunConfig& config) {
  const ScheduleKind schedule = config.train.optimizer.schedule;
  return schedule == ScheduleKind::kLinear || schedule == ScheduleKind::kCosine;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> written_values(const RunConfig& config) {
  std::vector<std::pair<std::string, std::string>> values;
  visit_fields(config, [&](const Field& field, const auto& value, const auto& kind) {
    values.emplace_back(field.key, kind.write(value));
  });
  return values;
}

std::string to_yaml(const RunConfig& config) {
  std::string yaml;
  std::string before;
  for (const auto& [key, text] : written_values(config)) {
    size_t begin = common_blocks(before, key);
    if (begin == 0 && key.find('.') != std::string::npos) yaml += '\n';
    size_t depth =
        static_cast<size_t>(std::count(key.begin(), key.begin() + static_cast<long>(begin), '.'));
    for (size_t dot = key.find('.', begin); dot != std::string::npos; dot = key.find('.', begin)) {
      yaml += fmt::format("{}{}:\n", std::string(2 * depth++, ' '), key.substr(begin, dot - begin));
      begin = dot + 1;
    }
    yaml += fmt::format("{}{}: {}\n", std::string(2 * depth, ' '), key.substr(begin), text);
    before = key;
  }
  return yaml;
}

std::string help_config() {
  std::string help =
      "The keys of a config. In the file (YAML) the dots are blocks: train.max_steps is max_steps\n"
      "inside the block train. --set KEY=VALUE replaces a value of the file, and takes the full "
      "key.\n"
      "An integer is written in digits (4000, neither 4e3 nor 4_000); paths are relative to the\n"
      "working directory. \"At resume\" says whether a value may differ from the one that a run "
      "was\n"
      "started with.\n";
  for (const KnownKey& known : known_keys()) {
    const std::string unit = known.unit.empty() ? "" : fmt::format(" ({})", known.unit);
    help +=
        fmt::format("\n{}\n    {}\n    {}{}; default {}; at resume: {}\n", known.key, known.help,
                    known.expected, unit, known.default_text, at_resume_text(known.at_resume));
  }
  return help;
}

std::vector<ConfigChange> compare_configs(const RunConfig& old_config,
                                          const RunConfig& new_config) {
  std::map<std::string, std::string> old_texts;
  for (const auto& [key, text] : written_values(old_config)) old_texts[key] = text;
  std::vector<ConfigChange> changes;
  visit_fields(new_config, [&](const Field& field, const auto& value, const auto& kind) {
    const std::string key = field.key;
    const std::string text = kind.write(value);
    if (text == old_texts[key] || key == "threads") return;
    AtResume severity = field.at_resume;
    if (key == "train.max_steps" &&
        (ends_with_training(old_config) || ends_with_training(new_config))) {
      severity = AtResume::kWarn;
    }
    changes.push_back({key, old_texts[key], text, severity});
  });
  return changes;
}

}  // namespace calque
