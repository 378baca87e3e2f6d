#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/stop_signal.h"
#include "cli/attention_faithfulness.h"
#include "cli/attention_report.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/scoring.h"
#include "cli/text_output.h"
#include "cli/translation.h"
#include "config/visit.h"
#include "text/special_ids.h"
#include "text/words.h"

namespace calque {
namespace {

struct AttentionArguments {
  std::string model;
  std::string source;
  std::optional<std::string> target;
  std::string reference;
  std::string output;
  bool faithfulness = false;
  bool json = false;
  bool terminal = false;
  uint64_t seed = 1;
  int64_t threads = 0;
};

/// A model that judges given translations, and finds its own.
class AttentionSession {
 public:
  explicit AttentionSession(const AttentionArguments& arguments)
      : opened_(std::move(open_for_decoding({arguments.model}, arguments.threads).front())),
        workspace_(threads()) {}

  std::vector<Translation> translate(std::span<const std::string> lines,
                                     const Translator::OnProgress& progress = {}) {
    Translator translator(*opened_.model, opened_.tokenizers, opened_.config.validation.decode,
                          arena_, workspace_, &weights_);
    std::vector<Translation> best;
    for (std::vector<Translation>& of_line : translator.translate_n_best({lines}, progress)) {
      best.push_back(std::move(of_line.front()));
    }
    return best;
  }

  const OpenedModel& opened() const { return opened_; }
  Transformer& model() { return *opened_.model; }
  ForwardTools tools() { return {arena_, workspace_, &weights_}; }
  LengthBound bound() const {
    return length_bound(opened_.model->longest_sentence(),
                        opened_.config.validation.decode.max_length);
  }

