#pragma once

#include <string>
#include <vector>

#include "config/run_config.h"

namespace calque {

/// A key of a config in words.
struct KnownKey {
  std::string key;
  std::string expected;  // type and range: "an integer, 1 or more"
  std::string unit;      // "" where there is none
  std::string default_text;
  std::string help;
  AtResume at_resume;
};

/// All keys, in the order of config/visit.h.
const std::vector<KnownKey>& known_keys();

bool is_known_key(const std::string& key);
/// Whether `name` is a block, as `model` and `model.encoder` are.
bool is_block(const std::string& name);
/// The keys directly inside a block: "layers".
std::vector<std::string> keys_of_block(const std::string& name);

/// The known keys and blocks that a name which is neither may stand for: those with the same last
/// part elsewhere, else those few letters away (Levenshtein) or abbreviated; none when nothing is
/// near.
std::vector<std::string> nearest_keys(const std::string& key);

}  // namespace calque
