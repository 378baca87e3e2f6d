#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace calque {

// Options that several commands have. What a reference is passed for must live as long as
// `command`.

/// `--threads N`. `threads` stays 0 where it is not given. `effect`: what depends on it.
void add_threads_option(CLI::App& command, int64_t& threads,
                        const std::string& effect = "The results do not depend on it");

/// `--quiet`: silences progress and information on standard error, from the moment it is read.
void add_quiet_option(CLI::App& command);

/// `--set KEY=VALUE`, as often as wanted: what config/run_config.h calls overrides.
void add_set_option(CLI::App& command, std::vector<std::string>& overrides);

}  // namespace calque
