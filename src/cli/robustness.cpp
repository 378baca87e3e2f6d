#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/parallel.h"
#include "base/printable.h"
#include "base/progress.h"
#include "base/stop_signal.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/robustness_report.h"
#include "cli/scoring.h"
#include "cli/text_output.h"
#include "cli/translation.h"
#include "config/visit.h"
#include "decode/token_attack.h"
#include "text/noise.h"
#include "text/special_ids.h"

namespace calque {
namespace {

struct RobustnessArguments {
  TranslationArguments translation;
  std::string source;
  std::string reference;
  std::vector<NoiseKind> kinds;
  std::vector<double> rates{0.05, 0.1, 0.2};
  bool no_noise = false;
  std::vector<int64_t> attack;  // numbers of tokens
  int64_t candidates = 10;
  uint64_t seed = 1;
  int64_t worst = 5;
  bool json = false;
};

constexpr std::string_view attack_name(AttackKind kind) {
  return kind == AttackKind::kGradient ? "gradient" : "random";
}

/// Translates a text as it stands and changed, and scores each against the references.
class Comparison {
 public:
  /// Keeps references to all.
  Comparison(TranslationSession& session, const ScoredText& source, const ScoredText& reference)
      : session_(session),
        source_(source),
        reference_(reference),
        translations_(translate(source.lines)),
        clean_chrf_(score(translations_, report_.clean)) {}

  /// Adds what became of the text with the lines `changed` in its place.
  Outcome& add(const std::string& name, const std::vector<std::string>& changed,
               const TranslationSession::OnProgress& progress = {}) {
    std::vector<size_t> places;
    std::vector<std::string> lines;
    for (size_t i = 0; i < changed.size(); ++i) {
      if (changed[i] == source_.lines[i]) continue;  // its translation is known
      places.push_back(i);
      lines.push_back(changed[i]);
    }
    const std::vector<std::string> found = session_.translate(lines, progress);
    std::vector<std::string> translations = translations_;
    for (size_t i = 0; i < places.size(); ++i) translations[places[i]] = found[i];

    Outcome& outcome = report_.outcomes.emplace_back();
    outcome.name = name;
    outcome.changed_lines = std::ssize(places);
    const std::vector<double> chrf = score(translations, outcome);
    for (const size_t i : places) {
      note({.line = static_cast<int64_t>(i) + 1,
            .name = name,
            .clean_chrf = clean_chrf_[i],
            .chrf = chrf[i],
            .source = source_.lines[i],
            .changed = changed[i],
            .reference = reference_.lines[i],
            .clean_translation = translations_[i],
            .translation = translations[i]});
    }
    return outcome;
  }

  /// All that was added, with the `most` worst sentences.
  RobustnessReport finish(int64_t most) {
    report_.model = session_.identity();
    std::vector<WorstSentence>& worst = report_.worst;
    for (auto& [line, sentence] : worst_) worst.push_back(std::move(sentence));
    std::ranges::stable_sort(worst, std::greater<>(), &WorstSentence::drop);
    worst.resize(std::min(worst.size(), static_cast<size_t>(most)));
    return std::move(report_);
  }

  Outcome& clean() { return report_.clean; }

 private:
  TranslationSession& session_;
  const ScoredText& source_;
  const ScoredText& reference_;
  RobustnessReport report_;
  std::map<int64_t, WorstSentence> worst_;  // of each line that got worse, the worst
  std::vector<std::string> translations_;
  std::vector<double> clean_chrf_;

  std::vector<std::string> translate(const std::vector<std::string>& lines) {
    Progress progress("translating", std::ssize(lines), "sentences");
    return session_.translate(lines, [&](int64_t done) { progress.update(done); });
  }

  /// The chrF of each sentence.
  std::vector<double> score(const std::vector<std::string>& translations, Outcome& outcome) const {
    const Bleu bleu;
    const Chrf chrf;
    outcome.bleu = score_corpus(bleu, translations, {&reference_, 1}).counts.score();
    const CorpusCounts counts = score_corpus(chrf, translations, {&reference_, 1}).counts;
    outcome.chrf = counts.score();
    std::vector<double> sentences;
    for (int64_t i = 0; i < counts.sentences(); ++i) {
      sentences.push_back(chrf.score(counts.sentence(i)));
    }
    return sentences;
  }

