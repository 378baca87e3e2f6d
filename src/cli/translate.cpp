#include <unistd.h>

#include <memory>

#include "base/log.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/text_output.h"
#include "cli/translation.h"
#include "text/text_files.h"

namespace calque {
namespace {

/// Lines that are sorted by length and translated together.
constexpr size_t kChunkLines = 2000;

struct TranslateArguments {
  TranslationArguments translation;
  std::string input = "-";
  std::string output = "-";
  bool line_buffered = false;
};

/// The number of lines of a file; 0 for what cannot be read twice.
int64_t count_lines(const std::filesystem::path& path) {
  std::error_code none;
  const auto status = std::filesystem::status(path, none);
  const bool readable_once =
      path == "-" || (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status));
  if (readable_once) return 0;
  LineReader reader(path);
  for (std::string line; reader.next(line);) {
  }
  return reader.line_number();
}

/// Replaces `lines` by the next ones, at most `count`. False at the end of the input.
bool read_chunk(TextFiles& input, size_t count, std::vector<std::string>& lines) {
  lines.clear();
  for (std::string line; lines.size() < count && input.next(line);) lines.push_back(line);
  return !lines.empty();
}

void translate(const TranslateArguments& arguments) {
  check_is_no_input("--output", arguments.output, arguments.input);
  const int64_t total = count_lines(arguments.input);
  const bool typed = arguments.input == "-" && isatty(STDIN_FILENO) == 1;
  const bool by_line = typed || arguments.line_buffered;
  TextOutput output(arguments.output);
  TranslationSession session(arguments.translation);
  if (typed) log::info("type a line to have it translated; Ctrl-D ends");

  Progress progress("translating", total, "sentences");
  const auto on_progress = [&](int64_t lines) {
    if (!by_line) progress.update(lines);
  };
  TextFiles input({arguments.input});
  for (std::vector<std::string> lines; read_chunk(input, by_line ? 1 : kChunkLines, lines);) {
    for (const std::string& line : session.translate(lines, on_progress)) output.write_line(line);
    output.flush();
  }
  output.finish();
  clear_status_line();
  log::info("{}", session.speed());
}

}  // namespace

void add_translate_command(CLI::App& app) {
  auto arguments = std::make_shared<TranslateArguments>();
  CLI::App* command = app.add_subcommand("translate", "Translate text, line by line");
  command
      ->add_option("--input", arguments->input,
                   "Text to translate, plain or gzip, a sentence a line; - is standard input")
      ->type_name("FILE")
      ->capture_default_str();
  command
      ->add_option("--output", arguments->output, "Where the translations go; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_flag("--line-buffered", arguments->line_buffered,
                    "Translate each line as soon as it is read, which is slower; so it is done "
                    "anyway for lines typed at a terminal");
  add_translation_options(*command, arguments->translation);
  command->footer(
      "Every line in gives one line out, in the same order; an empty line gives an empty\n"
      "line. Text is UTF-8 as people write it: no tokenising before, none after.\n"
      "\n"
      "Examples:\n"
      "  echo 'A man sleeps.' | calque translate --model runs/demo\n"
      "  calque translate --model runs/demo --input test.en --output test.out\n"
      "  calque translate --model runs/demo --beam 1 < test.en > test.out   # fastest");
  command->callback([arguments] { translate(*arguments); });
}

}  // namespace calque
