#include "config/run_config.h"

#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "support/catch.h"

namespace calque {
namespace {

const std::string kData = "data: {train: {source: a.en, target: a.de}}\n";

RunConfig parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_config(text, "runs/test.yaml", overrides);
}

/// What the UserError says; fails when there is none.
std::string message_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, overrides);
  } catch (const UserError& error) {
    return error.what();
  }
  FAIL("no mistake found in:\n" + text);
  return "";
}

}  // namespace

TEST_CASE("a config needs no more than training text, the rest has defaults", "[config]") {
  const RunConfig config = parse(kData);
  CHECK(config.name == "test");
  CHECK(config.seed == 1);
  CHECK(config.threads == 0);
  CHECK(config.data.train.source == std::vector<std::string>{"a.en"});
  CHECK(config.data.validation.source.empty());
  CHECK(config.model.model == TransformerOptions().model);
  CHECK(config.train.max_steps == TrainOptions().max_steps);
  CHECK(config.validation.decode.beam == DecodeOptions().beam);
}

TEST_CASE("every type of value is read", "[config]") {
  const RunConfig config = parse(R"(
seed: 7
data:
  train: {source: [a.en, "b c.en"], target: [a.de, 'b c.de']}
vocabulary: {shared: false, type: bpe}
model:
  size: 64
  encoder: {layers: 2}
  tied_embeddings: decoder
  dropout: {attention: 0.25}
train: {learning_rate: 5e-4, schedule: cosine, initial_model: runs/old}
)");
  CHECK(config.seed == 7);
  CHECK(config.data.train.source == std::vector<std::string>{"a.en", "b c.en"});
  CHECK(config.data.train.target == std::vector<std::string>{"a.de", "b c.de"});
  CHECK_FALSE(config.vocabulary.shared);
  CHECK(config.vocabulary.type == VocabularyType::kBpe);
  CHECK(config.model.model == 64);
  CHECK(config.model.encoder_layers == 2);
  CHECK(config.model.tied_embeddings == Tying::kDecoder);
  CHECK(config.model.attention_dropout == 0.25);
  CHECK(config.train.optimizer.learning_rate == 5e-4);
  CHECK(config.train.optimizer.schedule == ScheduleKind::kCosine);
  CHECK(config.train.initial_model == "runs/old");
}

TEST_CASE("each attention of a layer has a block of its own", "[config]") {
  const RunConfig config = parse(kData + R"(
model:
  encoder: {self_attention: {scope: local, window: 9, global_tokens: 1}}
  decoder:
    self_attention: {score: additive, scope: strided, normalizer: entmax15}
    cross_attention: {score: general, scope: predictive, normalizer: sparsemax}
)");
  const kernels::AttentionOptions& encoder = config.model.encoder_self_attention;
  CHECK(encoder.score == kernels::AttentionScore::kScaledDot);
  CHECK(encoder.scope == kernels::AttentionScope::kLocal);
  CHECK(encoder.window == 9);
  CHECK(encoder.global_tokens == 1);
  const kernels::AttentionOptions& decoder = config.model.decoder_self_attention;
  CHECK(decoder.score == kernels::AttentionScore::kAdditive);
  CHECK(decoder.scope == kernels::AttentionScope::kStrided);
  CHECK(decoder.normalizer == kernels::AttentionNormalizer::kEntmax15);
  const kernels::AttentionOptions& cross = config.model.decoder_cross_attention;
  CHECK(cross.score == kernels::AttentionScore::kGeneral);
  CHECK(cross.scope == kernels::AttentionScope::kPredictive);
  CHECK(cross.normalizer == kernels::AttentionNormalizer::kSparsemax);
}

TEST_CASE("each attention may have fewer heads of keys and values", "[config]") {
  const RunConfig config = parse(
      kData, {"model.heads=8", "model.size=64", "model.decoder.self_attention.key_value_heads=2"});
  CHECK(config.model.key_model(config.model.decoder_self_attention) == 16);
  CHECK(config.model.key_model(config.model.encoder_self_attention) == 64);
  CHECK(message_of(kData, {"model.decoder.cross_attention.key_value_heads=3"})
            .ends_with("model.decoder.cross_attention.key_value_heads: 3 heads of keys and values "
                       "do not divide model.heads 8; expected a divisor of it"));
}

TEST_CASE("relative positions are those of softmax over dot products of all", "[config]") {
  CHECK(message_of(kData, {"model.positions=relative", "model.encoder.self_attention.scope=local"})
            .ends_with("model.positions: relative positions need self-attention of scope global, "
                       "normalizer softmax, selection soft and a score that is not additive; "
                       "expected those, or other positions"));
  CHECK(parse(kData, {"model.positions=relative", "model.max_distance=9"}).model.max_distance == 9);
  CHECK(parse(kData, {"model.positions=alibi", "model.encoder.self_attention.scope=local"})
            .model.positions == Positions::kAlibi);
}

