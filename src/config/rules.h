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

/// A message for each setting of an attention that has no effect beside the others and is not the
/// default: no mistake, but mostly not what was meant.
std::vector<std::string> settings_without_effect(const TransformerOptions& model);

}  // namespace calque
