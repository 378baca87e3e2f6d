#pragma once

#include <CLI/CLI.hpp>

namespace calque {

/// Exit codes of the program; 128 + signal number when it saved and was stopped by a signal.
enum ExitCode : int { kDone = 0, kOurMistake = 1, kUsersMistake = 2, kDiverged = 3 };

// One function a command, each in the file of its name: declares the sub-command with its options,
// and a callback that does the work. Results go to standard output; progress and log to standard
// error. A callback throws what goes wrong; `main` prints it and chooses the exit code.
void add_train_command(CLI::App& app);
void add_translate_command(CLI::App& app);
void add_score_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_attention_command(CLI::App& app);
void add_metrics_command(CLI::App& app);
void add_bleu_command(CLI::App& app);
void add_compare_command(CLI::App& app);
void add_robustness_command(CLI::App& app);
void add_vocab_command(CLI::App& app);
void add_check_data_command(CLI::App& app);
void add_average_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_inspect_command(CLI::App& app);
void add_bench_command(CLI::App& app);
void add_version_command(CLI::App& app);

}  // namespace calque