TEST_CASE("attentions that contradict themselves are refused", "[config]") {
  CHECK(
      message_of(kData + "model: {heads: 1, encoder: {self_attention: {scope: strided}}}\n")
          .ends_with(":2: model.encoder.self_attention.scope: strided attention looks near with "
                     "every other head and afar with the others; expected model.heads 2 or more"));
  CHECK(message_of(kData, {"model.decoder.self_attention.global_tokens=2"})
            .ends_with("model.decoder.self_attention.global_tokens: 2 global tokens stand beside a "
                       "local window alone; expected 0, or model.decoder.self_attention.scope: "
                       "local"));
  CHECK(message_of(kData, {"model.encoder.self_attention.estimator=reinforce"})
            .ends_with("model.encoder.self_attention.estimator: reinforce estimates the gradient "
                       "of hard selection; expected model.encoder.self_attention.selection: hard, "
                       "or straight_through"));
  const std::vector<std::string> reinforce{"model.decoder.cross_attention.selection=hard",
                                           "model.decoder.cross_attention.estimator=reinforce"};
  CHECK(parse(kData, reinforce).model.reinforces());
  for (const std::string key : {"train.r_drop=1", "train.adversarial.weight=1"}) {
    std::vector<std::string> both = reinforce;
    both.push_back(key);
    CHECK_THAT(message_of(kData, both),
               ContainsSubstring(" makes it two; expected 0, or the estimator straight_through"));
  }
  CHECK(message_of(kData, {"model.decoder.cross_attention.scope=local"})
            .ends_with("model.decoder.cross_attention.scope: expected one of global, monotonic, "
                       "predictive, found local"));
}

TEST_CASE("all mistakes of a file are named at once", "[config]") {
  const std::string file = CALQUE_SOURCE_DIR "/tests/fixtures/config/mistakes.yaml";
  const std::vector<std::string> expected = {
      ":2: learning_rate: unknown key; did you mean train.learning_rate?",
      ":3: seed: expected an integer, 0 or more, found -1",
      ":4: threads: expected an integer from 0 to 4096, found a list",
      ":7: data.train.source: 2 source files but 1 target files; each source file needs its "
      "translation",
      ":10: data.validation.source: 1 source files but 0 target files; expected as many of each, "
      "or neither",
      ":11: data.max_length: expected an integer from 2 to 65536, found nothing",
      ":12: vocab: unknown key; did you mean vocabulary?",
      ":15: vocabulary.shared: expected true or false, found yes",
      ":17: model.size: 8 heads do not divide model.size 130; expected a divisor of it",
      ":18: model.heds: unknown key; did you mean model.heads?",
      ":19: model.norm: expected one of pre, post, deep, found both",
      ":20: model.dropout: expected a block with keys of embedding, residual, attention, "
      "activation, layer, found 0.3",
      ":22: train.max_steps: expected an integer from 1 to 1000000000, found 1e4; "
      "write 10000",
      ":23: train.warmup_steps: expected an integer from 0 to 1000000000, found 1_000; "
      "write 1000",
      ":24: train.beta1: expected a number from 0 to below 1, found the text \"0.9\"",
      ":25: train.max_steps: given twice, first on line 22",
      ":26: train.epsilon: expected a number above 0, found 1e-9x",
      ":27: train.label_smoothing: expected a number from 0 to below 1, found 1",
      ":28: qwertyuiop: unknown key; `calque train --help-config` lists all keys",
  };
  std::string all = fmt::format("{}: {} mistakes", file, expected.size());
  for (const std::string& mistake : expected) all += "\n  " + file + mistake;
  std::string found;
  try {
    load_config(file);
  } catch (const UserError& error) {
    found = error.what();
  }
  CHECK(found == all);
}

TEST_CASE("what is not a config says why", "[config]") {
  const std::string where = "runs/test.yaml";
  CHECK(message_of("") == where +
                              ": no config in this file; expected data.train.source and "
                              "data.train.target at least");
  CHECK(message_of("# nothing\n") == message_of(""));
  CHECK(message_of("seed: 1\n") ==
        where + ": 2 mistakes\n  " + where +
            ": data.train.source: missing; expected a path or a list of paths\n  " + where +
            ": data.train.target: missing; expected a path or a list of paths");
  CHECK(message_of("train:\n\tseed: 2\n") ==
        where + ":2: a tab in the indentation; YAML indents with spaces");
  CHECK(message_of("- 1\n") == where + ":1: expected keys with values (key: value), found a list");
  CHECK(message_of("text\n") == where + ":1: expected keys with values (key: value), found text");
  CHECK(message_of("a: 1\x04\nb: 2\n") == where + ":1: control character U+0004");
  CHECK(message_of("a: 1\nb: \xff\n") == where + ":2: not valid UTF-8");
  CHECK(message_of(kData + "---\nseed: 2\n") ==
        where + ": holds a second document (---); a config is one");
  const std::string syntax = message_of(kData + "train: }\n");
  CHECK(syntax.find(where + ":2: not YAML: ") == 0);
}

