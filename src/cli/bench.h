#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/run_config.h"

namespace calque {

// The commands below `calque bench`, each in the file of its name.
void add_bench_train_command(CLI::App& bench);
void add_bench_translate_command(CLI::App& bench);
void add_bench_gemm_command(CLI::App& bench);
void add_bench_kernels_command(CLI::App& bench);

/// What `--threads` means to a benchmark.
inline constexpr const char* kThreadsEffect = "The ceilings are measured with as many";

/// `--json`: one object on standard output in the place of text.
void add_json_option(CLI::App& command, bool& json);

/// What figures depend on besides the command: processor, engine in use, instruction set, threads.
std::string machine_text();
nlohmann::json machine_json();

/// `CONFIG`, where it may be missing: what sizes are taken from.
void add_sizes_option(CLI::App& command, std::string& config_file);

/// The config to take sizes from: that of the file, or the defaults without one (the base
/// Transformer).
RunConfig sizes_from(const std::string& config_file);

/// "12.34": GFLOP/s or GB/s of a rate per second; "" for 0.
std::string in_billions(double per_second);

}  // namespace calque
