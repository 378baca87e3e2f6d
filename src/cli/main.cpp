#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/progress.h"
#include "base/stop_signal.h"
#include "cli/command.h"
#include "cli/help_formatter.h"
#include "cli/suggestion.h"
#include "cli/text_output.h"

namespace calque {
namespace {

void print_error(const std::string& message) {
  clear_status_line();
  print_line("calque: error: " + printable(message));
  log::write_to_file("error: " + message);
}

int report_our_mistake(const std::string& message) {
  print_error(message);
  print_line(
      "This should not happen: it is a fault of Calque, not of yours. Please report it with the\n"
      "command that you gave and the output of `calque version`.");
  return kOurMistake;
}

void add_commands(CLI::App& app) {
  add_train_command(app);
  add_translate_command(app);
  add_score_command(app);
  add_evaluate_command(app);
  add_attention_command(app);
  add_metrics_command(app);
  add_bleu_command(app);
  add_compare_command(app);
  add_robustness_command(app);
  add_vocab_command(app);
  add_check_data_command(app);
  add_average_command(app);
  add_export_command(app);
  add_inspect_command(app);
  add_bench_command(app);
  add_version_command(app);
  for (CLI::App* command : app.get_subcommands(nullptr)) command->group("Commands");
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

/// The innermost command on the command line; `app` itself when there is none.
const CLI::App& command_given(const CLI::App& app) {
  const std::vector<CLI::App*> commands = app.get_subcommands();
  return commands.empty() ? app : command_given(*commands.front());
}

/// "calque bench train".
std::string full_name(const CLI::App& command) {
  const CLI::App* const parent = command.get_parent();
  return (parent == nullptr ? "" : full_name(*parent) + " ") + command.get_name();
}

/// What the parser says, in our words where its own are none.
std::string in_our_words(const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::string option = text.substr(0, text.find(':'));
  if (text.find("At Most 1 required") != std::string::npos) return option + " is given twice";
  if (text.find("required") != std::string::npos && text.ends_with("missing")) {
    return option + ": expected a value behind it, found nothing";
  }
  return text;
}

/// What is wrong with the command line, and what was probably meant.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = command_given(app);
  const bool takes_command = !command.get_subcommands(nullptr).empty();
  const std::string help = full_name(command);
  const std::vector<std::string> unknown = command.remaining();
  if (unknown.empty()) {
    return fmt::format("{}\n`{} --help` explains it", in_our_words(error), help);
  }
  const std::string& word = unknown.front();
  const bool is_option = word.starts_with('-');
  std::vector<std::string> names = command_names(command);  // also for an option: --version
  if (is_option) {
    for (const std::string& name : option_names(command)) names.push_back(name);
  }
  const std::string meant = nearest_name(word.substr(0, word.find('=')), names);
  return fmt::format("unknown {} {}{}\n`{} --help` lists what there is",
                     is_option ? "option" : (takes_command ? "command" : "argument"), word,
                     meant.empty() ? "" : fmt::format("; do you mean {}?", meant), help);
}

/// Gives a standard stream that came closed a descriptor that cannot be used: else the next file
/// that is opened would take its number, and be read or written in its place.
void occupy_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) != -1) continue;
    open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // the lowest number is free
  }
}

int run(int argc, char** argv) {
  CLI::App app("Calque trains Transformers for translation on CPUs, and translates with them.",
               "calque");
  app.formatter(std::make_shared<HelpFormatter>());
  app.require_subcommand(0, 1);
  app.footer(
      "`calque COMMAND --help` explains a command and gives examples.\n"
      "\n"
      "A first model, from the corpus that comes along:\n"
      "  calque train configs/demo.yaml\n"
      "  echo 'The old man reads a book.' | calque translate --model runs/demo\n"
      "\n"
      "Exit codes: 0 done, 1 a fault of Calque, 2 a mistake in what it was given,\n"
      "3 training diverged, 128 + n stopped by signal n.");
  add_commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    write_to_stdout(app.help());
    return kDone;
  } catch (const CLI::ParseError& error) {
    print_error(explain(app, error));
    return kUsersMistake;
  }
  if (app.get_subcommands().empty()) write_to_stdout(app.help());
  return kDone;
}

}  // namespace
}  // namespace calque

int main(int argc, char** argv) {
  using namespace calque;
  std::signal(SIGXFSZ, SIG_IGN);  // a file grown beyond its limit is an error of write(2), then
  occupy_closed_streams();
  try {
    return run(argc, argv);
  } catch (const UserError& error) {
    print_error(error.what());
    return kUsersMistake;
  } catch (const DivergedError& error) {
    print_error(error.what());
    return kDiverged;
  } catch (const StoppedBySignal& stop) {
    clear_status_line();
    return 128 + stop.signal;
  } catch (const std::bad_alloc&) {
    return report_our_mistake("the memory of this machine, or of this process, is used up");
  } catch (const std::exception& error) {
    return report_our_mistake(error.what());
  }
}