TEST_CASE("kinds of norms and feed-forward networks are read by name", "[config]") {
  const RunConfig config =
      parse_config(kData + "model: {norm: post, norm_kind: rms, activation: geglu}\n", "a.yaml");
  CHECK(config.model.norm == NormPlace::kPost);
  CHECK(config.model.norm_kind == NormKind::kRms);
  CHECK(config.model.activation == kernels::Activation::kGeglu);
  const std::string where = "runs/test.yaml:2: model.";
  CHECK(message_of(kData + "model: {norm_kind: batch}\n") ==
        where + "norm_kind: expected one of layer, rms, found batch");
  CHECK(message_of(kData + "model: {norm_kind: post}\n") ==
        where + "norm_kind: expected one of layer, rms, found post");
  CHECK(message_of(kData + "model: {activation: reglu}\n") ==
        where + "activation: expected one of relu, gelu, swish, glu, geglu, swiglu, found reglu");
}

TEST_CASE("YAML that a config has no use for is refused", "[config]") {
  const std::string where = "runs/test.yaml";
  CHECK(message_of(kData + "seed: &one 1\nthreads: *one\n")
            .find(where + ":3: aliases are not supported; write the value itself") !=
        std::string::npos);
  CHECK(message_of(kData + "seed: !!int 1\n") ==
        where + ":2: tags are not supported: tag:yaml.org,2002:int");
  CHECK(message_of(kData + "? [a]\n: 5\n") ==
        where + ":2: expected a key in front of the colon, found a block or list");
  CHECK(message_of(kData + "~: 5\n") == where + ":2: expected a key in front of the colon");
  CHECK(message_of(kData + "vocabulary:\n  path: a\n    b\n") ==
        where + ":3: a text must begin and end on one line, quotes included");
  CHECK(message_of(kData + "vocabulary:\n  path: 'a\n") ==
        where + ":3: a text must begin and end on one line, quotes included");
  CHECK(message_of("data: {train: {source: [a, [b]], target: a.de}}\n")
            .find(where + ":1: data.train.source: expected a path or a list of paths, found a list "
                          "of more than texts") != std::string::npos);
  CHECK(message_of(kData + "seed: {a: {b: 1}}\n") ==
        where + ":2: seed: expected an integer, 0 or more, found a block of keys");
  CHECK(message_of(kData + "data: {max_length: 5}\n") ==
        where + ":2: data: given twice, first on line 1");
}

TEST_CASE("integers are digits and numbers are finite", "[config]") {
  const std::vector<std::pair<std::string, std::string>> integers{{"4e3", "; write 4000"},
                                                                  {"4000.0", "; write 4000"},
                                                                  {"007", "; write 7"},
                                                                  {"1_0", "; write 10"},
                                                                  {"4.5e3", "; write 4500"},
                                                                  {"0.5", ""},
                                                                  {"+4000", ""},
                                                                  {"0x10", ""},
                                                                  {"-0", ""},
                                                                  {"4 000", ""},
                                                                  {"99999999999", ""},
                                                                  {"1e300", ""}};
  for (const auto& [text, hint] : integers) {
    CAPTURE(text);
    CHECK(
        message_of(kData + "train: {max_steps: " + text + "}\n") ==
        fmt::format("runs/test.yaml:2: train.max_steps: expected an integer from 1 to 1000000000, "
                    "found {}{}",
                    text, hint));
  }
  for (const char* text : {"inf", "nan", ".inf", "1,5", "0,", "-1", "0", "1e999"}) {
    CAPTURE(text);
    CHECK(message_of(kData + "train:\n  learning_rate: " + text + "\n") ==
          fmt::format("runs/test.yaml:3: train.learning_rate: expected a number above 0, found {}",
                      text));
  }
  CHECK(parse(kData + "train: {learning_rate: 2}\n").train.optimizer.learning_rate == 2.0);
}

