#include <map>
#include <numeric>

#include "base/error.h"
#include "config/run_config.h"
#include "config/visit.h"
#include "support/catch.h"

namespace calque {
namespace {

/// A config in which every value differs from its default.
RunConfig unusual_config() {
  RunConfig config = parse_config("data: {train: {source: a.en, target: a.de}}\n", "a.yaml");
  config.seed = 123456789012345;
  config.threads = 3;
  config.data = {.train = {{"a b.en", "c: #d.en"}, {"\"e\\f\".de", "\xc3\xbc.de"}},
                 .validation = {{"null"}, {"- x"}},
                 .max_length = 99,
                 .max_length_ratio = 4.5,
                 .max_dropped = 1.0 / 3,
                 .cache_memory = 7,
                 .subword_sampling = 0.1,
                 .lines = {.nul = FaultPolicy::kSkip,
                           .invalid_utf8 = FaultPolicy::kReplace,
                           .byte_order_mark = FaultPolicy::kError,
                           .carriage_return = FaultPolicy::kSkip,
                           .line_separator = FaultPolicy::kError,
                           .control_character = FaultPolicy::kSkip},
                 .empty = FaultPolicy::kError,
                 .too_long = FaultPolicy::kTruncate,
                 .length_ratio = FaultPolicy::kSkip,
                 .copy = FaultPolicy::kError,
                 .noise = {.probability = 0.25}};
  std::iota(config.data.noise.rates.begin(), config.data.noise.rates.end(), 1);
  for (double& rate : config.data.noise.rates) rate /= 100;
  config.vocabulary = {VocabularyType::kBpe,     777,    false, "true",
                       Normalization::kIdentity, 0.9995, 5};
  config.model = {
      .model = 6,
      .heads = 3,
      .hidden = 7,
      .encoder_layers = 1,
      .decoder_layers = 2,
      .norm = NormPlace::kPost,
      .norm_kind = NormKind::kRms,
      .activation = kernels::Activation::kSwiglu,
      .positions = Positions::kLearned,
      .max_positions = 100,
      .max_distance = 7,
      .tied_embeddings = Tying::kNone,
      .encoder_self_attention = {.score = kernels::AttentionScore::kDot,
                                 .scope = kernels::AttentionScope::kLocal,
                                 .window = 3,
                                 .global_tokens = 2,
                                 .normalizer = kernels::AttentionNormalizer::kEntmax15,
                                 .selection = kernels::AttentionSelection::kHard,
                                 .estimator = kernels::SelectionEstimator::kReinforce,
                                 .reinforce_weight = 0.5,
                                 .temperature = 2,
                                 .last_temperature = 0.25,
                                 .temperature_steps = 30,
                                 .key_value_heads = 3},
      .decoder_self_attention = {.score = kernels::AttentionScore::kAdditive,
                                 .scope = kernels::AttentionScope::kLocal,
                                 .window = 5,
                                 .global_tokens = 1,
                                 .normalizer = kernels::AttentionNormalizer::kEntmax15,
                                 .selection = kernels::AttentionSelection::kHard,
                                 .estimator = kernels::SelectionEstimator::kReinforce,
                                 .reinforce_weight = 0.5,
                                 .temperature = 2,
                                 .last_temperature = 0.25,
                                 .temperature_steps = 30,
                                 .key_value_heads = 3},
      .decoder_cross_attention = {.score = kernels::AttentionScore::kGeneral,
                                  .scope = kernels::AttentionScope::kPredictive,
                                  .window = 7,
                                  .normalizer = kernels::AttentionNormalizer::kSparsemax,
                                  .selection = kernels::AttentionSelection::kHard,
                                  .estimator = kernels::SelectionEstimator::kReinforce,
                                  .reinforce_weight = 0.5,
                                  .temperature = 2,
                                  .last_temperature = 0.25,
                                  .temperature_steps = 30,
                                  .key_value_heads = 3},
      .embedding_dropout = 0.01,
      .residual_dropout = 0.02,
      .attention_dropout = 0.03,
      .activation_dropout = 0.04,
      .layer_dropout = 0.05};
  TrainOptions& train = config.train;
  train.max_steps = 11;
  train.max_minutes = 0.5;
  train.batch_tokens = 12;
  train.micro_batch_tokens = 23;
  train.accumulate = 13;
  train.precision = kernels::Precision::kBfloat16;
  train.log_every = 15;
  train.validate_every = 16;
  train.log_attention = true;
  train.save_every = 17;
  train.save_every_minutes = 1.5;
  train.keep_last = 18;
  train.max_skipped = 3;
  train.label_smoothing = 0.2;
  train.moving_average = 0.999;
  train.initial_model = "line\nbreak";
  train.best_metric = BestMetric::kLoss;
  train.patience = 19;
  train.optimizer = {.kind = OptimizerKind::kAdamW,
                     .beta1 = 0.8,
                     .beta2 = 0.9,
                     .epsilon = 1e-7,
                     .weight_decay = 1e-4,
                     .clip_norm = 2.5,
                     .schedule = ScheduleKind::kCosine,
                     .learning_rate = 1e-5,
                     .warmup_steps = 10};
  train.adversarial.epsilon = 2;  // its weight, r_drop and reinforce exclude each other
  config.validation = {.decode = {.beam = 1,
                                  .length_penalty = 0.6,
                                  .max_length_ratio = 1.5,
                                  .max_length = 50,
                                  .batch_tokens = 100},
                       .tokenize = WordTokenizer::kChar,
                       .samples = 0};
  return config;
}

}  // namespace

TEST_CASE("the effective config parses back to the same config", "[config]") {
  for (const RunConfig& config :
       {unusual_config(),
        parse_config("{data: {train: {source: a.en, target: a.de}}, train: {r_drop: 2.5}}",
                     "a.yaml"),
        parse_config("{data: {train: {source: a.en, target: a.de}}, "
                     "train: {adversarial: {weight: 0.5}}}",
                     "a.yaml"),
        parse_config("{data: {train: {source: a.en, target: a.de}, bidirectional_epochs: 3}, "
                     "train: {teacher_steps: 5000}}",
                     "a.yaml"),
        parse_config("data: {train: {source: a.en, target: a.de}}\n", "a.yaml")}) {
    const std::string yaml = to_yaml(config);
    CAPTURE(yaml);
    const RunConfig again = parse_config(yaml, "a.yaml");
    CHECK(compare_configs(config, again).empty());
    CHECK(again.threads == config.threads);
    CHECK(to_yaml(again) == yaml);
  }
}

TEST_CASE("the effective config is blocks in a fixed order", "[config]") {
  const std::string yaml = to_yaml(unusual_config());
  const std::string begin =
      "seed: 123456789012345\n"
      "threads: 3\n"
      "\n"
      "data:\n"
      "  train:\n"
      "    source: [\"a b.en\", \"c: #d.en\"]\n";
  CHECK(yaml.substr(0, begin.size()) == begin);
  CHECK(yaml.find("  encoder:\n    layers: 1\n    self_attention:\n      score: dot\n") !=
        std::string::npos);
  CHECK(yaml.find("  norm: post\n  norm_kind: rms\n") != std::string::npos);
}

TEST_CASE("a comparison names every key that differs, but not the threads", "[config]") {
  const RunConfig defaults =
      parse_config("data: {train: {source: a.en, target: a.de}}\n", "a.yaml");
  const std::vector<ConfigChange> changes = compare_configs(defaults, unusual_config());
  std::map<std::string, AtResume> classes;
  visit_fields(defaults, [&](const Field& field, const auto&, const auto&) {
    classes[field.key] = field.at_resume;
  });
  classes.erase("threads");
  classes.erase("data.bidirectional_epochs");  // excluded by a vocabulary for each side,
  classes.erase("train.teacher_steps");        // as this is
  classes.erase("train.adversarial.weight");
  classes.erase("train.r_drop");
  classes["train.max_steps"] = AtResume::kWarn;  // the unusual schedule ends with it
  CHECK(changes.size() == classes.size());
  for (const ConfigChange& change : changes) {
    CAPTURE(change.key);
    CHECK(change.severity == classes.at(change.key));
  }
  CHECK(compare_configs(defaults, defaults).empty());
}

TEST_CASE("a changed key is harmless, a warning, or refused", "[config]") {
  const RunConfig old_config =
      parse_config("data: {train: {source: a.en, target: a.de}}\n", "a.yaml");
  const auto change = [&](const std::string& override_text) {
    const RunConfig changed = parse_config(to_yaml(old_config), "a.yaml", {override_text});
    const std::vector<ConfigChange> changes = compare_configs(old_config, changed);
    REQUIRE(changes.size() == 1);
    return changes.front();
  };
  const ConfigChange size = change("model.size=256");
  CHECK(size.key == "model.size");
  CHECK(size.old_text == "512");
  CHECK(size.new_text == "256");
  CHECK(size.severity == AtResume::kRefuse);
  for (const char* text :
       {"train.max_steps=7", "train.max_minutes=1", "train.save_every=5", "train.validate_every=5",
        "train.log_every=5", "train.log_attention=true", "train.keep_last=1",
        "train.save_every_minutes=0", "validation.beam=1", "validation.samples=0"}) {
    CAPTURE(text);
    CHECK(change(text).severity == AtResume::kHarmless);
  }
  for (const char* text :
       {"train.learning_rate=1", "train.warmup_steps=1", "train.optimizer=adamw",
        "train.label_smoothing=0", "train.max_skipped=1", "model.dropout.attention=0.1"}) {
    CAPTURE(text);
    CHECK(change(text).severity == AtResume::kWarn);
  }
  for (const char* text :
       {"seed=2", "vocabulary.size=9", "data.train.source=b.en", "data.max_length=9",
        "train.batch_tokens=9", "train.micro_batch_tokens=9", "train.accumulate=2",
        "model.norm=post", "model.norm_kind=rms", "model.activation=swiglu",
        "model.tied_embeddings=none", "model.positions=learned", "train.moving_average=0.9"}) {
    CAPTURE(text);
    CHECK(change(text).severity == AtResume::kRefuse);
  }
}

TEST_CASE("a longer training is a warning where the schedule depends on its end", "[config]") {
  const std::string text =
      "data: {train: {source: a.en, target: a.de}}\ntrain: {schedule: linear}\n";
  const auto changes = compare_configs(parse_config(text, "a.yaml"),
                                       parse_config(text, "a.yaml", {"train.max_steps=200000"}));
  REQUIRE(changes.size() == 1);
  CHECK(changes.front().severity == AtResume::kWarn);
}

}  // namespace calque