 private:
  OpenedModel opened_;
  Arena arena_;
  Workspace workspace_;
  kernels::PreparedWeights<Real> weights_{kernels::Precision::kFloat32,
                                          kernels::Float32Unit::kVectors};
};

void check_sentence(const char* option, const std::string& text) {
  if (text.find_first_of("\n\r") != std::string::npos) {
    throw UserError(fmt::format(
        "{}: expected one sentence, found a line break; give one line of text", option));
  }
  if (const size_t at = find_invalid_utf8(text); at != std::string::npos) {
    throw UserError(
        fmt::format("{}: expected UTF-8, found another byte at place {}", option, at + 1));
  }
}

std::vector<std::string> pieces(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
  std::vector<std::string> pieces;
  for (const int32_t id : ids) pieces.push_back(tokenizer.piece(id));
  return pieces;
}

AttentionReport make_report(AttentionSession& session, const AttentionArguments& arguments) {
  const TokenizerPair& tokenizers = session.opened().tokenizers;
  const LineEncoder encoder(tokenizers.source(), session.bound(), "looked at");
  EncodedLine source = encoder.encode(arguments.source, "--source");
  if (source.ids.empty() || count_words(arguments.source) == 0) {
    throw UserError("--source: expected a sentence, found no text");
  }
  source.ids.push_back(kEndId);
  std::vector<int32_t> target;
  if (arguments.target) {
    target = LineEncoder(tokenizers.target(), session.bound(), "looked at")
                 .encode(*arguments.target, "--target")
                 .ids;
  } else {
    target = session.translate({&arguments.source, 1}).front().hypothesis.ids;
  }

  const std::vector<ForcedPair> pairs{{source.ids, target}};
  const SourceWords words{count_words(arguments.source), words_at(arguments.source, source.begins)};
  WordAlignment alignment = std::move(
      align_words(session.model(), tokenizers.target(), pairs, {&words, 1}, {}, 1, session.tools())
          .front());
  std::optional<AttentionReport> report;
  for_each_forced_batch(pairs, 1, [&](const TrainingExample& example, std::span<const size_t>) {
    Context context(session.tools().arena, session.tools().workspace);
    context.weights = session.tools().weights;
    TappedAttention attention(session.model().options(), example.source_layout,
                              example.target_layout, context.arena);
    const kernels::CrossEntropySums sums =
        session.model().loss(context, example, /*label_smoothing=*/0, {}, {}, {}, attention.tap());
    Rollout rollout = roll_out(attention);
    report.emplace(std::move(attention), std::move(rollout));
    report->log_probability = -sums.negative_log_likelihood;
    report->target_inputs = pieces(tokenizers.target(), example.target_input);
    report->target_outputs = pieces(tokenizers.target(), example.target_output);
  });
  if (!std::isfinite(report->log_probability)) {
    throw UserError(fmt::format("{} gives numbers that are not finite: there is nothing to see",
                                session.opened().checkpoint.string()));
  }
  report->model = session.opened().checkpoint.string();
  report->source = arguments.source;
  report->source_tokens = pieces(tokenizers.source(), source.ids);
  report->target_as_read = tokenizers.target().decode(target);
  report->target = arguments.target.value_or(report->target_as_read);
  report->translated = !arguments.target;
  report->alignment = std::move(alignment);
  report->aligning_layer = aligning_layer({}, session.model().options().decoder_layers);
  return std::move(*report);
}

/// As https://no-color.org asks.
bool stdout_takes_colours() {
  const char* const no_color = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

void look_inside(const AttentionArguments& arguments) {
  check_sentence("--source", arguments.source);
  if (arguments.target) check_sentence("--target", *arguments.target);
  std::optional<TextOutput> output;
  if (!arguments.output.empty()) output.emplace(arguments.output);
  AttentionSession session(arguments);
  const AttentionReport report = make_report(session, arguments);
  if (output) {
    output->write_line(attention_page(report));
    output->finish();
    log::info("open {} in a browser", arguments.output);
  }
  if (arguments.json) {
    write_to_stdout(attention_json(report));
  } else if (arguments.terminal || !output) {
    write_to_stdout(attention_text(report, stdout_takes_colours()));
  }
}

void measure(const AttentionArguments& arguments) {
  std::vector<std::string> files{arguments.source};
  if (!arguments.reference.empty()) files.push_back(arguments.reference);
  std::vector<ScoredText> texts = read_scored_texts(files);
  const std::vector<std::string>& sources = texts.front().lines;
  const StopSignal stop;
  AttentionSession session(arguments);
  if (arguments.reference.empty()) {
    Progress progress("translating", std::ssize(sources), "sentences");
    std::vector<std::string> outputs;
    for (Translation& translation :
         session.translate(sources, [&](int64_t done) { progress.update_or_stop(done); })) {
      outputs.push_back(std::move(translation.text));
    }
    texts.push_back({"the translations", std::move(outputs)});
  }
  FaithfulnessOptions options;
  options.seed = arguments.seed;
  options.longest = session.bound().tokens;
  Progress progress("taking words out", std::ssize(texts.front().lines), "sentences");
  const std::vector<SentenceFaithfulness> found = measure_faithfulness(
      session.model(), session.opened().tokenizers, texts[0].lines, texts[1].lines, options,
      session.tools(), [&](int64_t done) { progress.update_or_stop(done); });
  progress.finish();
  if (found.empty()) {
    throw UserError(fmt::format(
        "{} has no line of two words or more that is short enough: there is nothing to measure",
        texts.front().name));
  }
  const int64_t lines = std::ssize(texts.front().lines);
  write_to_stdout(arguments.json ? faithfulness_json(found, lines, options)
                                 : faithfulness_table(found, lines));
}

constexpr const char kFooter[] =
    "All attentions are read off one pass over source and target, as in training. A head is\n"
    "named after where most of its weight lies: diagonal (the token itself; of\n"
    "cross-attention, the place at an even pace), previous, next, first, end; else spread\n"
    "(nearly uniform), focused (one key, wherever it is) or mixed. Entropy is 0 bits where\n"
    "one key has all weight, and log2(keys) where all have the same.\n"
    "\n"
    "--faithfulness takes out the word with most weight of the alignment, the one with the\n"
    "largest gradient, and one at random. Weights explain the output as far as the first\n"
    "makes it less likely than the last does. docs/attention_report.md has the formulas.\n"
    "\n"
    "Examples:\n"
    "  calque attention --model runs/demo --source 'The old man reads a book.'\n"
    "  calque attention --model runs/demo --source 'He reads.' --target 'Er liest.' \\\n"
    "    --output report.html\n"
    "  calque attention --model runs/demo --faithfulness \\\n"
    "    --source data/demo/test.en --reference data/demo/test.de";

void check_options(const AttentionArguments& arguments) {
  if (arguments.faithfulness) {
    if (arguments.target) {
      throw UserError(
          "--target is a sentence, and --faithfulness measures a corpus: give its translations as "
          "--reference FILE, or none for the model's own");
    }
    if (!arguments.output.empty() || arguments.terminal) {
      throw UserError(
          "--faithfulness prints a table: --output and --terminal are for one sentence");
    }
  } else if (!arguments.reference.empty()) {
    throw UserError(
        "--reference belongs to --faithfulness; the translation of one sentence is "
        "given as --target TEXT");
  }
  if (arguments.json && arguments.terminal) {
    throw UserError("--json and --terminal both print to standard output; choose one");
  }
  if (arguments.output == "-") {
    throw UserError("--output: expected the name of a file to open in a browser, found -");
  }
}

}  // namespace

void add_attention_command(CLI::App& app) {
  auto arguments = std::make_shared<AttentionArguments>();
  CLI::App* command = app.add_subcommand("attention", "Look at what the attention of a model does");
  command->add_option("--model", arguments->model, kModelHelp)->type_name("DIR")->required();
  command
      ->add_option("--source", arguments->source,
                   "A sentence to translate; with --faithfulness a file of them")
      ->type_name("TEXT")
      ->required();
  command
      ->add_option("--target", arguments->target,
                   "Its translation (default: the best one that the model finds)")
      ->type_name("TEXT");
  command
      ->add_option("--output", arguments->output,
                   "Write a page for a browser: every layer and head as a map, with figures, "
                   "rollout and alignment, in one file that needs no network")
      ->type_name("FILE");
  command->add_flag("--json", arguments->json, "Print all weights and figures as JSON");
  command->add_flag("--terminal", arguments->terminal,
                    "Print the figures of all heads and the alignment, in colour on a terminal "
                    "unless NO_COLOR is set (default without --output and --json)");
  CLI::Option* const faithfulness = command->add_flag(
      "--faithfulness", arguments->faithfulness,
      "Measure over a corpus whether the weights explain the output: take words out of each source "
      "and see how much less likely its translation is then");
  command
      ->add_option(
          "--reference", arguments->reference,
          "With --faithfulness: the translations, line for line (default: the model's own)")
      ->type_name("FILE");
  add_value_option(*command, "--seed", arguments->seed, Integer(0),
                   "Of the words that --faithfulness takes out at random (default: 1)")
      ->type_name("N")
      ->needs(faithfulness);
  add_threads_option(*command, arguments->threads);
  add_quiet_option(*command);
  command->footer(kFooter);
  command->callback([arguments] {
    check_options(*arguments);
    if (arguments->faithfulness) {
      measure(*arguments);
    } else {
      look_inside(*arguments);
    }
  });
}

}  // namespace calque