TEST_CASE("values that contradict each other are refused", "[config]") {
  const std::string where = "runs/test.yaml:2: ";
  CHECK(message_of(kData + "model: {size: 100, heads: 3}\n") ==
        where + "model.heads: 3 heads do not divide model.size 100; expected a divisor of it");
  CHECK(message_of(kData + "vocabulary: {shared: false}\n") ==
        where +
            "vocabulary.shared: embeddings of source and target cannot be tied (all) when "
            "vocabulary.shared is false; expected decoder or none, or a shared vocabulary");
  CHECK(message_of("data: {train: {source: a, target: b}, bidirectional_epochs: 3}\n"
                   "vocabulary: {shared: false}\nmodel: {tied_embeddings: none}\n") ==
        "runs/test.yaml:1: data.bidirectional_epochs: source and target cannot change places "
        "when vocabulary.shared is false; expected 0, or a shared vocabulary");
  CHECK(message_of("data: {train: {source: a, target: b}}\ntrain: {teacher_steps: 3}\n"
                   "vocabulary: {shared: false}\nmodel: {tied_embeddings: none}\n") ==
        where +
            "train.teacher_steps: a teacher of both directions needs a shared vocabulary; "
            "expected 0, or vocabulary.shared: true");
  CHECK(message_of(kData + "train: {schedule: cosine, warmup_steps: 9, teacher_steps: 9}\n") ==
        where +
            "train.warmup_steps: 9 warm-up steps leave nothing of train.teacher_steps 9 for the "
            "schedule; expected fewer");
  CHECK(message_of(kData + "model: {positions: learned, max_positions: 10}\n") ==
        where +
            "model.max_positions: 10 learned positions are fewer than data.max_length 256; "
            "expected as many");
  CHECK(message_of(kData + "model: {positions: rotary, size: 12, heads: 4}\n") ==
        where +
            "model.positions: rotary positions turn pairs of numbers, but a head of model.size 12 "
            "/ 4 heads has an odd number of them; expected an even one");
  CHECK(message_of(kData + "train: {schedule: linear, max_steps: 100}\n") ==
        where +
            "train.max_steps: 4000 warm-up steps leave nothing of train.max_steps 100 for the "
            "schedule; expected fewer");
  CHECK(message_of(kData + "train: {adversarial: {weight: 1}, r_drop: 2}\n") ==
        where +
            "train.adversarial.weight: train.adversarial.weight and train.r_drop both compute an "
            "update twice, in their own ways; expected 0 for one of them");
  CHECK(message_of(kData + "train: {schedule: noam, warmup_steps: 0}\n") ==
        where + "train.warmup_steps: the noam schedule needs a warm-up; expected 1 step or more");
  CHECK(message_of(kData + "train: {patience: 3}\n") ==
        where +
            "train.patience: patience needs data.validation, which is not given; expected 0 "
            "without it");
  // A value that could not be read takes part in no rule.
  CHECK(message_of(kData + "model: {size: 100, heads: three}\n") ==
        where + "model.heads: expected an integer from 1 to 65536, found three");
}

TEST_CASE("overrides go through the same door", "[config]") {
  const RunConfig config = parse(kData + "train: {learning_rate: 1}\nvocabulary: {path: x.model}\n",
                                 {"train.learning_rate=0.0007", "data.train.source=[b.en, c.en]",
                                  "data.train.target=[b.de, \"c=c.de\"]", "vocabulary.path="});
  CHECK(config.train.optimizer.learning_rate == 0.0007);
  CHECK(config.data.train.source == std::vector<std::string>{"b.en", "c.en"});
  CHECK(config.data.train.target == std::vector<std::string>{"b.de", "c=c.de"});
  CHECK(config.vocabulary.path.empty());
  const auto message = [](const std::string& text) { return message_of(kData, {text}); };
  CHECK(message("train.learning_rate=fast") ==
        "--set train.learning_rate: expected a number above 0, found fast");
  CHECK(message("train.learning_rat=1") ==
        "--set train.learning_rat: unknown key; did you mean train.learning_rate?");
  CHECK(message("modl.x=1") == "--set modl.x: unknown key; did you mean a key of model?");
  CHECK(message("model.encoder.x=1") ==
        "--set model.encoder.x: unknown key; model.encoder has layers, self_attention");
  CHECK(message("qwertyuiop.x=1") ==
        "--set qwertyuiop.x: unknown key; `calque train --help-config` lists all keys");
  CHECK(message("=3") == "--set =3: expected KEY=VALUE, as in --set train.max_steps=2000");
  CHECK(message("") == "--set \"\": expected KEY=VALUE, as in --set train.max_steps=2000");
  CHECK(message("model=3") == "--set model: expected the full key of one value, found a block");
  CHECK(message("seed") == "--set seed: expected KEY=VALUE, as in --set train.max_steps=2000");
  CHECK(message("seed=") == "--set seed: expected an integer, 0 or more, found the text \"\"");
  CHECK(message("seed={a: 1}") ==
        "--set seed: expected an integer, 0 or more, found a block of keys");
  CHECK(message("seed=[1").find("--set seed: not YAML: ") == 0);
  CHECK(message("model.heads=3") ==
        "--set model.heads: 3 heads do not divide model.size 512; expected a divisor of it");
  CHECK(message_of(kData, {"seed=1", "seed=2"}) == "--set seed: given twice");
}

}  // namespace calque