  void note(WorstSentence sentence) {
    if (sentence.drop() <= 0) return;
    const auto [known, is_new] = worst_.try_emplace(sentence.line, sentence);
    if (!is_new && known->second.drop() < sentence.drop()) known->second = std::move(sentence);
  }
};

/// A text with noise.
struct NoisyText {
  NoiseKind kind;
  double rate;
  std::vector<std::string> lines;
};

void add_noises(const RobustnessArguments& arguments, const ScoredText& source,
                Comparison& comparison) {
  std::vector<NoisyText> texts;
  int64_t changed = 0;
  for (const NoiseKind kind : arguments.kinds) {
    for (const double rate : arguments.rates) {
      NoisyText& text = texts.emplace_back(NoisyText{kind, rate, {}});
      for (size_t i = 0; i < source.lines.size(); ++i) {
        const std::string& line = source.lines[i];
        text.lines.push_back(
            add_noise(line, kind, rate, {.seed = arguments.seed, .line = static_cast<int64_t>(i)}));
        changed += text.lines.back() == line ? 0 : 1;
      }
    }
  }
  Progress progress("translating noise", changed, "sentences");
  for (int64_t before = std::ssize(source.lines); const NoisyText& text : texts) {
    Outcome& outcome =
        comparison.add(fmt::format("{} {:g}", noise_name(text.kind), text.rate), text.lines,
                       [&](int64_t done) { progress.update(done - before); });
    outcome.noise = {noise_name(text.kind), text.rate};
  }
}

/// Attacks a text by one model.
class AttackSession {
 public:
  AttackSession(const RobustnessArguments& arguments, const std::filesystem::path& checkpoint,
                const ScoredText& source, const ScoredText& reference)
      : opened_(open_model(checkpoint)),
        workspace_(threads()),
        attack_(*opened_.model, opened_.tokenizers.source(), arguments.candidates, arguments.seed,
                tools()),
        source_(source) {
    const LengthBound bound = length_bound(opened_.model->longest_sentence(),
                                           opened_.config.validation.decode.max_length);
    const LineEncoder source_encoder(opened_.tokenizers.source(), bound, "attacked");
    const LineEncoder target_encoder(opened_.tokenizers.target(), bound, "compared with");
    for (size_t i = 0; i < source.lines.size(); ++i) {
      const std::string place = fmt::format("line {}", i + 1);
      AttackedSentence& sentence = clean_.emplace_back();
      sentence.source = source_encoder.encode(source.lines[i], place).ids;
      sentence.target = target_encoder.encode(reference.lines[i], place).ids;
      sentence.replaced.resize(sentence.source.size());
    }
    sentences_ = clean_;
  }

  /// Takes back all replacements.
  void restart() { sentences_ = clean_; }
  void replace_one(AttackKind kind, const std::function<void(int64_t)>& progress) {
    attack_.replace_one(sentences_, kind, progress);
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> lines = source_.lines;
    for (size_t i = 0; i < lines.size(); ++i) {
      if (sentences_[i].replacements == 0) continue;
      lines[i] = opened_.tokenizers.source().decode(sentences_[i].source);
    }
    return lines;
  }
  int64_t replacements() const {
    return std::transform_reduce(sentences_.begin(), sentences_.end(), int64_t{0}, std::plus<>(),
                                 [](const auto& sentence) { return sentence.replacements; });
  }
  /// Of all references, given the sources as they stand.
  double log_probability() {
    std::vector<std::vector<int32_t>> sources;
    std::vector<ForcedPair> pairs;
    for (const AttackedSentence& sentence : sentences_) {
      sources.push_back(sentence.source);
      sources.back().push_back(kEndId);
    }
    for (size_t i = 0; i < sources.size(); ++i) pairs.push_back({sources[i], sentences_[i].target});
    double sum = 0;
    for (const auto& tokens : score_pairs(*opened_.model, pairs, kBatchTokens, tools())) {
      for (const Real token : tokens) sum += static_cast<double>(token);
    }
    return sum;
  }

 private:
  static constexpr int64_t kBatchTokens = 4096;

  OpenedModel opened_;
  Arena arena_;
  Workspace workspace_;
  kernels::PreparedWeights<Real> weights_{kernels::Precision::kFloat32,
                                          kernels::Float32Unit::kVectors};
  TokenAttack attack_;
  const ScoredText& source_;
  std::vector<AttackedSentence> clean_;
  std::vector<AttackedSentence> sentences_;

