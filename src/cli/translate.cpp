#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "base/log.h"
#include "base/progress.h"
#include "base/stop_signal.h"
#include "cli/command.h"
#include "cli/text_output.h"
#include "cli/translation.h"
#include "cli/translation_format.h"
#include "text/text_files.h"

namespace calque {
namespace {

struct TranslateArguments {
  TranslationArguments translation;
  TranslationFormat format;
  std::string input = "-";
  std::string output = "-";
  std::string prefix;
  bool line_buffered = false;
};

/// The number of lines of a file; none for what cannot be read twice.
std::optional<int64_t> count_lines(const std::filesystem::path& path) {
  std::error_code none;
  const auto status = std::filesystem::status(path, none);
  const bool readable_once =
      path == "-" || (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status));
  if (readable_once) return std::nullopt;
  LineReader reader(path);
  for (std::string line; reader.next(line);) {
    if (reader.line_number() % kLinesPerUpdate == 0) throw_if_stopped();
  }
  return reader.line_number();
}

/// The prefixes of the lines of a chunk: as many, and none behind the last line of the text.
class PrefixFile {
 public:
  /// `text_lines`: of the text, where it could be counted. Throws UserError where they can be
  /// compared and differ, before anything is translated.
  PrefixFile(const std::string& path, std::optional<int64_t> text_lines) : path_(path) {
    if (path.empty()) return;
    const std::optional<int64_t> lines = text_lines ? count_lines(path) : std::nullopt;
    if (lines && *lines != *text_lines) throw_unequal(*lines < *text_lines ? "fewer" : "more");
    file_.emplace(std::vector{path});
  }

  /// Those of the next `count` lines; none where there is no file.
  std::span<const std::string> next(size_t count) {
    if (!file_) return {};
    if (!next_lines(*file_, count, lines_) || lines_.size() < count) throw_unequal("fewer");
    return lines_;
  }

  void check_end() {
    if (file_ && next_lines(*file_, 1, lines_)) throw_unequal("more");
  }

 private:
  [[noreturn]] void throw_unequal(const char* how) const {
    throw UserError(fmt::format(
        "--prefix {} has {} lines than the text: it must have one for each, an empty one where "
        "nothing is forced",
        path_, how));
  }

  std::string path_;
  std::optional<TextFiles> file_;
  std::vector<std::string> lines_;
};

void check_options(const TranslateArguments& arguments) {
  check_format(arguments.format);
  check_is_no_input("--output", arguments.output, arguments.input);
  if (!arguments.prefix.empty()) {
    check_is_no_input("--output", arguments.output, arguments.prefix);
    if (arguments.prefix == "-" && arguments.input == "-") {
      throw UserError(
          "--prefix and --input cannot both be standard input (-); name a file for one");
    }
  }
  if (arguments.translation.sampling.on && arguments.translation.beam) {
    throw UserError("--beam is for the search, which --sample replaces; leave out one of them");
  }
}

/// What only the model tells.
void check_with_model(const TranslationFormat& format, const TranslationSession& session) {
  if (format.most() > session.options().beam) {
    throw UserError(
        fmt::format("--n-best {0}: a search of beam {1} finds {1} translations; give "
                    "--beam {0} too",
                    format.most(), session.options().beam));
  }
  check_alignment(format.alignment_options, session.first_model().model->options());
}

void translate(TranslateArguments arguments) {
  const TranslationFormat& format = arguments.format;
  check_options(arguments);
  arguments.translation.samples = format.most();
  const StopSignal stop;
  const std::optional<int64_t> total = count_lines(arguments.input);
  PrefixFile prefixes(arguments.prefix, total);
  const bool typed = arguments.input == "-" && isatty(STDIN_FILENO) == 1;
  const bool by_line = typed || arguments.line_buffered;
  TextOutput output(arguments.output,
                    by_line ? TextOutput::Writing::kAsItComes : TextOutput::Writing::kWhole);
  TranslationSession session(arguments.translation);
  check_with_model(format, session);
  if (typed) log::info("type a line to have it translated; Ctrl-D ends");

  Progress progress("translating", total.value_or(0), "sentences");
  const auto on_progress = [&](int64_t lines) {
    if (!by_line) progress.update(lines);
  };
  TextFiles input({arguments.input});
  const bool aligned = format.alignment != TranslationFormat::Alignment::kNone;
  int64_t index = 0;
  for (std::vector<std::string> lines; next_lines(input, by_line ? 1 : kChunkLines, lines);) {
    const TranslationRequest request{lines, prefixes.next(lines.size()), format.most(),
                                     aligned ? &format.alignment_options : nullptr};
    for (const auto& translations : session.translate_n_best(request, on_progress)) {
      output.write_line(format_translations(format, index++, translations,
                                            session.first_model().tokenizers.target()));
    }
    output.flush();
  }
  prefixes.check_end();
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
                    "Translate and write each line as soon as it is read, which is slower; so it "
                    "is done anyway for lines typed at a terminal");
  add_format_options(*command, arguments->format);
  command
      ->add_option("--prefix", arguments->prefix,
                   "What the translation of each line begins with, line for line; an empty line "
                   "forces nothing")
      ->type_name("FILE");
  add_translation_options(*command, arguments->translation);
  add_sampling_options(*command, arguments->translation);
  command->footer(
      "Every line in gives one line out, in the same order; an empty line gives an empty\n"
      "line. Only --n-best N gives up to N, unless as JSON, each with the number of its line.\n"
      "Text is UTF-8 as people write it: no tokenising before, none after.\n"
      "\n"
      "A file is written as a whole or not at all; line by line it keeps what is translated\n"
      "when Ctrl-C ends the rest.\n"
      "\n"
      "Examples:\n"
      "  echo 'A man sleeps.' | calque translate --model runs/demo\n"
      "  calque translate --model runs/demo --input test.en --output test.out\n"
      "  calque translate --model runs/demo --beam 1 < test.en > test.out   # fastest\n"
      "  calque translate --model runs/demo --n-best 3 --format json --token-scores < test.en\n"
      "  calque translate --model runs/demo --alignment hard < test.en\n"
      "  calque translate --model runs/demo --sample --top-p 0.9 --n-best 4 < test.en\n"
      "  calque translate --model runs/a --model runs/b < test.en   # an ensemble");
  command->callback([arguments] { translate(*arguments); });
}

}  // namespace calque
