#include "config/rules.h"

#include <initializer_list>

#include "base/error.h"

namespace calque {
namespace {

class Rules {
 public:
  Rules(const std::map<std::string, Place>& given, const std::string& file, Mistakes& mistakes)
      : given_(given), file_(file), mistakes_(mistakes) {}

  /// Adds `message` at the first of `keys` that was given, unless `holds`.
  void require(bool holds, std::initializer_list<const char*> keys, const std::string& message) {
    if (holds) return;
    for (const char* key : keys) {
      if (mistakes_.concern(key)) return;
    }
    for (const char* key : keys) {
      if (const auto found = given_.find(key); found != given_.end()) {
        return mistakes_.add(found->second, key, message);
      }
    }
    mistakes_.add({file_, 0}, *keys.begin(), message);
  }

 private:
  const std::map<std::string, Place>& given_;
  const std::string& file_;
  Mistakes& mistakes_;
};

void check_data(const RunConfig& config, Rules& rules) {
  const ParallelFiles& train = config.data.train;
  const ParallelFiles& validation = config.data.validation;
  const auto missing = "missing; expected a path or a list of paths";
  rules.require(!train.source.empty(), {"data.train.source"}, missing);
  rules.require(!train.target.empty(), {"data.train.target"}, missing);
  rules.require(
      train.source.empty() || train.target.empty() || train.source.size() == train.target.size(),
      {"data.train.source", "data.train.target"},
      fmt::format("{} source files but {} target files; each source file needs its translation",
                  train.source.size(), train.target.size()));
  rules.require(validation.source.size() == validation.target.size(),
                {"data.validation.source", "data.validation.target"},
                fmt::format("{} source files but {} target files; expected as many of each, or "
                            "neither",
                            validation.source.size(), validation.target.size()));
  rules.require(config.data.bidirectional_epochs == 0 || config.vocabulary.shared,
                {"data.bidirectional_epochs", "vocabulary.shared"},
                "source and target cannot change places when vocabulary.shared is false; expected "
                "0, or a shared vocabulary");
}

/// What holds of one attention of the model.
void check_attention(const std::string& block, const kernels::AttentionOptions& attention,
                     int64_t heads, Rules& rules) {
  const std::string scope = block + ".scope";
  const std::string global_tokens = block + ".global_tokens";
  const std::string key_value_heads = block + ".key_value_heads";
  rules.require(heads % attention.key_value_heads_of(heads) == 0,
                {key_value_heads.c_str(), "model.heads"},
                fmt::format("{} heads of keys and values do not divide model.heads {}; expected a "
                            "divisor of it",
                            attention.key_value_heads, heads));
  rules.require(attention.scope != kernels::AttentionScope::kStrided || heads >= 2,
                {scope.c_str(), "model.heads"},
                "strided attention looks near with every other head and afar with the others; "
                "expected model.heads 2 or more");
  rules.require(
      attention.scope == kernels::AttentionScope::kLocal || attention.global_tokens == 0,
      {global_tokens.c_str(), scope.c_str()},
      fmt::format("{} global tokens stand beside a local window alone; expected 0, or {}: local",
                  attention.global_tokens, scope));
  const std::string estimator = block + ".estimator";
  const std::string selection = block + ".selection";
  rules.require(
      attention.estimator == kernels::SelectionEstimator::kStraightThrough ||
          attention.selection == kernels::AttentionSelection::kHard,
      {estimator.c_str(), selection.c_str()},
      fmt::format("reinforce estimates the gradient of hard selection; expected {}: hard, "
                  "or straight_through",
                  selection));
}

void check_model(const RunConfig& config, Rules& rules) {
  const TransformerOptions& model = config.model;
  rules.require(model.model % model.heads == 0, {"model.heads", "model.size"},
                fmt::format("{} heads do not divide model.size {}; expected a divisor of it",
                            model.heads, model.model));
  rules.require(model.positions != Positions::kRotary || model.model / model.heads % 2 == 0,
                {"model.positions", "model.heads", "model.size"},
                fmt::format("rotary positions turn pairs of numbers, but a head of model.size {} / "
                            "{} heads has an odd number of them; expected an even one",
                            model.model, model.heads));
  rules.require(model.tied_embeddings != Tying::kAll || config.vocabulary.shared,
                {"model.tied_embeddings", "vocabulary.shared"},
                "embeddings of source and target cannot be tied (all) when vocabulary.shared is "
                "false; expected decoder or none, or a shared vocabulary");
  rules.require(
      model.positions != Positions::kLearned || config.data.max_length <= model.max_positions,
      {"model.max_positions", "data.max_length", "model.positions"},
      fmt::format("{} learned positions are fewer than data.max_length {}; expected as many",
                  model.max_positions, config.data.max_length));
  const auto check = [&](const char* block, const kernels::AttentionOptions& attention) {
    check_attention(block, attention, model.heads, rules);
  };
  rules.require(model.positions != Positions::kRelative ||
                    (!kernels::takes_whole_rows(model.encoder_self_attention) &&
                     !kernels::takes_whole_rows(model.decoder_self_attention)),
                {"model.positions"},
                "relative positions need self-attention of scope global, normalizer softmax, "
                "selection soft and a score that is not additive; expected those, or other "
                "positions");
  check("model.encoder.self_attention", model.encoder_self_attention);
  check("model.decoder.self_attention", model.decoder_self_attention);
  check("model.decoder.cross_attention", model.decoder_cross_attention);
}

void check_train(const RunConfig& config, Rules& rules) {
  const OptimizerOptions& optimizer = config.train.optimizer;
  const bool ends =
      optimizer.schedule == ScheduleKind::kLinear || optimizer.schedule == ScheduleKind::kCosine;
  rules.require(
      !ends || optimizer.warmup_steps < config.train.max_steps,
      {"train.warmup_steps", "train.max_steps", "train.schedule"},
      fmt::format("{} warm-up steps leave nothing of train.max_steps {} for the schedule; "
                  "expected fewer",
                  optimizer.warmup_steps, config.train.max_steps));
  const int64_t teacher_steps = config.train.teacher_steps;
  rules.require(!ends || teacher_steps == 0 || optimizer.warmup_steps < teacher_steps,
                {"train.warmup_steps", "train.teacher_steps", "train.schedule"},
                fmt::format("{} warm-up steps leave nothing of train.teacher_steps {} for the "
                            "schedule; expected fewer",
                            optimizer.warmup_steps, teacher_steps));
  rules.require(teacher_steps == 0 || config.vocabulary.shared,
                {"train.teacher_steps", "vocabulary.shared"},
                "a teacher of both directions needs a shared vocabulary; expected 0, or "
                "vocabulary.shared: true");
  rules.require(config.train.adversarial.weight == 0 || config.train.r_drop == 0,
                {"train.adversarial.weight", "train.r_drop"},
                "train.adversarial.weight and train.r_drop both compute an update twice, in their "
                "own ways; expected 0 for one of them");
  const auto check_one_pass = [&](const char* key, double value) {
    rules.require(!config.model.reinforces() || value == 0, {key},
                  fmt::format("attention with the estimator reinforce weighs its draws by what one "
                              "pass costs, but {} makes it two; expected 0, or the estimator "
                              "straight_through",
                              key));
  };
  check_one_pass("train.r_drop", config.train.r_drop);
  check_one_pass("train.adversarial.weight", config.train.adversarial.weight);
  rules.require(optimizer.schedule != ScheduleKind::kNoam || optimizer.warmup_steps > 0,
                {"train.warmup_steps", "train.schedule"},
                "the noam schedule needs a warm-up; expected 1 step or more");
  rules.require(config.train.patience == 0 || !config.data.validation.source.empty(),
                {"train.patience", "data.validation.source"},
                "patience needs data.validation, which is not given; expected 0 without it");
  const TransformerOptions& model = config.model;
  const auto draws = [](const kernels::AttentionOptions& attention) {
    return attention.selection == kernels::AttentionSelection::kHard;
  };
  const bool any_dropout = model.embedding_dropout > 0 || model.residual_dropout > 0 ||
                           model.attention_dropout > 0 || model.activation_dropout > 0 ||
                           model.layer_dropout > 0 || draws(model.encoder_self_attention) ||
                           draws(model.decoder_self_attention) ||
                           draws(model.decoder_cross_attention);
  rules.require(config.train.r_drop == 0 || any_dropout, {"train.r_drop"},
                "without any model.dropout both passes of R-Drop are the same; expected 0, or some "
                "dropout, or hard selection");
}

/// Adds the settings of one attention that have no effect.
void find_idle(const std::string& block, const kernels::AttentionOptions& attention,
               const char* windowed_scopes, std::vector<IdleSetting>& idle) {
  const kernels::AttentionOptions usual;
  const auto note = [&](bool has_effect, const char* key, auto value, auto usual_value,
                        const std::string& wanted) {
    if (has_effect || value == usual_value) return;
    idle.push_back({fmt::format("{}.{}", block, key), fmt::format("{}", value), wanted});
  };
  note(attention.scope != kernels::AttentionScope::kGlobal, "window", attention.window,
       usual.window, fmt::format("{}.scope: {}", block, windowed_scopes));
  const bool draws = attention.selection == kernels::AttentionSelection::kHard;
  const auto drawn_by = [&](const char* estimator) {
    return fmt::format("{0}.selection: hard and {0}.estimator: {1}", block, estimator);
  };
  note(attention.reinforces(), "reinforce_weight", attention.reinforce_weight,
       usual.reinforce_weight, drawn_by("reinforce"));
  const auto note_temperature = [&](const char* key, auto value, auto usual_value) {
    note(draws && !attention.reinforces(), key, value, usual_value, drawn_by("straight_through"));
  };
  note_temperature("temperature", attention.temperature, usual.temperature);
  note_temperature("last_temperature", attention.last_temperature, usual.last_temperature);
  note_temperature("temperature_steps", attention.temperature_steps, usual.temperature_steps);
}

}  // namespace

std::vector<IdleSetting> settings_without_effect(const TransformerOptions& model) {
  std::vector<IdleSetting> idle;
  find_idle("model.encoder.self_attention", model.encoder_self_attention, "local or strided", idle);
  find_idle("model.decoder.self_attention", model.decoder_self_attention, "local or strided", idle);
  find_idle("model.decoder.cross_attention", model.decoder_cross_attention,
            "monotonic or predictive", idle);
  return idle;
}

void check_rules(const RunConfig& config, const std::map<std::string, Place>& given,
                 const std::string& file, Mistakes& mistakes) {
  Rules rules(given, file, mistakes);
  check_data(config, rules);
  check_model(config, rules);
  check_train(config, rules);
}

}  // namespace calque