  ForwardTools tools() { return {arena_, workspace_, &weights_}; }
};

void add_attacks(const RobustnessArguments& arguments, const std::filesystem::path& checkpoint,
                 const ScoredText& source, const ScoredText& reference, Comparison& comparison) {
  AttackSession session(arguments, checkpoint, source, reference);
  comparison.clean().log_probability = session.log_probability();
  const int64_t most = std::ranges::max(arguments.attack);
  const int64_t lines = std::ssize(source.lines);
  Progress progress("attacking", 2 * most * lines, "replacements");
  int64_t steps = 0;
  for (const AttackKind kind : {AttackKind::kRandom, AttackKind::kGradient}) {
    session.restart();
    for (int64_t tokens = 1; tokens <= most; ++tokens) {
      session.replace_one(kind,
                          [&](int64_t done) { progress.update_or_stop(steps * lines + done); });
      progress.update_or_stop(++steps * lines);
      if (std::ranges::count(arguments.attack, tokens) == 0) continue;
      Outcome& outcome = comparison.add(
          fmt::format("{} replacement of {}", attack_name(kind), format_count(tokens, "token")),
          session.lines());
      outcome.attack = {std::string(attack_name(kind)), tokens, session.replacements()};
      outcome.log_probability = session.log_probability();
    }
  }
}

void robustness(const RobustnessArguments& arguments) {
  const std::vector<ScoredText> texts = read_scored_texts({arguments.source, arguments.reference});
  if (!arguments.attack.empty() && arguments.translation.models.size() > 1) {
    throw UserError("--attack follows the gradient of one model; give one --model with it");
  }
  const StopSignal stop;
  TranslationSession session(arguments.translation);
  Comparison comparison(session, texts[0], texts[1]);
  if (!arguments.no_noise) add_noises(arguments, texts[0], comparison);
  if (!arguments.attack.empty()) {
    add_attacks(arguments, session.first_model().checkpoint, texts[0], texts[1], comparison);
  }
  clear_status_line();
  const RobustnessReport report = comparison.finish(arguments.worst);
  write_to_stdout(arguments.json ? json_text(report.json()) : printable(report.to_string()));
}

/// Each kind by its name in a config.
std::span<const Choice<NoiseKind>> noise_choices() {
  static const auto choices = [] {
    std::array<Choice<NoiseKind>, kNoiseKinds> all;
    for (size_t i = 0; i < kNoiseKinds; ++i) all[i] = {noise_name(noise_kind(i)), noise_kind(i)};
    return all;
  }();
  return choices;
}

void add_robustness_options(CLI::App& command, RobustnessArguments& arguments) {
  for (const auto& choice : noise_choices()) arguments.kinds.push_back(choice.value);
  add_value_option(command, "--kinds", arguments.kinds,
                   CommaList(OneOf<NoiseKind>(noise_choices())),
                   "Kinds of noise, as the keys of data.noise name them: typos, swap, drop, "
                   "insert, keyboard, lower, upper, random_case, punctuation_drop, "
                   "punctuation_insert, word_drop (default: all)")
      ->type_name("KIND,...");
  add_value_option(command, "--rates", arguments.rates, CommaList(Number::from_to(0, 1)),
                   "Shares of the letters, words or punctuation marks that are hit "
                   "(default: 0.05,0.1,0.2)")
      ->type_name("RATE,...");
  CLI::Option* const no_noise = command.add_flag("--no-noise", arguments.no_noise,
                                                 "Leave out the noise, for an attack alone");
  CLI::Option* const attack =
      add_value_option(command, "--attack", arguments.attack, CommaList(Integer(1, 1000)),
                       "Also replace so many tokens of each sentence: those that the model's "
                       "gradient tells are worst, and for comparison as many at random")
          ->type_name("TOKENS,...");
  no_noise->needs(attack);
  add_value_option(command, "--candidates", arguments.candidates, kCount,
                   "Pieces that may replace a token, nearest first (default: 10)")
      ->type_name("N")
      ->needs(attack);
  add_value_option(command, "--seed", arguments.seed, Integer(0),
                   "Another seed gives other noise. That of a line depends on it, on the line's "
                   "number and on its text, on nothing else (default: 1)")
      ->type_name("N");
  add_value_option(command, "--worst", arguments.worst, kCountOrNone,
                   "Sentences to show whose chrF fell most (default: 5)")
      ->type_name("N");
  command.add_flag("--json", arguments.json, "Print all of it as JSON");
}

}  // namespace

void add_robustness_command(CLI::App& app) {
  auto arguments = std::make_shared<RobustnessArguments>();
  CLI::App* command =
      app.add_subcommand("robustness", "Say what noise and attacks cost a model's translations");
  command->add_option("--source", arguments->source, "Text to translate, a sentence a line")
      ->type_name("FILE")
      ->required();
  command->add_option("--reference", arguments->reference, "What it should be, line for line")
      ->type_name("FILE")
      ->required();
  add_robustness_options(*command, *arguments);
  add_translation_options(*command, arguments->translation);
  command->footer(
      "Translates the text as it stands, with each kind of noise at each rate, and under attack,\n"
      "and prints BLEU and chrF of each, and the sentences that suffered most.\n"
      "\n"
      "Examples:\n"
      "  calque robustness --model runs/demo --source data/demo/test.en \\\n"
      "                    --reference data/demo/test.de --kinds typos,lower --rates 0.1\n"
      "  calque robustness --model runs/demo --source data/demo/test.en \\\n"
      "                    --reference data/demo/test.de --no-noise --attack 1,2,3");
  command->callback([arguments] { robustness(*arguments); });
}

}  // namespace calque
