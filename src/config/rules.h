#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/mistakes.h"
#include "config/run_config.h"

namespace calque {

/// Adds to `mistakes` what the values of different keys contradict, and the keys that are missing.
/// `given` holds the place of each key that was given, `file` the name of the config. A rule is
/// left out when one of its keys has a mistake of its own.
void check_rules(const RunConfig& config, const std::map<std::string, Place>& given,
                 const std::string& file, Mistakes& mistakes);

/// A setting of an attention that is not the default, and has no effect beside the others.
struct IdleSetting {
  std::string key;
  std::string value;
  std::string wanted;  // the settings that would give it an effect

  bool operator==(const IdleSetting&) const = default;
};

/// No mistakes, but mostly not what was meant.
std::vector<IdleSetting> settings_without_effect(const TransformerOptions& model);

}  // namespace calque
