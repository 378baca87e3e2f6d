#include "config/run_config.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "config/known_keys.h"
#include "config/mistakes.h"
#include "config/rules.h"
#include "config/visit.h"
#include "config/yaml_reader.h"

namespace calque {
namespace {

using Kind = YamlEntry::Kind;

std::string join(const std::vector<std::string>& texts, const std::string& between) {
  std::string joined;
  for (size_t i = 0; i < texts.size(); ++i) joined += (i > 0 ? between : "") + texts[i];
  return joined;
}

std::string unknown_key_message(const std::string& key) {
  if (key == "train.window_batches") {
    return "there is no such key any more: batches are not sorted by length; leave it out";
  }
  const std::vector<std::string> nearest = nearest_keys(key);
  if (!nearest.empty()) return fmt::format("unknown key; did you mean {}?", join(nearest, " or "));
  const std::string block = key.substr(0, key.rfind('.'));
  if (is_block(block)) {
    return fmt::format("unknown key; {} has {}", block, join(keys_of_block(block), ", "));
  }
  if (block != key) {
    std::vector<std::string> blocks = nearest_keys(block);
    std::erase_if(blocks, [](const std::string& name) { return !is_block(name); });
    if (!blocks.empty()) {
      return fmt::format("unknown key; did you mean a key of {}?", join(blocks, " or "));
    }
  }
  return "unknown key; `calque train --help-config` lists all keys";
}

/// Whether `key` stands inside one of `blocks`.
bool is_inside(const std::string& key, const std::vector<std::string>& blocks) {
  return std::any_of(blocks.begin(), blocks.end(), [&](const std::string& block) {
    return key.size() > block.size() && key[block.size()] == '.' &&
           key.compare(0, block.size(), block) == 0;
  });
}

/// Adds a mistake for each key that is unknown, and for each block that is none. The keys inside
/// such a block are not looked at.
void check_keys(const std::vector<YamlEntry>& entries, Mistakes& mistakes) {
  std::vector<std::string> wrong_blocks;
  for (const YamlEntry& entry : entries) {
    if (is_inside(entry.key, wrong_blocks)) continue;
    const bool has_keys = entry.kind == Kind::kBlock;
    if (is_known_key(entry.key)) {
      if (has_keys) wrong_blocks.push_back(entry.key);  // the reader of the value complains
    } else if (!is_block(entry.key)) {
      mistakes.add(entry.place, entry.key, unknown_key_message(entry.key));
      if (has_keys) wrong_blocks.push_back(entry.key);
    } else if (!has_keys && entry.kind != Kind::kNothing) {
      mistakes.add(entry.place, entry.key,
                   fmt::format("expected a block with keys of {}, found {}",
                               join(keys_of_block(entry.key), ", "), entry.found()));
    }
  }
}

/// Reads the entries into `config`, and their places into `given`.
void read_values(const std::vector<YamlEntry>& entries, RunConfig& config,
                 std::map<std::string, Place>& given, Mistakes& mistakes) {
  std::map<std::string, const YamlEntry*> by_key;
  for (const YamlEntry& entry : entries) by_key[entry.key] = &entry;
  visit_fields(config, [&](const Field& field, auto& member, const auto& kind) {
    const auto found = by_key.find(field.key);
    if (found == by_key.end()) return;
    const YamlEntry& entry = *found->second;
    given[field.key] = entry.place;
    if (const auto value = kind.read(entry)) {
      member = *value;
    } else {
      mistakes.add(entry.place, field.key, unfit_message(kind, entry));
    }
  });
}

/// The entries of `--set KEY=VALUE` options; the value is YAML, so that lists and quotes work.
std::vector<YamlEntry> read_overrides(const std::vector<std::string>& overrides,
                                      Mistakes& mistakes) {
  std::vector<YamlEntry> entries;
  for (const std::string& text : overrides) {
    const size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    const Place place{"--set " + key, 0, true};
    if (equals == std::string::npos || key.empty()) {
      const std::string option = fmt::format("--set {}", text.empty() ? "\"\"" : text);
      mistakes.add({option, 0, true}, "", "expected KEY=VALUE, as in --set train.max_steps=2000");
      continue;
    }
    if (!is_known_key(key)) {
      mistakes.add(place, "",
                   is_block(key) ? "expected the full key of one value, found a block"
                                 : unknown_key_message(key));
      continue;
    }
    const auto is_same = [&](const YamlEntry& entry) { return entry.key == key; };
    if (std::any_of(entries.begin(), entries.end(), is_same)) {
      mistakes.add(place, "", "given twice");
      continue;
    }
    if (text.size() == equals + 1) {
      entries.push_back({key, place, Kind::kQuoted, {""}});
      continue;
    }
    const auto read = read_yaml(key + ": " + text.substr(equals + 1), place, mistakes);
    entries.insert(entries.end(), read.begin(), read.end());
  }
  return entries;
}

}  // namespace

RunConfig load_config(const std::filesystem::path& file,
                      const std::vector<std::string>& overrides) {
  return parse_config(read_file(file), file, overrides);
}

RunConfig parse_config(const std::string& text, const std::filesystem::path& file,
                       const std::vector<std::string>& overrides) {
  RunConfig config;
  config.name = file.stem().string();
  Mistakes mistakes;
  const std::vector<YamlEntry> entries = read_yaml(text, Place{file.string()}, mistakes);
  if (entries.empty() && mistakes.empty()) {
    mistakes.add(
        {file.string()}, "",
        "no config in this file; expected data.train.source and data.train.target at least");
  }
  if (entries.empty()) mistakes.throw_if_any(file.string());
  const std::vector<YamlEntry> replaced = read_overrides(overrides, mistakes);
  std::map<std::string, Place> given;
  check_keys(entries, mistakes);
  read_values(entries, config, given, mistakes);
  check_keys(replaced, mistakes);
  read_values(replaced, config, given, mistakes);
  check_rules(config, given, file.string(), mistakes);
  mistakes.throw_if_any(file.string());
  return config;
}

}  // namespace calque
