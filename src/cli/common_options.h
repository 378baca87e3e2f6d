#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "config/value_kinds.h"

namespace calque {

// Options that several commands have. What a reference is passed for must live as long as
// `command`.

/// Values of a kind with commas between them: 2,1,1.
template <class Kind>
class CommaList {
 public:
  explicit constexpr CommaList(const Kind& kind) : kind_(kind) {}

  std::string expected() const {
    return fmt::format("{}, or several with commas between them", kind_.expected());
  }

  auto read(const YamlEntry& entry) const {
    using Value = typename decltype(kind_.read(entry))::value_type;
    std::optional<std::vector<Value>> values(std::in_place);
    YamlEntry item = entry;
    const std::string& text = entry.texts.front();
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size());
      item.texts = {text.substr(begin, end - begin)};
      const std::optional<Value> value = kind_.read(item);
      if (!value) return std::optional<std::vector<Value>>();
      values->push_back(*value);
      begin = end + 1;
    }
    return values;
  }

 private:
  Kind kind_;
};

/// An option whose value is one of a kind that the config knows too (config/value_kinds.h). Where
/// it is not given, `value` stays as it is. Any other value throws UserError while the command line
/// is read: "--beam: expected an integer from 1 to 1000, found 0".
template <class Kind, class Value>
CLI::Option* add_value_option(CLI::App& command, const std::string& name, Value& value,
                              const Kind& kind, std::string help) {
  const auto read = [name, &value, kind](const std::string& text) {
    using Kinds = YamlEntry::Kind;
    const YamlEntry entry{
        name, Place{name}, text.empty() ? Kinds::kNothing : Kinds::kPlain, {text}};
    const auto found = kind.read(entry);
    if (!found) {
      throw UserError(fmt::format("{}: {}", name, unfit_message(kind, entry)));
    }
    value = *found;
  };
  return command.add_option_function<std::string>(name, read, std::move(help));
}

/// `--threads N`. `threads` stays 0 where it is not given. `effect`: what depends on it.
void add_threads_option(CLI::App& command, int64_t& threads,
                        const std::string& effect = "The results do not depend on it");

/// Computes with so many threads from now on; 0: with all processors that the process may use. More
/// than these are a warning.
void use_threads(int64_t threads);

/// `--quiet`: silences progress and information on standard error, from the moment it is read.
void add_quiet_option(CLI::App& command);

/// `--set KEY=VALUE`, as often as wanted: what config/run_config.h calls overrides.
void add_set_option(CLI::App& command, std::vector<std::string>& overrides);

}  // namespace calque
